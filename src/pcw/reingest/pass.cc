#include "pcw/reingest/pass.h"

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "pcw/base/failpoint.h"
#include "pcw/base/log.h"
#include "pcw/base/storable_text.h"
#include "pcw/base/uuid.h"
#include "pcw/connector/record_parser.h"
#include "pcw/lake/layout.h"
#include "pcw/reingest/batch.h"
#include "pcw/reingest/catalogs.h"
#include "pcw/reingest/dead_letters.h"
#include "pcw/reingest/epochs.h"
#include "pcw/reingest/loader.h"
#include "pcw/reingest/order.h"
#include "pcw/reingest/rebuild.h"
#include "pcw/runs/job_verdict.h"
#include "pcw/tables/entity_columns.h"
#include "pcw/tables/held_digests.h"

namespace pcw::reingest {
namespace {

constexpr std::size_t kMostRejectedKept = 100;
constexpr std::int64_t kMostRecordsAnEpoch = 20'000;
// A replay that is killed repeats at most this, and one dead letter that PostgreSQL refuses delays
// no more than these.
constexpr std::size_t kMostRecordsAReplayBatch = 500;
constexpr std::size_t kMostBytesHeld = 24U << 20U;  // of objects that open batches look into

/// An in-flight re-ingest. Lives on the caller's thread, which plans, maps and encodes; a reader
/// thread is ahead of it, loader threads behind it.
class Reingest {
 public:
  Reingest(const ReingestPass& pass, std::stop_token stop)
      : def_(pass.def),
        mapping_(pass.mapping),
        table_(pass.table),
        options_(pass.options),
        deps_(pass.deps),
        database_(pass.database),
        lease_(pass.lease),
        connector_id_(pass.connector_id),
        stop_(std::move(stop)),
        mapper_(pass.mapping),
        started_(pass.deps.clock.Steady()),
        connections_(static_cast<std::size_t>(pass.options.connections)),
        batch_records_(pass.options.replay ? kMostRecordsAReplayBatch
                       : connections_ <= 1 ? 2000
                       : connections_ == 2 ? 1500
                                           : 1000),
        epochs_(pass.options, outcome_),
        batches_(connections_, ReingestBatch(pass.mapping)) {
    outcome_.run_id = pass.run_id;
  }

  ReingestOutcome Run(ReingestSelection selection, std::string after_key) {
    outcome_.completed_key = after_key;
    Status done = Load(selection, std::move(after_key));
    if (done && options_.is_rebuild) done = Swap();
    if (done && reads_whole_ && lease_ != nullptr && !options_.is_rebuild) done = ClearLeft();
    outcome_.stats.elapsed_ms = Elapsed().count();
    if (done) {
      const bool is_whole = outcome_.stats.dead_lettered == 0 && outcome_.rejected.empty();
      outcome_.status =
          is_whole ? connector::RunStatus::kSucceeded : connector::RunStatus::kPartial;
    } else {
      Fail(std::move(done).error());
    }
    PCW_ASSERT(outcome_.stats.AddsUp());
    if (lease_ != nullptr && !lease_->lost().stop_requested()) End();
    return std::move(outcome_);
  }

 private:
  static std::uint64_t HashOf(std::string_view id) { return tables::HeldDigests::HashOf(id); }

  Status Load(const ReingestSelection& selection, std::string after_key) {
    reads_whole_ = selection.is_all() && !options_.replay;
    PCW_TRY(ResolvedSelection resolved,
            database_.Run<ResolvedSelection>(stop_, [&](pg::Connection& connection) {
              return Resolve(connection, def_, connector_id_, selection, stop_);
            }));
    resolved.objects.after_key = std::move(after_key);
    filter_ = std::move(resolved.records);
    if (options_.replay) SelectLetters(resolved.objects);
    PCW_TRY_OK(LoadLetters());
    PCW_TRY(std::vector<lake::RunFolder> folders,
            lake::ListRunFolders(
                deps_.store, lake::EntityPrefix(def_.connector->lake_prefix, def_.name), stop_));
    PCW_TRY(folders, InServedOrder(std::move(folders), deps_.store, database_, connector_id_,
                                   def_.name, stop_));
    places_ = FolderPlaces(folders);
    if (options_.is_rebuild) {
      PCW_TRY(pg::Connection owner, deps_.open_owner(stop_));
      PCW_TRY_OK(MakeShadow(owner, def_, options_.tenant_id, stop_));
    }
    pool_ = std::make_unique<LoaderPool>(
        LoaderDeps{.table = table_,
                   .open = options_.is_rebuild ? deps_.open_owner : deps_.open,
                   .lease = lease_,
                   .tenant_id = options_.tenant_id,
                   .run_id = outcome_.run_id,
                   .connector_id = connector_id_,
                   .entity = std::string(def_.name),
                   .settles_letters = letters_.has_open(),
                   .is_replay = options_.replay.has_value(),
                   .places = &places_,
                   .mapping_version = mapping_.version,
                   .sleeper = deps_.sleeper,
                   .clock = deps_.clock},
        options_.connections);
    Status pumped = Pump(std::move(folders), std::move(resolved.objects));
    // Whatever ended it, batches that are under way are finished and counted.
    Status drained = pool_->Drain();
    Collect();
    pool_.reset();
    PCW_TRY_OK(drained);
    PCW_TRY_OK(pumped);
    return SaveProgress();
  }

  void SelectLetters(ObjectFilter& objects) {
    objects.keys = options_.replay->bronze_keys;
    filter_.is_by_id = true;
    filter_.id_hashes.clear();
    for (const std::string& id : options_.replay->record_keys)
      filter_.id_hashes.push_back(HashOf(id));
    std::sort(filter_.id_hashes.begin(), filter_.id_hashes.end());
  }

  Status LoadLetters() {
    const std::string entity(def_.name);
    PCW_TRY_OK(letters_.LoadPatches(database_, connector_id_, entity, stop_));
    if (!options_.replay) return letters_.LoadOpen(database_, connector_id_, entity, stop_);
    // What a replay takes are dead letters; others do not concern it.
    for (const std::uint64_t hash : filter_.id_hashes) letters_.Open(hash);
    return Ok{};
  }

  Status Pump(std::vector<lake::RunFolder> folders, ObjectFilter filter) {
    BronzeReader reader(deps_.store, std::move(folders), std::move(filter), stop_);
    for (;;) {
      if (stop_.stop_requested()) return Error(ErrorCode::kCancelled, "stopped");
      PCW_TRY(std::optional<ReadObject> object, reader.Next());
      if (!object && stop_.stop_requested()) return Error(ErrorCode::kCancelled, "stopped");
      if (!object) return CloseEpoch();
      ++outcome_.objects;
      const std::string key = object->key;
      if (object->rejected) {
        Reject(key, *object->rejected);
      } else {
        PCW_TRY_OK(TakeObject(std::make_shared<const ReadObject>(std::move(*object))));
      }
      epochs_.AddObject(key);
      Report();
      if (IsDue()) PCW_TRY_OK(CloseEpoch());
    }
  }

  void Reject(const std::string& key, const std::string& reason) {
    Log(LogLevel::kWarn, "bronze object rejected", {{"key", key}, {"reason", reason}});
    ++outcome_.objects_rejected;
    if (outcome_.rejected.size() < kMostRejectedKept) outcome_.rejected.push_back({key, reason});
  }

  bool IsDue() const {
    return epochs_.open_records() >= kMostRecordsAnEpoch || held_bytes_ >= kMostBytesHeld ||
           std::any_of(batches_.begin(), batches_.end(),
                       [this](const ReingestBatch& batch) { return batch.is_due(batch_records_); });
  }

  // Lines that cannot be taken although their object can. True if this one is to be left out.
  bool RejectsLine(const std::string& key, const lake::ScannedLine& line) {
    if (def_.SourceOf(line.operation) != nullptr) return false;
    Reject(key, fmt::format("line {}: {} is not an operation that {} come from", line.line,
                            line.operation, def_.name));
    return true;
  }

  Status TakeObject(const std::shared_ptr<const ReadObject>& read) {
    const ReadObject& object = *read;
    if (!IsUuid(object.run_id)) {
      Reject(object.key,
             fmt::format("its run folder names no run: \"{}\" is not a UUID", object.run_id));
      return Ok{};
    }
    for (const lake::UnreadableLine& line : object.part.unreadable) Reject(object.key, line.why);
    PCW_TRY(const std::string catalog, catalogs_.CatalogOf(database_, object, stop_));
    if (catalog != "AWS" && catalog != "Sandbox") {
      Reject(object.key, catalog.empty()
                             ? "no manifest, no run in the database and no member of its records "
                               "tells the catalog"
                             : fmt::format("\"{}\" is not a catalog", CutAtCharacter(catalog, 40)));
      return Ok{};
    }
    if (catalog != catalog_) {
      PCW_TRY_OK(CloseEpoch());
      catalog_ = catalog;
      // Nothing held, nothing to look for: what comes in two versions is left to the merge.
      PCW_TRY(const bool is_empty, IsTableEmpty());
      looks_first_ = !is_empty;
      PCW_TRY_OK(ReadDigests());
      PCW_TRY(accepted_, LoadAccepted());
    }
    outcome_.stats.bytes += static_cast<std::int64_t>(object.text.size());
    std::vector<const lake::ScannedLine*> lines, asked;
    lines.reserve(object.part.lines.size());
    for (const lake::ScannedLine& line : object.part.lines) {
      if (!filter_.Takes(line) || RejectsLine(object.key, line)) continue;
      if (IsOverruled(line, object.key)) {
        epochs_.AddUnchanged();
        continue;
      }
      lines.push_back(&line);
      if (!IsKnownUnchanged(line)) asked.push_back(&line);
    }
    PCW_TRY(const std::vector<tables::HeldVersion> held, FindHeld(asked));
    auto next = held.begin();
    for (std::size_t i = 0, place = 0; i < lines.size(); ++i) {
      const bool is_asked = place < asked.size() && asked[place] == lines[i];
      const bool has_answer = is_asked && next != held.end() && next->place == place;
      const tables::HeldVersion* known = has_answer ? &*next++ : nullptr;
      if (is_asked) ++place;
      const std::uint64_t hash = HashOf(lines[i]->id);
      // An earlier line of this object may have changed what was known when the table was asked.
      const bool is_left_alone = is_asked ? known != nullptr && known->is_same && !IsInMotion(hash)
                                          : IsKnownUnchanged(*lines[i]);
      if (is_left_alone) {
        epochs_.AddUnchanged();
        continue;
      }
      PCW_TRY_OK(TakeRecord(read, *lines[i], hash, known));
      const bool is_cut = i + 1 < lines.size() && i % 100 == 0 && IsDue();
      if (is_cut) PCW_TRY_OK(CloseEpoch());
    }
    return Ok{};
  }

  // Versions that an operator accepted though they were older than what was held: by record, where
  // they lie in bronze. A rebuild comes to them in their order.
  Result<std::map<std::string, std::string, std::less<>>> LoadAccepted() {
    std::map<std::string, std::string, std::less<>> accepted;
    if (options_.is_rebuild) return accepted;
    PCW_TRY(const pg::Rows rows,
            database_.Exec(
                {"reingest_accepted",
                 fmt::format("SELECT {}, accepted_key FROM {} WHERE tenant_id = pcw_tenant() AND "
                             "catalog = $1 AND accepted_key IS NOT NULL",
                             def_.id_column, def_.table)},
                {catalog_}, stop_));
    for (std::size_t row = 0; row < rows.size(); ++row)
      accepted.emplace(rows.Text(row, 0), rows.Text(row, 1));
    return accepted;
  }

  // What runs before an accepted version fetched does not count any more.
  bool IsOverruled(const lake::ScannedLine& line, const std::string& key) const {
    if (accepted_.empty()) return false;
    const auto found = accepted_.find(line.id);
    return found != accepted_.end() && places_.IsEarlierRun(key, found->second);
  }

  // What was read of the table is old news for a record that is on its way to it, and one with an
  // open dead letter is looked at again.
  bool IsInMotion(std::uint64_t hash) const {
    return epochs_.IsInFlight(hash) || letters_.IsOpen(hash);
  }

  bool IsKnownUnchanged(const lake::ScannedLine& line) const {
    if (digests_ == nullptr) return false;
    const std::uint64_t hash = HashOf(line.id);
    return digests_->Holds(hash, VersionOf(line)) && !IsInMotion(hash);
  }

  tables::KnownVersion VersionOf(const lake::ScannedLine& line) const {
    return {.id = line.id,
            .sha256 = line.sha256,
            .companion_sha256 = line.companion_sha256,
            .has_companion = !line.companion.empty(),
            .rank = def_.SourceOf(line.operation)->rank};
  }

  // Once for each catalog: of what is sent later, the digests are forgotten.
  Status ReadDigests() {
    digests_ = nullptr;
    if (!looks_first_ || !reads_whole_) return Ok{};
    const auto [found, is_new] = digests_by_catalog_.try_emplace(catalog_);
    if (is_new) {
      PCW_TRY(found->second, tables::HeldDigests::Load(database_, table_, catalog_, stop_));
    }
    if (found->second) digests_ = &*found->second;
    return Ok{};
  }

  Result<bool> IsTableEmpty() {
    if (options_.is_rebuild) return true;  // the shadow begins empty
    return database_.Run<bool>(stop_, [&](pg::Connection& connection) {
      return table_.IsEmpty(connection, catalog_, stop_);
    });
  }

  Result<std::vector<tables::HeldVersion>> FindHeld(
      const std::vector<const lake::ScannedLine*>& lines) {
    if (!looks_first_) return std::vector<tables::HeldVersion>();
    std::vector<tables::KnownVersion> versions;
    versions.reserve(lines.size());
    for (const lake::ScannedLine* line : lines) versions.push_back(VersionOf(*line));
    return database_.Run<std::vector<tables::HeldVersion>>(stop_, [&](pg::Connection& connection) {
      return table_.FindHeld(connection, catalog_, versions, stop_);
    });
  }

  // Keeps a replay to its rate; what is gathered is committed by its own rules.
  Status KeepPace() {
    if (!options_.replay || options_.replay->records_per_second <= 0) return Ok{};
    const SteadyTime due =
        started_ +
        std::chrono::microseconds(++paced_ * 1'000'000 / options_.replay->records_per_second);
    const SteadyTime now = deps_.clock.Steady();
    if (due <= now) return Ok{};
    if (!deps_.sleeper.SleepFor(std::chrono::duration_cast<std::chrono::microseconds>(due - now),
                                stop_))
      return Error(ErrorCode::kCancelled, "stopped");
    return Ok{};
  }

  Status TakeRecord(const std::shared_ptr<const ReadObject>& object,
                    const lake::ScannedLine& stored, std::uint64_t hash,
                    const tables::HeldVersion* held) {
    PCW_TRY_OK(KeepPace());
    Result<std::string> patched = letters_.Patched(object->key, stored);
    lake::ScannedLine line = stored;
    if (patched && !patched->empty()) {
      held_bytes_ += patched->size();
      // The digest stays that of what AWS said.
      line.payload = patched_.emplace_back(std::move(*patched));
    }
    ReingestBatch& batch = batches_[(hash >> 17U) % connections_];
    const connector::SourceDef& source = *def_.SourceOf(line.operation);
    Result<connector::Row> row = patched ? MapLine(line) : Result<connector::Row>(patched.error());
    if (row && !batch.IsOf(line.id, def_, mapping_, *row)) {
      row = Error(ErrorCode::kSchemaMismatch,
                  "the detail answer is of another record than the one asked for");
    }
    const bool is_outdated = row && !line.accepts_older && held != nullptr && !held->is_same &&
                             !options_.is_dry_run && !letters_.IsOpen(hash) &&
                             table_.IsOutdated(*row, source.rank, *held);
    if (is_outdated) {
      epochs_.AddUnchanged();
      return Ok{};
    }
    epochs_.AddSent(hash);
    if (digests_ != nullptr) digests_->Forget(hash);
    if (!row) {
      dlq::DeadLetter letter =
          dlq::MakeDeadLetter(row.error(), dlq::Stage::kMap, std::string(line.id));
      letter.tenant_id = options_.tenant_id;
      letter.run_id = outcome_.run_id;
      letter.connector_id = connector_id_;
      letter.entity = def_.name;
      letter.catalog = catalog_;
      letter.bronze_key = object->key;
      letter.bronze_line = line.line;
      letter.mapping_version = mapping_.version;
      letter.is_replay = options_.replay.has_value();
      if (options_.replay && options_.replay->on_fate)
        options_.replay->on_fate({.record_key = std::string(line.id),
                                  .outcome = dlq::ReplayOutcome::kFails,
                                  .error = letter.error});
      batch.Add(std::move(letter));
      NoteLetter(hash);
      return Ok{};
    }
    epochs_.AddMisfits(row->misfits.size());
    batch.Add(object->key, line, std::move(*row), source);
    if (!held_objects_.empty() && held_objects_.back() == object) return Ok{};
    held_objects_.push_back(object);
    held_bytes_ += object->text.size();
    return Ok{};
  }

  Result<connector::Row> MapLine(const lake::ScannedLine& line) {
    if (!line.malformed.empty()) return connector::MalformedRecord(line.malformed);
    return mapper_.MapRecord({.payload = line.payload,
                              .companion = line.companion,
                              .companion_operation = line.companion_operation,
                              .id = line.id,
                              .version = line.version,
                              .served_at = line.served_at});
  }

  void NoteLetter(std::uint64_t hash) {
    if (!letters_.has_open()) pool_->SettleLetters();
    letters_.Open(hash);
  }

  // Hands what is open to the loaders.
  Status CloseEpoch() {
    std::vector<std::pair<std::size_t, LoadBatch>> ready;
    for (std::size_t loader = 0; loader < batches_.size(); ++loader) {
      if (batches_[loader].is_empty()) continue;
      PCW_TRY(LoadBatch batch, batches_[loader].Encode(table_, pool_->TakeSpare()));
      batch.epoch = epochs_.open_number();
      batch.catalog = catalog_;
      ready.emplace_back(loader, std::move(batch));
    }
    held_objects_.clear();
    patched_.clear();
    held_bytes_ = 0;
    epochs_.Close(ready.size());
    for (auto& [loader, batch] : ready) PCW_TRY_OK(pool_->Submit(loader, std::move(batch)));
    if (Collect()) return SaveProgress();
    return Ok{};
  }

  // Takes in what the loaders have done. True if that is progress.
  bool Collect() {
    const std::vector<LoadResult> results = pool_->TakeResults();
    for (const LoadResult& result : results) {
      for (const std::string& id : result.refused) NoteLetter(HashOf(id));
    }
    return epochs_.Take(results);
  }

  Status SaveProgress() {
    if (lease_ == nullptr) return Ok{};
    outcome_.stats.elapsed_ms = Elapsed().count();
    Status saved = database_.Run<Ok>({}, [&](pg::Connection& connection) -> Result<Ok> {
      PCW_TRY(pg::Transaction transaction,
              pg::Transaction::Begin(connection, "re-ingest progress"));
      PCW_TRY_OK(runs::SaveStats(connection, outcome_.run_id, FormatStats(outcome_, options_), {}));
      PCW_TRY_OK(lease_->CheckFence(connection, {}));
      PCW_TRY_OK(transaction.Commit());
      return Ok{};
    });
    PCW_TRY_OK(saved);
    PCW_FAILPOINT("reingest.progress.after");
    return Ok{};
  }

  Status Swap() {
    PCW_TRY(pg::Connection owner, deps_.open_owner(stop_));
    PCW_TRY(const tables::ColumnCheck check,
            database_.Run<tables::ColumnCheck>(stop_, [&](pg::Connection& connection) {
              return tables::CheckColumns(connection, def_, mapping_, stop_);
            }));
    return SwapShadow(owner, def_, *lease_, check.owners, options_.expect_lost, stop_);
  }

  // Columns that left the mapping: in a table that is made anew they are empty (I9).
  Status ClearLeft() {
    PCW_TRY(
        const std::int64_t rows,
        database_.Run<std::int64_t>(stop_, [&](pg::Connection& connection) -> Result<std::int64_t> {
          PCW_TRY(pg::Transaction transaction,
                  pg::Transaction::Begin(connection, "clear columns", stop_));
          PCW_TRY(const tables::ColumnCheck check,
                  tables::CheckColumns(connection, def_, mapping_, stop_));
          PCW_TRY(const std::int64_t cleared,
                  tables::ClearColumns(connection, def_, check.left, stop_));
          PCW_TRY_OK(lease_->CheckFence(connection, stop_));
          PCW_TRY_OK(transaction.Commit());
          return cleared;
        }));
    if (rows > 0)
      Log(LogLevel::kInfo, "columns that left the mapping are emptied",
          {{"rows", std::to_string(rows)}});
    return Ok{};
  }

  void Fail(Error error) {
    outcome_.status = error.code() == ErrorCode::kCancelled ? connector::RunStatus::kCancelled
                                                            : connector::RunStatus::kFailed;
    if (lease_ != nullptr && lease_->lost().stop_requested())
      error = Error(ErrorCode::kConflict,
                    "the lease was lost to another process; it goes on with this entity");
    outcome_.stats.is_resumable =
        runs::IsResumable(error.code()) && !options_.is_rebuild && !options_.replay;
    outcome_.stats.reason = std::string(runs::ReasonTextOf(error));
    error.With("entity", std::string(def_.name));
    if (!outcome_.run_id.empty()) error.With("run_id", outcome_.run_id);
    outcome_.error = std::move(error);
  }

  void End() {
    PCW_FAILPOINT("reingest.finish.before");
    Status ended = database_.Run<Ok>({}, [&](pg::Connection& connection) {
      return runs::FinishRun(connection, outcome_.run_id, outcome_.status,
                             FormatStats(outcome_, options_), outcome_.error, {});
    });
    PCW_FAILPOINT("reingest.finish.after");
    // An earlier attempt whose answer was lost has ended it (T8).
    if (!ended && ended.error().code() != ErrorCode::kConflict)
      LogError("the end of the run could not be stored; the next run of the entity will mark it",
               ended.error());
  }

  void Report() {
    if (!deps_.on_progress) return;
    const runs::RunStats& stats = outcome_.stats;
    deps_.on_progress({.run_id = outcome_.run_id,
                       .settled = stats.records_listed,
                       .skipped = stats.rows_unchanged,
                       .dead_letters = stats.dead_lettered,
                       .elapsed = Elapsed()});
  }

  std::chrono::milliseconds Elapsed() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(deps_.clock.Steady() - started_);
  }

  const connector::EntityDef& def_;
  const connector::Mapping& mapping_;
  const tables::BulkTable& table_;
  const ReingestOptions& options_;
  ReingestDeps& deps_;
  pg::Database& database_;
  const jobs::Lease* lease_;
  const std::int64_t connector_id_;
  std::stop_token stop_;
  connector::Mapper mapper_;
  const SteadyTime started_;
  const std::size_t connections_;
  const std::size_t batch_records_;

  RecordFilter filter_;
  std::string catalog_;
  bool reads_whole_ = false;  // all bronze of the entity
  std::map<std::string, std::optional<tables::HeldDigests>> digests_by_catalog_;
  tables::HeldDigests* digests_ = nullptr;  // of catalog_
  bool looks_first_ = false;  // the table held something of this catalog to begin with
  std::int64_t paced_ = 0;
  RunCatalogs catalogs_;
  ReingestLetters letters_;
  ReingestEpochs epochs_;
  std::vector<ReingestBatch> batches_;                           // open, one a loader
  std::vector<std::shared_ptr<const ReadObject>> held_objects_;  // whose records are in batches_
  std::deque<std::string> patched_;  // payloads of records in batches_ that have a patch
  std::size_t held_bytes_ = 0;
  FolderPlaces places_;
  std::map<std::string, std::string, std::less<>> accepted_;  // of catalog_
  std::unique_ptr<LoaderPool> pool_;
  ReingestOutcome outcome_;
};

}  // namespace

ReingestOutcome RunPass(const ReingestPass& pass, ReingestSelection selection,
                        std::string after_key, std::stop_token stop) {
  return Reingest(pass, std::move(stop)).Run(std::move(selection), std::move(after_key));
}

}  // namespace pcw::reingest
