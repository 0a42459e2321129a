// Runs, the queue and the database as a diagnosis of runbook 2.1 sees them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pcw::diagnose {

/// One entity: its newest run, and how old its data is. Ages are by the database's clock.
struct EntityRuns {
  std::string entity{};
  std::string run_id{}, mode{}, status{};  ///< of the newest run; empty = there never was one
  std::string reason{}, error_code{}, error{};
  std::int64_t dead_letters = 0;
  bool is_resumable = false;
  std::optional<std::chrono::seconds> since_complete{};  ///< start of the newest complete scan
  /// What the schedule promises between two scans; absent = nothing is scheduled.
  std::optional<std::chrono::seconds> interval{};
  std::optional<std::chrono::seconds> overdue{};  ///< how long the schedule waits for a scheduler
  std::optional<std::chrono::seconds> queued{};   ///< how long a due job waits for a worker
  /// Runs whose times lie more than a minute ahead of the database's clock, the farthest of them.
  std::int64_t future_runs = 0;
  std::string future_run{};
  std::chrono::seconds future_by{0};
  /// Records of which AWS has served an older version than is held, to several runs in a row or
  /// where the held date lies in the future; some of their ids.
  std::int64_t older_records = 0;
  std::vector<std::string> older_ids{};
};

/// An API token that ends soon.
struct EndingToken {
  std::string name{}, id{}, expires_at{};
};

struct RunFacts {
  std::vector<EntityRuns> entities{};
  std::vector<EndingToken> tokens{};
  /// This machine's clock minus PostgreSQL's.
  std::chrono::milliseconds clock_ahead{0};
  std::int64_t sessions = 0, most_sessions = 0;
  std::optional<std::chrono::seconds> longest_transaction{};  ///< of any session of this database
};

}  // namespace pcw::diagnose
