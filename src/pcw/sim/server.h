// The local AWS: Partner Central, STS and S3 on one loopback port, strict, faulty on demand, with
// an oracle.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "pcw/base/clock.h"
#include "pcw/base/result.h"
#include "pcw/sim/events/event_source.h"
#include "pcw/sim/faults.h"
#include "pcw/sim/ledger.h"
#include "pcw/sim/partner_central/dataset.h"
#include "pcw/sim/partner_central/page_token.h"
#include "pcw/sim/quota.h"

namespace pcw::sim {

/// Everything about a simulator. The defaults are AWS's published behaviour.
struct SimOptions {
  std::uint16_t port = 0;  ///< 0 = any free one
  std::uint64_t opportunities = 1'000;
  std::uint64_t sandbox_opportunities = 25;
  std::uint64_t leads = 20;     ///< of catalog AWS; Sandbox has 3
  std::uint64_t solutions = 8;  ///< of catalog AWS; Sandbox has 2
  std::uint64_t profiles = 2;   ///< partners of catalog AWS; Sandbox has 1
  std::uint64_t seed = 1;
  FaultPlan faults{};
  EventRule events{};  ///< where changes are told of
  QuotaMode quota = QuotaMode::kEnforced;
  QuotaLimits limits{};
  std::chrono::milliseconds latency{0};  ///< added to every answer
  TokenStyle token_style = TokenStyle::kKeyset;
  std::chrono::seconds token_life = std::chrono::hours(24);
  Granularity granularity = Granularity::kMixed;
  Granularity filter_granularity = Granularity::kMixed;  ///< kMixed = filters are exact
  std::uint64_t ties = 20;  ///< records per block that share one LastModifiedDate
  /// No seeded record is newer. Default: twelve hours before the midnight (UTC) before the start,
  /// so that a restart on the same day serves the same bytes.
  std::optional<WallTime> epoch{};
  std::string external_id{};  ///< demanded by AssumeRole if set
  std::chrono::seconds max_session = std::chrono::hours(12);
  std::size_t ledger_capacity = 2'000'000;
  std::size_t s3_capacity_bytes = std::size_t{1} << 30U;  ///< objects and parts together
  int threads = 1;
  const Clock* clock = nullptr;  ///< nullptr = the machine's; must outlive the server
};

/// A running simulator. Listens on 127.0.0.1 only. Public members are thread-safe.
///
/// Accepts the access key of AWS's documentation (keys.h), keys that POST /_sim/account adds, and
/// the sessions its own STS issued, for region us-east-1. docs/simulator.md describes faults,
/// control and oracle endpoints.
class SimServer {
 public:
  /// kConfig: the port cannot be bound or an option is out of bounds.
  static Result<std::unique_ptr<SimServer>> Start(SimOptions options);
  ~SimServer();
  SimServer(const SimServer&) = delete;
  SimServer& operator=(const SimServer&) = delete;

  std::uint16_t port() const;
  /// "http://127.0.0.1:PORT", for AWS_ENDPOINT_URL.
  std::string url() const;
  /// What GET /_sim/stats counts.
  CallTotals totals() const;
  /// Installs other fault rules, as POST /_sim/faults does.
  void ReplaceFaults(FaultPlan plan);

  /// Stops listening and joins all threads. Idempotent.
  void Stop();

 private:
  struct State;
  explicit SimServer(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace pcw::sim
