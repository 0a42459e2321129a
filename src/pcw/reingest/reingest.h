// Tables from bronze: the same rows that a sync makes, without one call to AWS.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "pcw/base/clock.h"
#include "pcw/base/rng.h"
#include "pcw/connector/entity_def.h"
#include "pcw/connector/mapping.h"
#include "pcw/dlq/replay.h"
#include "pcw/lake/bronze_store.h"
#include "pcw/pg/database.h"
#include "pcw/reingest/reader.h"
#include "pcw/reingest/selection.h"
#include "pcw/runs/mapping_version.h"
#include "pcw/runs/progress.h"
#include "pcw/runs/run_store.h"
#include "pcw/tables/bulk_table.h"

namespace pcw::reingest {

/// The records of a replay: exactly those of its dead letters, from where these point.
struct ReplaySelection {
  std::string run_id;                 ///< of the run row; empty for a dry run
  std::set<std::string> bronze_keys;  ///< never empty
  std::vector<std::string> record_keys;
  int records_per_second = 0;  ///< 0 = as fast as it goes
  /// Of a dry run: what would become of a record. Called on the caller's thread.
  std::function<void(dlq::ReplayFate)> on_fate;
};

struct ReingestOptions {
  std::string tenant_id;
  std::string connector_config_json = "{}";
  std::string catalog = "AWS";  ///< configured; rows of another one are merged under their own
  ReingestSelection selection;
  std::string mapping_file;  ///< where the mapping came from, for the run; empty = the built-in one
  int mapping_version = 0;   ///< filled in by RunReingest
  /// What happens when rows are made by a newer mapping; not asked where `mapping_file` is set,
  /// which is for once.
  runs::OlderMapping older_mapping = runs::OlderMapping::kRefuse;
  int connections = 2;
  bool is_dry_run = false;
  bool is_rebuild = false;
  std::optional<std::int64_t> expect_lost;  ///< of a rebuild: rows that may vanish, exactly
  std::optional<std::string> resume_run;    ///< "" = the newest resumable re-ingest
  std::optional<ReplaySelection> replay;    ///< then it is a run of mode replay, and not resumable
};

/// What a re-ingest works with; all outlive it.
struct ReingestDeps {
  pg::OpenConnection open;  ///< service sessions of the tenant
  /// Sessions as pcw_owner with the tenant set; only a rebuild opens them.
  pg::OpenConnection open_owner;
  pg::ConnectOptions lease_connect;
  lake::BronzeStore& store;
  Clock& clock;
  Sleeper& sleeper;
  Rng& rng;
  std::function<void(const runs::Progress&)> on_progress;  ///< may be empty
};

/// How it ended. `error` is set unless status is succeeded or partial.
struct ReingestOutcome {
  std::string run_id;  ///< empty for a dry run
  connector::RunStatus status = connector::RunStatus::kFailed;
  runs::RunStats stats;
  std::int64_t objects = 0;  ///< read, rejected ones too
  std::int64_t objects_rejected = 0;
  std::vector<RejectedObject> rejected;       ///< the first hundred of them
  std::string completed_key;                  ///< everything up to it is in the table
  std::int64_t rows_older = 0;                ///< of a dry run
  std::vector<tables::ColumnChange> columns;  ///< of a dry run
  std::optional<Error> error;
};

/// The counters with what only a re-ingest counts, as stats_json keeps them.
std::string FormatStats(const ReingestOutcome& outcome, const ReingestOptions& options);

/// Re-ingests one entity: reads the selected objects in the order AWS answered in, leaves alone
/// what the table holds already by this mapping, maps the rest and merges it by the rule of I4.
///
/// Holds the entity's lease for its whole length and is a run of mode reingest, except for a dry
/// run, which writes nothing. Progress is stored after every few thousand records; a run that was
/// killed or stopped goes on behind it, and repeating it changes nothing. A failure before the run
/// exists is the Result's error; after that it is in the outcome. A stop finishes the batches in
/// hand and ends it `cancelled`.
Result<ReingestOutcome> RunReingest(const connector::EntityDef& def,
                                    const connector::Mapping& mapping,
                                    const ReingestOptions& options, ReingestDeps deps,
                                    std::stop_token stop);

}  // namespace pcw::reingest
