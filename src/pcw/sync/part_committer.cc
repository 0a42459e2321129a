#include "pcw/sync/part_committer.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/failpoint.h"
#include "pcw/base/json.h"
#include "pcw/connector/record_parser.h"
#include "pcw/lake/layout.h"
#include "pcw/runs/run_bronze.h"
#include "pcw/runs/run_store.h"
#include "pcw/tables/entity_sql.h"
#include "pcw/tables/refused_rows.h"

namespace pcw::sync {

/// A batch on its way to the database.
struct PartCommitter::Prepared {
  int part = 0;  ///< 0: nothing to store in bronze
  std::string bronze_key;
  Sha256Digest sha256{};
  std::uint64_t bytes = 0;
  std::vector<tables::MappedRecord> rows;
  std::vector<dlq::DeadLetter> letters;
  std::vector<std::string> failed;  ///< ids of fetched records that are among the dead letters
  connector::DriftFindings drift;
  std::vector<bool> is_mismatch;  ///< by record of the batch: it is a dead letter
  std::int64_t misfits = 0;       ///< values that did not fit their columns
  runs::RunStats before;          ///< counters without this batch
};

PartCommitter::PartCommitter(const connector::EntityDef& def, const connector::Mapping& mapping,
                             const tables::EntityTable& table, lake::BronzeStore& store,
                             pg::Database database, const jobs::Lease& lease, RunContext run,
                             runs::RunStats start, bool has_open_letters, DriftSettings drift)
    : def_(def),
      mapping_(mapping),
      table_(table),
      store_(store),
      database_(std::move(database)),
      lease_(lease),
      run_(std::move(run)),
      mapper_(mapping),
      observer_(def, mapping, std::move(drift.accepted), drift.kept),
      mismatches_(drift.stop_at_mismatch_percent, drift.stop_window),
      stop_at_mismatch_percent_(drift.stop_at_mismatch_percent),
      has_open_letters_(has_open_letters),
      stats_(std::move(start)) {
  const auto column =
      std::find_if(mapping.columns.begin(), mapping.columns.end(),
                   [&](const connector::ColumnMapping& c) { return c.column == def.id_column; });
  id_column_ = static_cast<std::size_t>(column - mapping.columns.begin());
  version_column_ = tables::PlaceOf(mapping, "source_version");
  worker_ = std::jthread([this](std::stop_token stop) { Work(stop); });
}

PartCommitter::~PartCommitter() = default;

Status PartCommitter::Enqueue(Batch batch, CallTotals totals) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return failure_ || (!next_ && !is_busy_); });
  if (failure_) return *failure_;
  next_.emplace(std::move(batch), totals);
  changed_.notify_all();
  return Ok{};
}

Status PartCommitter::Flush() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return failure_ || (!next_ && !is_busy_); });
  if (failure_) return *failure_;
  return Ok{};
}

runs::RunStats PartCommitter::committed() const {
  const std::lock_guard lock(mutex_);
  return stats_;
}

std::vector<SettledRecord> PartCommitter::TakeSettled() {
  const std::lock_guard lock(mutex_);
  return std::exchange(settled_, {});
}

std::string PartCommitter::served_from() const {
  const std::lock_guard lock(mutex_);
  return served_from_;
}

std::vector<lake::ManifestPart> PartCommitter::parts() const {
  const std::lock_guard lock(mutex_);
  return parts_;
}

void PartCommitter::Work(std::stop_token stop) {
  for (;;) {
    std::optional<std::pair<Batch, CallTotals>> work;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, stop, [this] { return next_.has_value() && !failure_; });
      if (!next_ || failure_) return;
      work = std::exchange(next_, std::nullopt);
      is_busy_ = true;
      changed_.notify_all();
    }
    std::optional<Error> failure;
    try {
      if (Status done = Commit(work->first, work->second); !done) failure = std::move(done).error();
    } catch (const std::exception& problem) {
      failure = Error(ErrorCode::kInternal,
                      fmt::format("unexpected exception while committing: {}", problem.what()));
    }
    {
      const std::lock_guard lock(mutex_);
      is_busy_ = false;
      if (failure) failure_ = std::move(failure);
      changed_.notify_all();
    }
    work.reset();
  }
}

Status PartCommitter::Commit(Batch& batch, const CallTotals& totals) {
  Prepared prepared;
  prepared.before = committed();
  prepared.before.api_calls = totals.api_calls;
  prepared.before.throttles = totals.throttles;
  prepared.before.retries = totals.retries;
  prepared.before.pages = totals.pages;
  prepared.before.bytes = totals.bytes;
  prepared.letters = std::move(batch.letters);
  for (std::size_t i = 0; i < batch.letter_ranks.size(); ++i)
    NoteFailed(prepared.letters[i].record_key, batch.letter_ranks[i]);
  if (!batch.records.empty()) {
    PCW_TRY_OK(PutPart(prepared, batch));
    if (Status mapped = MapAll(prepared, batch); !mapped) {
      PCW_TRY_OK(KeepFindings(prepared));
      return mapped;
    }
  }
  for (dlq::DeadLetter& letter : prepared.letters) Address(letter);

  Result<runs::RunStats> committed_stats = CommitRows(prepared, batch);
  for (int tries = 0; tries < tables::kMostIsolations && !committed_stats &&
                      committed_stats.error().code() == ErrorCode::kSchemaMismatch;
       ++tries) {
    // The server refused a row that the mapper let pass: find whose it is, keep that record as a
    // dead letter, commit the rest. More than once if others write to the table meanwhile.
    PCW_TRY_OK(IsolateRefused(prepared, batch));
    committed_stats = CommitRows(prepared, batch);
  }
  PCW_TRY(runs::RunStats after, std::move(committed_stats));
  for (const bool is_mismatch : prepared.is_mismatch) mismatches_.Note(is_mismatch);

  has_open_letters_ = has_open_letters_ || !prepared.letters.empty();
  {
    const std::lock_guard lock(mutex_);
    stats_ = std::move(after);
    if (prepared.part == 1) served_from_ = batch.records.front().served_at;
    for (const tables::MappedRecord& row : prepared.rows)
      settled_.push_back({.id = row.id, .has_failed = false});
    for (std::string& id : prepared.failed)
      settled_.push_back({.id = std::move(id), .has_failed = true});
    if (prepared.part > 0) {
      parts_.push_back({.key = prepared.bronze_key,
                        .sha256 = Hex(prepared.sha256),
                        .bytes = prepared.bytes,
                        .records = static_cast<int>(batch.records.size())});
    }
  }
  return CheckMismatches();
}

Status PartCommitter::CheckMismatches() const {
  if (!mismatches_.is_exceeded()) return Ok{};
  return Error(
             ErrorCode::kSchemaMismatch,
             fmt::format("{} records do not fit the mapping, more than "
                         "sync.stop_at_mismatch_percent ({}) allows; they are dead letters "
                         "(`pcw dlq list`); correct the mapping, or run again with a higher limit",
                         mismatches_.Worst(), stop_at_mismatch_percent_))
      .Because(Reason::kTooManyMismatches);
}

Status PartCommitter::PutPart(Prepared& prepared, const Batch& batch) {
  prepared.part = static_cast<int>(prepared.before.parts) + 1;
  prepared.bronze_key = lake::PartKey(run_.bronze_prefix, prepared.part);
  prepared.sha256 = Sha256(batch.part.text());
  prepared.bytes = batch.part.bytes();
  PCW_FAILPOINT("bronze.put.before");
  PCW_TRY_OK(store_.Put(prepared.bronze_key, batch.part.text(), {}));
  PCW_FAILPOINT("bronze.put.after");
  return Ok{};
}

Result<connector::Row> PartCommitter::MapOne(const Batch::Record& record,
                                             const lake::PartBuilder& part) {
  const connector::SourceDef& source = *record.source;
  const aws::Operation& operation =
      record.is_sparse || source.detail == nullptr ? *source.list : *source.detail;
  if (record.problem) return *record.problem;
  if (!record.line.malformed.empty()) return connector::MalformedRecord(record.line.malformed);
  observer_.Begin(record.id, record.line.line);
  PCW_TRY(connector::Row row,
          mapper_.MapRecord(
              {.payload = part.at(record.line.payload),
               .companion = part.at(record.line.companion),
               .companion_operation = source.companion != nullptr ? source.companion->name : "",
               .id = record.id,
               .version = record.version,
               .served_at = record.served_at,
               .operation = operation.name},
              &observer_));
  if (std::get<std::string>(row.values[id_column_]) != record.id) {
    return Error(ErrorCode::kSchemaMismatch,
                 "the detail answer is of another record than the one asked for");
  }
  PCW_TRY_OK(observer_.ObserveRow(row, operation.name, record.is_sparse));
  return row;
}

Status PartCommitter::MapAll(Prepared& prepared, const Batch& batch) {
  prepared.rows.reserve(batch.records.size());
  std::optional<Error> frozen;
  for (const Batch::Record& record : batch.records) {
    const lake::PartBuilder& part = batch.part;
    Result<connector::Row> row = MapOne(record, part);
    prepared.is_mismatch.push_back(!row);
    if (!row) {
      if (!frozen && row.error().Is(Reason::kSchemaFrozen)) frozen = row.error();
      prepared.letters.push_back(LetterFor(row.error(), prepared, record.id, record.line.line));
      prepared.failed.push_back(record.id);
      NoteFailed(record.id, record.source->rank);
      continue;
    }
    prepared.misfits += static_cast<std::int64_t>(row->misfits.size());
    const std::string_view listed = tables::ListedName(
        record.version, std::get<std::string>(row->values[version_column_]), record.served_at);
    prepared.rows.push_back({.id = record.id,
                             .row = std::move(*row),
                             .rank = record.source->rank,
                             .is_sparse = record.is_sparse,
                             .payload = part.at(record.line.payload),
                             .payload_sha256 = record.line.sha256,
                             .companion = part.at(record.line.companion),
                             .companion_sha256 = record.line.companion_sha256,
                             .bronze_key = prepared.bronze_key,
                             .bronze_line = record.line.line,
                             .listed_version = listed,
                             .accepts_older = run_.accepts_older});
  }
  prepared.drift = observer_.TakeFindings();
  if (frozen) return std::move(*frozen);
  return Ok{};
}

// What a frozen part found, without its rows.
Status PartCommitter::KeepFindings(const Prepared& prepared) {
  return database_.Run<Ok>({}, [&](pg::Connection& connection) -> Result<Ok> {
    PCW_TRY(pg::Transaction transaction, pg::Transaction::Begin(connection, "keep findings"));
    PCW_TRY_OK(lease_.CheckFence(connection, {}));
    PCW_TRY_OK(tables::SaveDrift(connection, Scope(), prepared.bronze_key, prepared.drift));
    return transaction.Commit();
  });
}

tables::DriftScope PartCommitter::Scope() const {
  return {.connector_id = run_.connector_id,
          .entity = def_.name,
          .catalog = run_.catalog,
          .run_id = run_.run_id};
}

Status PartCommitter::LearnDrift(pg::Connection& connection) const {
  return tables::LearnDrift(connection, Scope(), observer_.Tallies(), observer_.accepted());
}

void PartCommitter::NoteFailed(const std::string& id, int rank) {
  if (def_.sources.size() < 2) return;
  failed_ranks_.Note(id, rank);
}

dlq::DeadLetter PartCommitter::LetterFor(const Error& error, const Prepared& prepared,
                                         const std::string& id, int line) const {
  dlq::DeadLetter letter = dlq::MakeDeadLetter(error, dlq::Stage::kMap, id);
  letter.bronze_key = prepared.bronze_key;
  letter.bronze_line = line;
  letter.mapping_version = mapping_.version;
  return letter;
}

void PartCommitter::Address(dlq::DeadLetter& letter) const {
  letter.tenant_id = run_.tenant_id;
  letter.run_id = run_.run_id;
  letter.connector_id = run_.connector_id;
  letter.entity = def_.name;
  letter.catalog = run_.catalog;
}

Result<runs::RunStats> PartCommitter::CommitRows(Prepared& prepared, const Batch& batch) {
  bool is_repeat = false;
  return database_.Run<runs::RunStats>(
      {}, [&](pg::Connection& connection) -> Result<runs::RunStats> {
        if (is_repeat) {
          PCW_TRY(const std::optional<runs::RunStats> earlier, ReadBack(connection, prepared));
          if (earlier) return *earlier;
        }
        is_repeat = true;
        return TryCommitRows(connection, prepared, batch);
      });
}

Result<runs::RunStats> PartCommitter::TryCommitRows(pg::Connection& connection,
                                                    const Prepared& prepared, const Batch& batch) {
  PCW_FAILPOINT("commit.begin.before");
  PCW_TRY(pg::Transaction transaction, pg::Transaction::Begin(connection, "commit part"));
  PCW_TRY_OK(lease_.CheckFence(connection, {}));
  PCW_FAILPOINT("commit.begin.after");

  std::vector<tables::LandedChange> changes;
  PCW_TRY(const tables::MergeCounts merged,
          table_.Merge(connection, run_.catalog, run_.run_id, prepared.rows, {},
                       run_.changes != nullptr ? &changes : nullptr));
  if (!changes.empty()) {
    PCW_TRY_OK(run_.changes->OnChanges(connection,
                                       {.run_id = run_.run_id,
                                        .connector_id = run_.connector_id,
                                        .entity = def_.name,
                                        .catalog = run_.catalog,
                                        .mode = run_.mode},
                                       changes, {}));
  }
  PCW_FAILPOINT("commit.merge.after");
  // AWS gave the bytes of those that failed, so they are there, whatever is wrong with them (I6).
  std::vector<std::string> seen = batch.seen;
  seen.insert(seen.end(), prepared.failed.begin(), prepared.failed.end());
  PCW_TRY_OK(table_.MarkSeen(connection, run_.catalog, run_.run_id, seen, {}));
  if (!prepared.letters.empty()) PCW_TRY_OK(dlq::PutDeadLetters(connection, prepared.letters, {}));
  if (has_open_letters_ && !(prepared.rows.empty() && batch.absent.empty())) {
    std::vector<std::string> landed = batch.absent;
    landed.reserve(landed.size() + prepared.rows.size());
    for (const tables::MappedRecord& row : prepared.rows) {
      if (failed_ranks_.MaySettle(row.id, row.rank)) landed.push_back(row.id);
    }
    PCW_TRY_OK(dlq::SettleDeadLetters(connection, run_.tenant_id, run_.connector_id, def_.name,
                                      run_.catalog, landed, {}));
  }
  PCW_TRY_OK(tables::SaveDrift(connection, Scope(), prepared.bronze_key, prepared.drift));

  const runs::RunStats after =
      Counted(prepared.before, {.skipped = batch.skipped,
                                .duplicate = batch.duplicate,
                                .deferred = batch.deferred,
                                .absent = static_cast<std::int64_t>(batch.absent.size()),
                                .mapped = static_cast<std::int64_t>(prepared.rows.size()),
                                .merged = merged,
                                .dead_lettered = static_cast<std::int64_t>(prepared.letters.size()),
                                .misfits = prepared.misfits,
                                .part = prepared.part});
  if (prepared.part > 0) {
    if (prepared.part == 1) {
      PCW_TRY_OK(runs::SaveServedFrom(connection, run_.run_id,
                                      std::string(batch.records.front().served_at), {}));
    }
    PCW_TRY_OK(runs::InsertPart(connection, run_.run_id,
                                {.part = prepared.part,
                                 .bronze_key = prepared.bronze_key,
                                 .sha256_hex = Hex(prepared.sha256),
                                 .bytes = static_cast<std::int64_t>(prepared.bytes),
                                 .records = static_cast<std::int64_t>(batch.records.size())},
                                {}));
  }
  PCW_TRY_OK(runs::SaveStats(connection, run_.run_id, FormatStats(after), {}));
  PCW_FAILPOINT("commit.before");
  // A constraint that is deferred speaks only now.
  if (Status done = transaction.Commit(); !done)
    return tables::AsDataError(std::move(done).error());
  PCW_FAILPOINT("commit.after");
  return after;
}

Result<std::optional<runs::RunStats>> PartCommitter::ReadBack(pg::Connection& connection,
                                                              const Prepared& prepared) {
  if (prepared.part == 0)
    return std::optional<runs::RunStats>();  // repeating it gives the same rows and absolute
                                             // counters
  PCW_TRY(const auto stats, runs::StatsIfCommitted(connection, run_.run_id, prepared.part, {}));
  if (!stats) return std::optional<runs::RunStats>();
  PCW_TRY(const Json stored, ParseJson(*stats));
  return std::optional<runs::RunStats>(CountedBefore(prepared.before, stored, prepared.part));
}

Status PartCommitter::IsolateRefused(Prepared& prepared, const Batch& batch) {
  using Refused = std::vector<tables::RefusedRow>;
  Result<Refused> found =
      database_.Run<Refused>({}, [&](pg::Connection& connection) -> Result<Refused> {
        PCW_TRY(pg::Transaction transaction,
                pg::Transaction::Begin(connection, "find refused records"));
        return tables::FindRefusedRows(
            connection, prepared.rows.size(), [&](std::size_t begin, std::size_t end) -> Status {
              const std::span<const tables::MappedRecord> range(prepared.rows.data() + begin,
                                                                end - begin);
              PCW_TRY_OK(table_.Merge(connection, run_.catalog, run_.run_id, range, {}));
              return Ok{};
            });  // rolled back: this only asks
      });
  PCW_TRY(const Refused refused, std::move(found));
  for (auto row = refused.rbegin(); row != refused.rend(); ++row) {
    const auto place = prepared.rows.begin() + static_cast<std::ptrdiff_t>(row->index);
    prepared.letters.push_back(LetterFor(row->error, prepared, place->id, place->bronze_line));
    Address(prepared.letters.back());
    for (std::size_t i = 0; i < batch.records.size(); ++i) {
      if (batch.records[i].line.line == place->bronze_line) prepared.is_mismatch[i] = true;
    }
    prepared.failed.push_back(place->id);
    NoteFailed(place->id, place->rank);
    prepared.misfits -= static_cast<std::int64_t>(place->row.misfits.size());
    prepared.rows.erase(place);
  }
  return Ok{};
}

}  // namespace pcw::sync
