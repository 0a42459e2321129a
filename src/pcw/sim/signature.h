// Signature Version 4 as the receiving side checks it; written from the published algorithm,
// sharing nothing with the client.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <variant>

#include "pcw/base/clock.h"
#include "pcw/net/server/message.h"
#include "pcw/sim/answer.h"
#include "pcw/sim/keys.h"

namespace pcw::sim {

/// Verifies requests to `POST /` of one region, and of any for STS, SQS and EventBridge, which have
/// an endpoint in each. Thread-safe.
///
/// Checks in AWS's order: presence, form, date within five minutes, scope (date, region, service,
/// terminator), key known, session token, expiry, required signed headers, signature over the body
/// as received. Refusals look as the real services': see the table in README.md.
class SignatureVerifier {
 public:
  SignatureVerifier(const Keys& keys, std::string region)
      : keys_(keys), region_(std::move(region)) {}

  /// The key that signed, or the refusal. `service` is the signing name that must be in the scope.
  std::variant<Key, Answer> Verify(const net::server::Request& request, std::string_view service,
                                   Dialect dialect, WallTime now) const;

 private:
  std::string SigningKey(const Key& key, std::string_view date, std::string_view region,
                         std::string_view service) const;

  const Keys& keys_;
  const std::string region_;
  mutable std::mutex cache_mutex_;
  /// Derived keys of today; cleared when it grows, since dates and sessions pass.
  mutable std::map<std::string, std::string, std::less<>> derived_;
};

}  // namespace pcw::sim
