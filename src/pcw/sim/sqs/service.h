// The simulated SQS on its way through: book, verify, permit, execute, spoil.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>

#include "pcw/base/clock.h"
#include "pcw/net/server/message.h"
#include "pcw/sim/partner_central/service.h"
#include "pcw/sim/server.h"
#include "pcw/sim/signature.h"
#include "pcw/sim/sqs/queues.h"
#include "pcw/sim/sqs/wire.h"

namespace pcw::sim {

/// SQS of the account that `service` simulates: its keys, account state, fault rules and ledger.
/// Messages live in memory. Thread-safe; operations run one after the other.
///
/// Order of checks: operation, signature, throttling, form, permission, queue, arguments.
class SqsService {
 public:
  SqsService(const SimOptions& options, const Clock& clock, Service& service);

  /// Answers one request for which IsSqs holds.
  net::server::Reply Handle(const net::server::Request& request);

 private:
  Answer Execute(const net::server::Request& request, const SqsRequest& call,
                 const FaultDecision& faults, CallRecord& record, WallTime now);

  const Clock& clock_;
  Service& service_;
  const std::uint64_t seed_;
  const std::chrono::milliseconds latency_;
  const SignatureVerifier verifier_;
  std::mutex mutex_;
  SqsQueues queues_;  // guarded by mutex_
};

}  // namespace pcw::sim
