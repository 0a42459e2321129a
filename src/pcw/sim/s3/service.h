// The simulated S3 on its way through: recognise, book, verify, permit, execute, spoil.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "pcw/base/clock.h"
#include "pcw/net/server/message.h"
#include "pcw/sim/partner_central/service.h"
#include "pcw/sim/s3/state.h"
#include "pcw/sim/server.h"

namespace pcw::sim {

/// S3 of the account that `service` simulates: its keys, account state, fault rules and ledger.
/// Objects live in memory. Thread-safe; operations run one after the other.
///
/// Order of checks: URI, signature, names, throttling, bucket, owner, permission, body, existence.
class S3Service {
 public:
  S3Service(const SimOptions& options, const Clock& clock, Service& service);

  /// Answers one request for which IsS3 holds.
  net::server::Reply Handle(net::server::Request request);

  /// The oracle: one JSON line per object of `bucket`, in order of keys, with `key`, `size`,
  /// `sha256`, `etag`, `checksum`, `encryption`. Nothing if there is no such bucket.
  std::optional<std::string> Describe(std::string_view bucket) const;
  /// Makes a bucket vanish with all it holds; false if there is none.
  bool RemoveBucket(std::string_view bucket);

 private:
  struct Call;

  S3Answer Execute(net::server::Request& request, Call& call);
  std::optional<S3Answer> Refuse(const S3Request& target, const FaultDecision& faults,
                                 CallRecord& record) const;
  std::optional<S3Answer> Deny(const S3Request& target, const Key& caller) const;
  S3Answer Dispatch(S3Call& call, const Key& caller);

  const Clock& clock_;
  Service& service_;
  const std::uint64_t seed_;
  const std::chrono::milliseconds latency_;
  mutable std::mutex mutex_;
  S3State state_;
};

}  // namespace pcw::sim
