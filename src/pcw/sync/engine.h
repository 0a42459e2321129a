// The sync of one entity: fetch -> bronze -> map -> merge -> checkpoint (docs/architecture.md).
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "pcw/aws/caller.h"
#include "pcw/base/clock.h"
#include "pcw/base/rng.h"
#include "pcw/connector/entity_def.h"
#include "pcw/connector/mapping.h"
#include "pcw/jobs/lease.h"
#include "pcw/lake/bronze_store.h"
#include "pcw/pg/database.h"
#include "pcw/runs/progress.h"
#include "pcw/runs/run_store.h"
#include "pcw/sync/detail_fetcher.h"
#include "pcw/tables/change_listener.h"

namespace pcw::sync {

/// How one run is to be done; from the configuration and the command line.
struct SyncOptions {
  std::string tenant_id;
  std::string connector_config_json = "{}";  ///< what `connectors.config_json` keeps: no secrets
  std::string catalog = "AWS";
  connector::RunMode mode = connector::RunMode::kFull;
  std::optional<std::string> resume_run;  ///< "" = the newest resumable run; else its id or prefix
  int page_size = 100;                    ///< MaxResults, 1..100
  FetchOptions fetch;
  std::chrono::milliseconds lag{std::chrono::minutes(5)};
  std::optional<std::chrono::milliseconds> overlap;  ///< absent = auto
  int part_records = 1000;
  std::size_t part_bytes = 4U << 20U;
  std::chrono::seconds part_age{30};
  /// A run stops when more of its last `stop_window` records are dead letters of mapping, or could
  /// not be fetched; 0 = never.
  int stop_at_mismatch_percent = 50;
  int stop_at_fetch_failure_percent = 50;
  int stop_window = 200;
  /// A full listing of fewer records than that share of the last one counts no absence; 0 = every
  /// one does.
  int shrank_below_percent = 50;
  bool accepts_shrink = false;  ///< a person says that so many records are gone
  /// A run that waits in the queue: it is the one that is run, instead of a new one.
  std::optional<std::string> queued_run;
  /// Of mode kFetch: these records, which the table holds, instead of those that events asked for.
  std::vector<std::string> refetch;
  /// What this run fetches replaces what is held even if AWS dates it earlier: an operator said so.
  bool accepts_older = false;
  std::chrono::seconds lease{30};             ///< of the entity, on the database's clock
  tables::ChangeListener* changes = nullptr;  ///< told what each part changes; outlives the run
};

/// What the engine works with; all outlive the run.
struct SyncDeps {
  pg::OpenConnection open;           ///< service sessions of the tenant
  pg::ConnectOptions lease_connect;  ///< for the lease's own session
  aws::Caller& caller;
  lake::BronzeStore& store;
  Clock& clock;  ///< only its steady side counts: a run's times are the database's
  Sleeper& sleeper;
  Rng& rng;
  std::function<void(const runs::Progress&)>
      on_progress;  ///< called from one thread, often; may be empty
  /// Asked when a stop was requested: a reason ("drained") ends the run failed and resumable for
  /// that reason; empty, or no function: it ends cancelled.
  std::function<std::string()> stop_reason = nullptr;
};

/// How a run ended. `error` is set unless status is succeeded or partial.
struct RunOutcome {
  std::string run_id;
  connector::RunStatus status = connector::RunStatus::kFailed;
  runs::RunStats stats;
  std::optional<Error> error;
};

/// Runs one entity to its end. A failure before a run exists (database down, lease held) is the
/// Result's error; after that it is in the outcome and in ingestion_runs. A stop request finishes
/// the part in hand and ends the run `cancelled`; it can be run again.
///
/// Mode kFetch gets the records of fetch_requests.h instead of listing, and takes their requests
/// away when they have landed, or are dead letters.
Result<RunOutcome> RunSync(const connector::EntityDef& def, const connector::Mapping& mapping,
                           const SyncOptions& options, SyncDeps deps, std::stop_token stop);

}  // namespace pcw::sync
