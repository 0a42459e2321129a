// What runs have in bronze, as the database tells it: committed parts, folders, times.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/base/clock.h"
#include "pcw/pg/connection.h"

namespace pcw::runs {

/// One part that a run has committed.
struct RunPart {
  int part = 0;
  std::string bronze_key;
  std::string sha256_hex;
  std::int64_t bytes = 0;
  std::int64_t records = 0;
};

/// Part of the transaction that commits the part's rows.
Status InsertPart(pg::Connection& connection, std::string_view run_id, const RunPart& part,
                  std::stop_token stop);
/// The run's counters if the part is committed, as JSON: what a lost COMMIT answer is read back
/// from (T8).
Result<std::optional<std::string>> StatsIfCommitted(pg::Connection& connection,
                                                    std::string_view run_id, int part,
                                                    std::stop_token stop);
/// AWS's Date of the first answer that the run put into bronze; RFC 3339.
Status SaveServedFrom(pg::Connection& connection, std::string_view run_id,
                      const std::string& served_at, std::stop_token stop);
/// The run has no folder in bronze; `request_ids_json` are those of its list calls.
Status SaveNoFolder(pg::Connection& connection, std::string_view run_id,
                    const std::string& request_ids_json, std::stop_token stop);

/// Keys of the entity's newest committed parts, the newest first.
Result<std::vector<std::string>> NewestPartKeys(pg::Connection& connection, std::string_view entity,
                                                std::stop_token stop);
/// Folders of the entity's runs of the last four days.
Result<std::vector<std::string>> RecentFolders(pg::Connection& connection, std::string_view entity,
                                               std::stop_token stop);
/// The error of the newest run that ended, if the lake refused it a write.
Result<std::optional<std::string>> NewestRefusedWrite(pg::Connection& connection,
                                                      std::stop_token stop);

struct RunFolderEntry {
  std::string prefix;        ///< empty: the run has none
  bool is_complete = false;  ///< it ended with its manifest written
};
/// Of every run of the session's tenant, by its id.
Result<std::map<std::string, RunFolderEntry>> LoadRunFolders(pg::Connection& connection,
                                                             std::stop_token stop);
/// Keys of every committed part of the session's tenant.
Result<std::vector<std::string>> LoadPartKeys(pg::Connection& connection, std::stop_token stop);

/// The catalog of a run; nullopt: the database does not know the run.
Result<std::optional<std::string>> CatalogOfRun(pg::Connection& connection, std::string_view run_id,
                                                std::stop_token stop);

struct StoredRunTimes {
  std::string run_id;
  std::optional<WallTime> served_from;
  WallTime started_at;
};
/// Of every run of the entity.
Result<std::vector<StoredRunTimes>> LoadRunTimes(pg::Connection& connection,
                                                 std::int64_t connector_id, std::string_view entity,
                                                 std::stop_token stop);

}  // namespace pcw::runs
