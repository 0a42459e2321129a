// Runs page by page, for REST: newest first, continued behind an id.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "pcw/pg/connection.h"
#include "pcw/runs/run_store.h"

namespace pcw::runs {

struct RunPageRequest {
  std::string entity{};     ///< empty = every
  std::string status{};     ///< empty = every; "stalled" is found too
  std::string before_id{};  ///< only runs before this one; empty = from the newest
  int limit = 20;           ///< at most 1,000
  /// Only runs that list, full and incremental ones, by the time of their start; those of the
  /// future do not count.
  bool is_of_scans = false;
};

/// At most `limit` runs in falling order of id, which is the order of their making: unlike the time
/// of their start it never changes, so that no page repeats or misses a run that was there.
Result<std::vector<StoredRun>> ListRunPage(pg::Connection& connection,
                                           const RunPageRequest& request, std::stop_token stop);

/// The run of exactly that id, a UUID, in the session's tenant; nullopt if there is none. For those
/// who ask often: LoadRun, which takes the beginning of an id, is planned anew each time.
Result<std::optional<StoredRun>> FindRun(pg::Connection& connection, std::string_view id,
                                         std::stop_token stop);

}  // namespace pcw::runs
