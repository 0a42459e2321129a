// Runs in numbers: for metrics, the doctor, the status of events, and estimates.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/pg/connection.h"

namespace pcw::runs {

struct OpenRuns {
  std::string entity, status;
  std::int64_t runs = 0;
};
/// Runs that have not ended, by entity and status.
Result<std::vector<OpenRuns>> CountOpenRuns(pg::Connection& connection, std::stop_token stop);

struct EndedRuns {
  std::string entity, status;
  std::int64_t runs = 0, records_processed = 0, api_calls = 0, throttles = 0;
  std::string mean_seconds;  ///< with three decimals
};
/// Runs that ended in the last 24 hours, by entity and status.
Result<std::vector<EndedRuns>> SumEndedRuns(pg::Connection& connection, std::stop_token stop);

struct FetchRuns {
  std::int64_t runs = 0, records_processed = 0;
};
/// Runs of mode fetch that began in the last 24 hours.
Result<FetchRuns> SumFetchRuns(pg::Connection& connection, std::stop_token stop);

/// How an entity keeps to its schedule, by the database's clock; nullopt: never, or not scheduled.
struct EntityAge {
  std::optional<std::chrono::seconds> since_complete;  ///< the last complete scan began
  std::optional<std::chrono::seconds> interval;        ///< between firings of its schedule
  std::optional<std::chrono::seconds> overdue;         ///< its schedule is
};
Result<EntityAge> LoadEntityAge(pg::Connection& connection, std::string_view connector_kind,
                                std::string_view entity, std::stop_token stop);

/// Runs whose times lie more than a minute ahead of the database's clock.
struct FutureRuns {
  std::string newest_id;
  std::chrono::seconds by{0};  ///< how far the newest lies ahead
  std::int64_t runs = 0;
};
Result<FutureRuns> FindFutureRuns(pg::Connection& connection, std::string_view entity,
                                  std::stop_token stop);

struct StoppedBySchema {
  std::string entity, run_id, reason, error;
};
/// Entities whose newest run failed because AWS's answers did not fit.
Result<std::vector<StoppedBySchema>> FindStoppedBySchema(pg::Connection& connection,
                                                         std::stop_token stop);

struct IncrementalCost {
  std::int64_t runs = 0;  ///< that were looked at, five at most
  std::int64_t most_calls = 0, most_listed = 0;
};
Result<IncrementalCost> CostOfIncrementals(pg::Connection& connection, std::string_view entity,
                                           std::string_view catalog, std::stop_token stop);

struct ScanHistory {
  bool has_watermark = false;
  std::optional<std::int64_t> last_full_listed;
};
Result<ScanHistory> LoadScanHistory(pg::Connection& connection, std::string_view entity,
                                    std::string_view catalog, std::stop_token stop);

}  // namespace pcw::runs
