#include "pcw/sync/engine.h"

#include <memory>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "pcw/base/failpoint.h"
#include "pcw/base/log.h"
#include "pcw/base/time.h"
#include "pcw/base/uuid.h"
#include "pcw/lake/layout.h"
#include "pcw/runs/database_clock.h"
#include "pcw/runs/fetch_requests.h"
#include "pcw/runs/job_verdict.h"
#include "pcw/runs/listing_size.h"
#include "pcw/runs/mapping_version.h"
#include "pcw/sync/empty_pass.h"
#include "pcw/sync/scan.h"
#include "pcw/tables/kept_drift.h"

namespace pcw::sync {
namespace {

/// What is known once the run exists.
struct OpenRun {
  runs::NewRun row;
  runs::Cursor cursor;
  bool has_open_letters = false;
  std::vector<std::string> failed_before;  ///< with an open dead letter of stage fetch
  std::int64_t rows_present = 0;
  std::set<connector::DriftKey> accepted_drift, kept_drift;
};

Result<OpenRun> StartRun(pg::Connection& connection, const connector::EntityDef& def,
                         const connector::Mapping& mapping, const tables::EntityTable& table,
                         runs::NewRun row, const SyncOptions& options, std::stop_token stop) {
  PCW_FAILPOINT("run.start.before");
  if (options.resume_run) {
    PCW_TRY(const runs::StoredRun earlier,
            options.resume_run->empty()
                ? runs::LatestResumableRun(connection, row.connector_id, def.name,
                                           runs::RunKind::kSync, stop)
                : runs::LoadRun(connection, *options.resume_run, stop));
    if (earlier.entity != def.name) {
      return Error(ErrorCode::kInvalidRequest, fmt::format("run {} is one of {}, not of {}",
                                                           earlier.id, earlier.entity, def.name));
    }
    if (earlier.mode == NameOf(connector::RunMode::kReingest)) {
      return Error(ErrorCode::kInvalidRequest,
                   fmt::format("run {} is a re-ingest; go on with it by `pcw bronze reingest "
                               "--entity {} --resume {}`",
                               earlier.id, def.name, earlier.id));
    }
    if (earlier.mode == NameOf(connector::RunMode::kFetch)) {
      return Error(ErrorCode::kInvalidRequest,
                   fmt::format("run {} got records that events told of; what it did not come to is "
                               "fetched by the service, or by any sync",
                               earlier.id));
    }
    if (earlier.mode == NameOf(connector::RunMode::kReplay)) {
      return Error(
          ErrorCode::kInvalidRequest,
          fmt::format("run {0} is a replay; go on with it by `pcw dlq replay --resume {0}`",
                      earlier.id));
    }
    row.resumed_from = earlier.id;
  }
  PCW_TRY(pg::Transaction transaction, pg::Transaction::Begin(connection, "start run", stop));
  PCW_TRY_OK(runs::AbandonOlderRuns(connection, row.connector_id, def.name, row.fence, stop));
  PCW_TRY_OK(runs::TakeMappingVersion(connection, row.connector_id, def.name, mapping.version,
                                      row.id, runs::OlderMapping::kRefuse, stop));
  PCW_TRY_OK(options.queued_run ? runs::BeginQueuedRun(connection, row, stop)
                                : runs::InsertRun(connection, row, stop));

  OpenRun run{.row = std::move(row),
              .cursor = {},
              .has_open_letters = false,
              .failed_before = {},
              .rows_present = 0,
              .accepted_drift = {},
              .kept_drift = {}};
  PCW_TRY(run.cursor,
          runs::LoadCursor(connection, run.row.connector_id, def.name, options.catalog, stop));
  PCW_TRY(run.rows_present, table.CountPresent(connection, options.catalog, stop));
  PCW_TRY(run.accepted_drift,
          tables::LoadAcceptedDrift(connection, run.row.connector_id, def.name, stop));
  PCW_TRY(run.kept_drift, tables::LoadKeptDrift(connection, run.row.connector_id, def.name, stop));
  dlq::DeadLetterFilter open_letters;
  open_letters.entity = def.name;
  open_letters.limit = 1;
  PCW_TRY(const auto letters,
          dlq::LoadDeadLetters(connection, options.tenant_id, open_letters, stop));
  run.has_open_letters = !letters.empty();
  if (run.has_open_letters) {
    PCW_TRY(run.failed_before,
            dlq::LoadOpenRecordKeys(connection, options.tenant_id, run.row.connector_id, def.name,
                                    options.catalog, dlq::Stage::kFetch, stop));
  }
  // Last: a run that has begun comes to its caller, who ends it whatever happens.
  PCW_TRY_OK(transaction.Commit());
  PCW_FAILPOINT("run.start.after");
  return run;
}

lake::Manifest MakeManifest(const connector::EntityDef& def, const connector::Mapping& mapping,
                            const OpenRun& run, const SyncOptions& options, const Scan& scan,
                            const PartCommitter& committer, WallTime ended,
                            const runs::RunStats& stats) {
  return {.run_id = run.row.id,
          .connector = std::string(def.connector->kind),
          .entity = std::string(def.name),
          .mode = std::string(NameOf(options.mode)),
          .catalog = options.catalog,
          .started_at = FormatRfc3339(run.row.started_at),
          .ended_at = FormatRfc3339(ended),
          .served_from = committer.served_from(),
          .mapping_version = mapping.version,
          .watermark_before = stats.watermark_before,
          .watermark_after = stats.watermark_after,
          .parts = committer.parts(),
          .pages = scan.pages()};
}

std::string TextOf(const std::optional<WallTime>& time) {
  return time ? FormatRfc3339(*time) : std::string();
}

/// An in-flight run: what RunSync's steps share.
class RunInFlight {
 public:
  RunInFlight(const connector::EntityDef& def, const connector::Mapping& mapping,
              const tables::EntityTable& table, const SyncOptions& options, SyncDeps& deps,
              const jobs::Lease& lease, OpenRun run, pg::Database& database, std::stop_token stop)
      : def_(def),
        mapping_(mapping),
        options_(options),
        deps_(deps),
        lease_(lease),
        run_(std::move(run)),
        table_(table),
        database_(database),
        started_(deps.clock.Steady()),
        committer_(def, mapping, table, deps.store,
                   pg::Database(deps.open, deps.sleeper, deps.clock), lease,
                   {.tenant_id = options.tenant_id,
                    .run_id = run_.row.id,
                    .connector_id = run_.row.connector_id,
                    .catalog = options.catalog,
                    .bronze_prefix = run_.row.bronze_prefix,
                    .mode = options.mode,
                    .accepts_older = options.accepts_older,
                    .changes = options.changes},
                   runs::RunStats{}, run_.has_open_letters,
                   {.accepted = run_.accepted_drift,
                    .kept = run_.kept_drift,
                    .stop_at_mismatch_percent = options.stop_at_mismatch_percent,
                    .stop_window = options.stop_window}),
        scan_(def, table, options, deps, database, committer_, run_.row.id,
              {.expected = run_.cursor.last_full_listed,
               .failed_before = {run_.failed_before.begin(), run_.failed_before.end()}},
              stop) {}

  RunOutcome Run() {
    Status scanned =
        options_.mode == connector::RunMode::kFetch ? FetchAndFinish() : ScanAndFinish();
    RunOutcome outcome{
        .run_id = run_.row.id, .status = status_, .stats = stats_, .error = std::nullopt};
    if (scanned) return outcome;
    FailRun(std::move(scanned).error(), outcome);
    return outcome;
  }

 private:
  runs::FetchScope Requested() const {
    return {.connector_id = run_.row.connector_id,
            .entity = std::string(def_.name),
            .catalog = options_.catalog};
  }

  /// Records that a person asked for. One that a call can name is fetched by it; others are taken
  /// out of the list.
  Status Refetch() {
    const connector::SourceDef& source = def_.sources.front();
    if (def_.sources.size() > 1 || source.detail == nullptr || !source.key_member.empty()) {
      return scan_.FetchListed(
          std::set<std::string>(options_.refetch.begin(), options_.refetch.end()));
    }
    std::vector<DetailTask> tasks;
    for (const std::string& id : options_.refetch)
      tasks.push_back({.source = &source, .id = id, .key = id, .listed_version = ""});
    return scan_.FetchAll(std::move(tasks));
  }

  Status FetchRequested() {
    using Requests = std::vector<runs::FetchRequest>;
    PCW_TRY(taken_, database_.Run<Requests>({}, [&](pg::Connection& connection) {
      return runs::LoadFetchRequests(connection, Requested(), {});
    }));
    std::vector<DetailTask> tasks;
    for (const runs::FetchRequest& request : taken_) {
      const connector::SourceDef* source = def_.SourceOf(request.operation);
      if (source == nullptr || source->detail == nullptr) continue;  // of another version of pcw
      tasks.push_back({.source = source,
                       .id = request.record_key,
                       .key = request.detail_key,
                       .listed_version = ""});
    }
    return scan_.FetchAll(std::move(tasks));
  }

  Status FetchAndFinish() {
    PCW_TRY_OK(options_.refetch.empty() ? FetchRequested() : Refetch());
    stats_ = Totals();
    stats_.finding = scan_.AbsenceFinding();
    PCW_ASSERT(stats_.AddsUp());
    status_ = stats_.dead_lettered > 0 ? connector::RunStatus::kPartial
                                       : connector::RunStatus::kSucceeded;
    PCW_TRY_OK(PutManifest());
    return database_.Run<Ok>(
        {}, [&](pg::Connection& connection) { return CommitFetchEnd(connection); });
  }

  /// The end of the run and of the requests it took, in one transaction.
  Status CommitFetchEnd(pg::Connection& connection) {
    PCW_FAILPOINT("fetch.finish.before");
    PCW_TRY(const runs::StoredRun stored, runs::LoadRun(connection, run_.row.id, {}));
    if (stored.status == NameOf(status_))
      return Ok{};  // an earlier COMMIT whose answer was lost (T8)
    PCW_TRY(pg::Transaction transaction, pg::Transaction::Begin(connection, "finish fetch"));
    PCW_TRY_OK(lease_.CheckFence(connection, {}));
    PCW_TRY_OK(runs::EndFetchRequests(connection, Requested(), taken_, {}));
    PCW_TRY_OK(EndRun(connection));
    PCW_TRY_OK(transaction.Commit());
    PCW_FAILPOINT("fetch.finish.after");
    return Ok{};
  }

  // A pass that stored nothing has nothing to vouch for; a full scan always says that it was whole.
  bool HasManifest() const {
    return options_.mode == connector::RunMode::kFull || !committer_.parts().empty();
  }

  Status EndRun(pg::Connection& connection) {
    PCW_TRY_OK(
        runs::FinishRun(connection, run_.row.id, status_, FormatStats(stats_), std::nullopt, {}));
    return HasManifest() ? Status(Ok{})
                         : NoteNoManifest(connection, run_.row.id, scan_.pages(), {});
  }

  Status PutManifest() {
    if (!HasManifest()) return Ok{};
    const lake::Manifest manifest =
        MakeManifest(def_, mapping_, run_, options_, scan_, committer_, deps_.clock.Now(), stats_);
    PCW_FAILPOINT("manifest.put.before");
    PCW_TRY_OK(deps_.store.Put(lake::ManifestKey(run_.row.bronze_prefix),
                               lake::FormatManifest(manifest), {}));
    PCW_FAILPOINT("manifest.put.after");
    return Ok{};
  }

  Status ScanAndFinish() {
    const bool is_full = options_.mode == connector::RunMode::kFull;
    std::optional<WallTime> after;
    if (!is_full && run_.cursor.watermark) {
      after = *run_.cursor.watermark -
              runs::OverlapOf(options_.overlap, options_.lag,
                              std::chrono::milliseconds(run_.cursor.longest_scan_ms));
    }
    PCW_TRY_OK(scan_.Run(after));

    const runs::ListingSize size = is_full ? runs::SizeOf(Listing()) : runs::ListingSize::kUsual;
    const bool is_believed = size == runs::ListingSize::kUsual;
    std::vector<std::string> missing;
    // Behind an item that does not say whose it is may stand any of them.
    if (is_full && is_believed && !scan_.has_unnamed()) {
      PCW_TRY(missing, scan_.ConfirmMissing());
    }

    const runs::Cursor cursor = CursorAfter(size);
    stats_ = Totals();
    stats_.records_missing = static_cast<std::int64_t>(missing.size());
    stats_.watermark_before = TextOf(run_.cursor.watermark);
    stats_.watermark_after = TextOf(cursor.watermark);
    stats_.finding = FindingOf(size);
    if (size == runs::ListingSize::kShrank) stats_.reason = "listing_shrank";
    if (size == runs::ListingSize::kEmpty) stats_.reason = "listed_nothing";
    PCW_ASSERT(stats_.AddsUp());
    status_ = stats_.dead_lettered > 0 || !is_believed ? connector::RunStatus::kPartial
                                                       : connector::RunStatus::kSucceeded;

    PCW_TRY_OK(PutManifest());
    return database_.Run<Ok>({}, [&](pg::Connection& connection) {
      return CommitEnd(connection, cursor, missing, is_believed);
    });
  }

  runs::FullListing Listing() const {
    return {.listed = scan_.listed(),
            .last_listed = run_.cursor.last_full_listed,
            .shrunk_listed = run_.cursor.shrunk_listed,
            .rows_present = run_.rows_present,
            .shrank_below_percent = options_.shrank_below_percent,
            .is_accepted = options_.accepts_shrink};
  }

  /// Where the next run begins. A listing that is not believed moves nothing: what it left out may
  /// have changed.
  runs::Cursor CursorAfter(runs::ListingSize size) const {
    runs::Cursor cursor = run_.cursor;
    // What a scan waited for, a quota above all, is not part of its length.
    const auto duration = std::chrono::ceil<std::chrono::milliseconds>(scan_.list_time());
    cursor.longest_scan_ms = std::max<std::int64_t>(cursor.longest_scan_ms, duration.count());
    if (size == runs::ListingSize::kShrank) cursor.shrunk_listed = scan_.listed();
    if (size != runs::ListingSize::kUsual) return cursor;
    if (def_.incremental == connector::Incremental::kByModifiedFilter)
      cursor.watermark =
          runs::AdvanceWatermark(cursor.watermark, scan_.observation(), options_.lag);
    cursor.last_full_listed = scan_.listed();
    cursor.shrunk_listed = -1;
    return cursor;
  }

  std::string FindingOf(runs::ListingSize size) const {
    switch (size) {
      case runs::ListingSize::kEmpty:
        return fmt::format(
            "the full scan listed nothing although {} records are held; absence was not counted: "
            "check catalog, account and permissions",
            run_.rows_present);
      case runs::ListingSize::kShrank:
        return fmt::format(
            "the full scan listed {} records, far fewer than before ({}); absence was not counted. "
            "If the next full scan lists as many, or with --accept-shrink, it is",
            scan_.listed(),
            run_.cursor.last_full_listed >= 0 ? run_.cursor.last_full_listed : run_.rows_present);
      case runs::ListingSize::kUsual:
        break;
    }
    return scan_.AbsenceFinding();
  }

  /// Watermark, absence and the end of the run, in one transaction.
  Status CommitEnd(pg::Connection& connection, const runs::Cursor& cursor,
                   const std::vector<std::string>& missing, bool is_believed) {
    PCW_FAILPOINT("finish.before");
    PCW_TRY(const runs::StoredRun stored, runs::LoadRun(connection, run_.row.id, {}));
    if (stored.status == NameOf(status_))
      return Ok{};  // an earlier COMMIT whose answer was lost (T8)
    PCW_TRY(pg::Transaction transaction, pg::Transaction::Begin(connection, "finish run"));
    PCW_TRY_OK(lease_.CheckFence(connection, {}));
    PCW_TRY_OK(runs::SaveCursor(connection, run_.row.connector_id, def_.name, options_.catalog,
                                cursor, options_.mode, run_.row.id, lease_.fence(), {}));
    if (options_.mode == connector::RunMode::kFull && is_believed && !scan_.has_unnamed()) {
      PCW_TRY_OK(table_.RecordAbsence(connection, options_.catalog, run_.row.id, missing, {}));
    }
    PCW_TRY_OK(committer_.LearnDrift(connection));
    PCW_TRY_OK(EndRun(connection));
    PCW_FAILPOINT("finish.commit.before");
    PCW_TRY_OK(transaction.Commit());
    PCW_FAILPOINT("finish.after");
    return Ok{};
  }

  /// Ends the run early: keeps what is fetched, says why, leaves the cursor where it was.
  void FailRun(Error error, RunOutcome& outcome) {
    // Losing the lease means that somebody else writes now: nothing more may be stored, not even
    // the end of this run.
    const bool is_fenced_off = lease_.lost().stop_requested();
    if (is_fenced_off)
      error = Error(ErrorCode::kConflict,
                    "the lease was lost to another process; it goes on with this entity");
    if (!is_fenced_off) {
      const Status flushed = scan_.Flush();
      // What ended the run is told as its error.
      if (!flushed && flushed.error().message() != error.message())
        LogError("what was fetched last could not be stored", flushed.error());
    }
    const bool is_stopped = error.code() == ErrorCode::kCancelled;
    const std::string stop_reason =
        is_stopped && deps_.stop_reason ? deps_.stop_reason() : std::string();
    outcome.status = is_stopped && stop_reason.empty() ? connector::RunStatus::kCancelled
                                                       : connector::RunStatus::kFailed;
    if (!stop_reason.empty()) {
      error = Error(ErrorCode::kCancelled,
                    fmt::format("the run was interrupted ({}); a later one goes on", stop_reason));
    }
    outcome.stats = Totals();
    outcome.stats.is_resumable = runs::IsResumable(error.code());
    outcome.stats.reason =
        stop_reason.empty() ? std::string(runs::ReasonTextOf(error)) : stop_reason;
    error.With("run_id", run_.row.id).With("entity", std::string(def_.name));
    if (!is_fenced_off) {
      Status ended = database_.Run<Ok>({}, [&](pg::Connection& connection) {
        return runs::FinishRun(connection, run_.row.id, outcome.status, FormatStats(outcome.stats),
                               error, {});
      });
      if (!ended)
        LogError("the end of the run could not be stored; the next run of the entity will mark it",
                 ended.error());
    }
    outcome.error = std::move(error);
  }

  std::chrono::milliseconds Elapsed() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(deps_.clock.Steady() - started_);
  }

  runs::RunStats Totals() const {
    runs::RunStats stats = committer_.committed();
    const CallTotals totals = scan_.totals();
    stats.api_calls = totals.api_calls;
    stats.throttles = totals.throttles;
    stats.retries = totals.retries;
    stats.pages = totals.pages;
    stats.bytes = totals.bytes;
    stats.elapsed_ms = Elapsed().count();
    return stats;
  }

  const connector::EntityDef& def_;
  const connector::Mapping& mapping_;
  const SyncOptions& options_;
  SyncDeps& deps_;
  const jobs::Lease& lease_;
  const OpenRun run_;
  const tables::EntityTable& table_;
  pg::Database& database_;
  const SteadyTime started_;
  PartCommitter committer_;
  Scan scan_;
  std::vector<runs::FetchRequest> taken_;  ///< of a run of mode fetch
  connector::RunStatus status_ = connector::RunStatus::kFailed;
  runs::RunStats stats_;
};

}  // namespace

Result<RunOutcome> RunSync(const connector::EntityDef& def, const connector::Mapping& mapping,
                           const SyncOptions& options, SyncDeps deps, std::stop_token stop) {
  PCW_TRY(const tables::EntityTable table, tables::EntityTable::Create(def, mapping));
  pg::Database database(deps.open, deps.sleeper, deps.clock);
  std::int64_t connector_id = 0;
  PCW_TRY(runs::DatabaseClock clock,
          database.Run<runs::DatabaseClock>(
              stop, [&](pg::Connection& connection) -> Result<runs::DatabaseClock> {
                PCW_TRY(connector_id, runs::UpsertConnector(connection, *def.connector, true,
                                                            options.connector_config_json, stop));
                return runs::DatabaseClock::Read(connection, deps.clock, stop);
              }));
  // From here on every time is the database's: of the run, of its folder, of what is fetched.
  SyncDeps timed{.open = deps.open,
                 .lease_connect = deps.lease_connect,
                 .caller = deps.caller,
                 .store = deps.store,
                 .clock = clock,
                 .sleeper = deps.sleeper,
                 .rng = deps.rng,
                 .on_progress = deps.on_progress,
                 .stop_reason = deps.stop_reason};
  const std::string run_id = options.queued_run.value_or(MakeUuidV7(clock.Now(), deps.rng));
  const LogScope scope({{"run_id", run_id},
                        {"tenant", options.tenant_id},
                        {"connector", std::string(def.connector->kind)},
                        {"entity", std::string(def.name)}});
  PCW_FAILPOINT("lease.before");
  PCW_TRY(
      const std::unique_ptr<jobs::Lease> lease,
      jobs::Lease::Acquire(deps.lease_connect,
                           {.tenant_id = options.tenant_id,
                            .connector_id = connector_id,
                            .entity = std::string(def.name)},
                           run_id, {.duration = options.lease}, deps.clock, deps.sleeper, stop));
  PCW_FAILPOINT("lease.after");
  // Behind the lease: runs of an entity follow each other in time as they do in fences.
  const WallTime started = clock.Now();

  // Either the caller or the loss of the lease ends the work.
  std::stop_source either;
  const std::stop_callback on_stop(stop, [&either] { either.request_stop(); });
  const std::stop_callback on_lost(lease->lost(), [&either] { either.request_stop(); });

  runs::NewRun row{
      .id = run_id,
      .connector_id = connector_id,
      .entity = std::string(def.name),
      .mode = options.mode,
      .catalog = options.catalog,
      .started_at = started,
      .fence = lease->fence(),
      .bronze_prefix = lake::RunPrefix(def.connector->lake_prefix, def.name, started, run_id),
      .resumed_from = std::nullopt};
  PCW_TRY(OpenRun run, database.Run<OpenRun>(stop, [&](pg::Connection& connection) {
    return StartRun(connection, def, mapping, table, row, options, either.get_token());
  }));
  return RunInFlight(def, mapping, table, options, timed, *lease, std::move(run), database,
                     either.get_token())
      .Run();
}

}  // namespace pcw::sync
