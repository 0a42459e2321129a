// Runs, connectors and cursors in PostgreSQL.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/base/clock.h"
#include "pcw/connector/entity_def.h"
#include "pcw/connector/run_types.h"
#include "pcw/pg/connection.h"
#include "pcw/runs/run_stats.h"

namespace pcw::runs {

struct NewRun {
  std::string id;
  std::int64_t connector_id = 0;
  std::string entity;
  connector::RunMode mode = connector::RunMode::kFull;
  std::string catalog;
  WallTime started_at;
  std::int64_t fence = 0;
  std::string bronze_prefix;
  std::optional<std::string> resumed_from;
};

/// One run as it is stored; texts are as the database gives them.
struct StoredRun {
  std::string id, connector, entity, mode, status, catalog, started_at, ended_at, resumed_from,
      bronze_prefix, error_code, error;
  std::string stats_json;
  std::string requested_by;  ///< empty for a command line
  std::string trigger;       ///< api | schedule | event | cli
};

/// The durable position of one (connector, entity, catalog).
struct Cursor {
  std::optional<WallTime> watermark;
  std::int64_t longest_scan_ms = 0;
  std::int64_t last_full_listed = -1;  ///< that was believed; -1: no full scan yet
  std::int64_t shrunk_listed = -1;     ///< of the last full scan if it was not; -1: it was
};

/// Writes what the configuration says of a connector and returns its id.
Result<std::int64_t> UpsertConnector(pg::Connection& connection, const connector::ConnectorDef& def,
                                     bool is_enabled, const std::string& config_json,
                                     std::stop_token stop);

/// Ends the open runs of the entity that belong to an older fence: their process is gone (I8).
/// Those that wait in the queue stay. Part of the transaction that creates a run.
Status AbandonOlderRuns(pg::Connection& connection, std::int64_t connector_id,
                        std::string_view entity, std::int64_t fence, std::stop_token stop);
Status InsertRun(pg::Connection& connection, const NewRun& run, std::stop_token stop);
/// The same for a run that waits in the queue. kConflict if it waits no longer.
Status BeginQueuedRun(pg::Connection& connection, const NewRun& run, std::stop_token stop);

/// Replaces the counters of a running run. Part of the transaction that commits the rows they
/// count.
Status SaveStats(pg::Connection& connection, std::string_view run_id, const std::string& stats_json,
                 std::stop_token stop);

/// Moves a run to its terminal state. kConflict if it is terminal already.
Status FinishRun(pg::Connection& connection, std::string_view run_id, connector::RunStatus status,
                 const std::string& stats_json, const std::optional<Error>& error,
                 std::stop_token stop);

Result<Cursor> LoadCursor(pg::Connection& connection, std::int64_t connector_id,
                          std::string_view entity, std::string_view catalog, std::stop_token stop);
Status SaveCursor(pg::Connection& connection, std::int64_t connector_id, std::string_view entity,
                  std::string_view catalog, const Cursor& cursor, connector::RunMode mode,
                  std::string_view run_id, std::int64_t fence, std::stop_token stop);

/// A row of a query whose columns are the members of StoredRun, in order.
StoredRun ReadRun(const pg::Rows& rows, std::size_t row);

struct RunFilter {
  std::string entity;  ///< empty = every
  std::string status;  ///< empty = every
  int limit = 20;
};

/// Newest first. A running run whose lease has expired, or that has made no progress for ten
/// minutes although its worker is alive, is shown as "stalled".
Result<std::vector<StoredRun>> ListRuns(pg::Connection& connection, const RunFilter& filter,
                                        std::stop_token stop);
/// By id or a unique prefix of it (8 characters or more). kNotFound, or kInvalidRequest if the
/// prefix is ambiguous or too short.
Result<StoredRun> LoadRun(pg::Connection& connection, std::string_view id, std::stop_token stop);
/// What a run is a continuation of: syncs that list of such, re-ingests of re-ingests.
enum class RunKind { kSync, kReingest };
/// The newest failed or cancelled run of the entity, for --resume. kNotFound if there is none.
Result<StoredRun> LatestResumableRun(pg::Connection& connection, std::int64_t connector_id,
                                     std::string_view entity, RunKind kind, std::stop_token stop);

}  // namespace pcw::runs
