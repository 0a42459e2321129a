// The simulated EventBridge: PutEvents, strict, and a memory of what came.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <set>
#include <string>

#include <nlohmann/json.hpp>

#include "pcw/base/clock.h"
#include "pcw/base/json.h"
#include "pcw/net/server/message.h"
#include "pcw/sim/answer.h"
#include "pcw/sim/partner_central/service.h"
#include "pcw/sim/server.h"
#include "pcw/sim/signature.h"

namespace pcw::sim {

/// True if EventBridge must answer.
bool IsEventBridge(const net::server::Request& request);

/// True for the path that BusService::Control answers.
bool IsBusControl(std::string_view target);

/// The permissions of all operations, for the account's state.
std::vector<std::string> BusActions();

/// Event buses of the account that `service` simulates; "default" is there from the start. What
/// PutEvents brings is remembered, not delivered anywhere. Thread-safe.
///
/// Order of checks: operation, signature, throttling, form, permission, bus, entries.
class BusService {
 public:
  BusService(const SimOptions& options, const Clock& clock, Service& service);

  /// Answers one request for which IsEventBridge holds.
  net::server::Reply Handle(const net::server::Request& request);

  /// `GET /_sim/bus`: one JSON line per entry that was accepted; `POST /_sim/bus`
  /// {"buses": ["orders"]} replaces the buses beside default and forgets what came.
  net::server::Response Control(const net::server::Request& request);

 private:
  Answer Execute(const net::server::Request& request, const FaultDecision& faults,
                 CallRecord& record, WallTime now);
  Answer Put(const Json& body, const FaultDecision& faults, WallTime now);
  OrderedJson TakeEntry(const Json& entry, WallTime now);

  const Clock& clock_;
  Service& service_;
  const std::uint64_t seed_;
  const std::chrono::milliseconds latency_;
  const SignatureVerifier verifier_;
  std::mutex mutex_;
  std::set<std::string> buses_{"default"};  // guarded by mutex_
  std::deque<std::string> accepted_;        // guarded by mutex_
  std::uint64_t number_ = 0;                // guarded by mutex_
};

}  // namespace pcw::sim
