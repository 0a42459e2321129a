#include "pcw/reingest/loader.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "pcw/base/failpoint.h"
#include "pcw/dlq/replay_letters.h"
#include "pcw/tables/entity_sql.h"
#include "pcw/tables/refused_rows.h"

namespace pcw::reingest {

struct LoaderPool::Loader {
  pg::Database database;
  std::optional<LoadBatch> next;  // guarded by the pool's mutex
  bool is_busy = false;           // guarded by the pool's mutex
  std::jthread thread;
};

LoaderPool::LoaderPool(LoaderDeps deps, int threads)
    : deps_(std::move(deps)), settles_letters_(deps_.settles_letters) {
  for (int i = 0; i < threads; ++i) {
    loaders_.push_back(std::make_unique<Loader>(
        Loader{.database = pg::Database(deps_.open, deps_.sleeper, deps_.clock),
               .next = std::nullopt,
               .thread = {}}));
    Loader& loader = *loaders_.back();
    loader.thread = std::jthread([this, &loader](std::stop_token stop) { Work(loader, stop); });
  }
}

LoaderPool::~LoaderPool() = default;

Status LoaderPool::Submit(std::size_t loader, LoadBatch batch) {
  Loader& chosen = *loaders_[loader];
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return failure_ || !chosen.next; });
  if (failure_) return *failure_;
  chosen.next = std::move(batch);
  changed_.notify_all();
  return Ok{};
}

std::vector<LoadResult> LoaderPool::TakeResults() {
  const std::lock_guard lock(mutex_);
  return std::exchange(results_, {});
}

Status LoaderPool::Drain() {
  std::unique_lock lock(mutex_);
  // Every loader comes to rest before an error is told: its work may have been committed.
  changed_.wait(lock, [&] {
    return std::all_of(loaders_.begin(), loaders_.end(), [&](const auto& loader) {
      return !loader->is_busy && (!loader->next || failure_);
    });
  });
  if (failure_) return *failure_;
  return Ok{};
}

std::string LoaderPool::TakeSpare() {
  const std::lock_guard lock(mutex_);
  if (spares_.empty()) return {};
  std::string spare = std::move(spares_.back());
  spares_.pop_back();
  return spare;
}

void LoaderPool::SettleLetters() {
  const std::lock_guard lock(mutex_);
  settles_letters_ = true;
}

void LoaderPool::Work(Loader& loader, std::stop_token stop) {
  for (;;) {
    LoadBatch batch;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, stop, [&] { return loader.next && !failure_; });
      if (stop.stop_requested() || !loader.next || failure_) return;
      batch = std::move(*std::exchange(loader.next, std::nullopt));
      loader.is_busy = true;
      changed_.notify_all();
    }
    Result<LoadResult> result = [&]() -> Result<LoadResult> {
      try {
        return Load(loader.database, batch);
      } catch (const std::exception& problem) {
        return Error(ErrorCode::kInternal,
                     fmt::format("unexpected exception while merging: {}", problem.what()));
      }
    }();
    const std::lock_guard lock(mutex_);
    // Memory that goes back to the system has to be made anew, page by page, for the next batch.
    if (!batch.rounds.empty() && spares_.size() < loaders_.size())
      spares_.push_back(std::move(batch.rounds.front().copy));
    loader.is_busy = false;
    if (result) {
      results_.push_back(std::move(*result));
    } else if (!failure_) {
      failure_ = std::move(result).error();
    }
    changed_.notify_all();
  }
}

Result<LoadResult> LoaderPool::Load(pg::Database& database, LoadBatch& batch) {
  const auto attempt = [&](pg::Connection& connection) {
    return deps_.lease != nullptr ? Commit(connection, batch) : Compare(connection, batch);
  };
  PCW_FAILPOINT("reingest.batch.before");
  Result<LoadResult> result = database.Run<LoadResult>({}, attempt);
  LoadResult refused;
  // More than once if another loader writes what a unique index does not allow twice.
  for (int tries = 0; tries < tables::kMostIsolations && !result &&
                      result.error().code() == ErrorCode::kSchemaMismatch;
       ++tries) {
    PCW_TRY_OK(IsolateRefused(database, batch, refused));
    result = database.Run<LoadResult>({}, attempt);
  }
  if (result) result->refused = std::move(refused.refused);
  return result;
}

Result<LoadResult> LoaderPool::Commit(pg::Connection& connection, const LoadBatch& batch) {
  PCW_TRY(pg::Transaction transaction, pg::Transaction::Begin(connection, "re-ingest batch"));
  LoadResult result{.epoch = batch.epoch, .refused = {}, .landed = {}, .comparison = {}};
  if (!batch.rounds.empty()) PCW_TRY_OK(deps_.table.PrepareMerge(connection, {}));
  for (const tables::EncodedRows& round : batch.rounds) {
    PCW_TRY(const tables::MergeCounts merged,
            deps_.table.Merge(connection, batch.catalog, round.copy, round.left_alone, {}));
    result.inserted += merged.inserted;
    result.updated += merged.updated;
  }
  if (!batch.letters.empty()) PCW_TRY_OK(dlq::PutDeadLetters(connection, batch.letters, {}));
  bool settles = !batch.letters.empty();
  {
    const std::lock_guard lock(mutex_);
    settles = settles || settles_letters_;
  }
  if (settles) PCW_TRY_OK(Settle(connection, batch));
  result.processed = static_cast<std::int64_t>(batch.records.size());
  result.dead_lettered = static_cast<std::int64_t>(batch.letters.size());
  result.unchanged = result.processed - result.inserted - result.updated;
  PCW_FAILPOINT("reingest.commit.before");
  PCW_TRY_OK(deps_.lease->CheckFence(connection, {}));
  // A constraint that is deferred speaks only now.
  if (Status done = transaction.Commit(); !done)
    return tables::AsDataError(std::move(done).error());
  PCW_FAILPOINT("reingest.commit.after");
  return result;
}

Result<LoadResult> LoaderPool::Compare(pg::Connection& connection, const LoadBatch& batch) {
  PCW_TRY(pg::Transaction transaction, pg::Transaction::Begin(connection, "re-ingest dry run"));
  LoadResult result{.epoch = batch.epoch, .refused = {}, .landed = {}, .comparison = {}};
  result.comparison.wants_changed_ids = deps_.is_replay;
  if (!batch.rounds.empty()) PCW_TRY_OK(deps_.table.PrepareStaging(connection, {}));
  for (const tables::EncodedRows& round : batch.rounds) {
    PCW_TRY_OK(deps_.table.Stage(connection, batch.catalog, round.copy, round.left_alone, {}));
    PCW_TRY_OK(deps_.table.CompareStaged(connection, batch.catalog, result.comparison, {}));
  }
  result.processed = static_cast<std::int64_t>(batch.records.size());
  result.dead_lettered = static_cast<std::int64_t>(batch.letters.size());
  if (deps_.is_replay) {
    for (const LoadBatch::Record& record : batch.records) result.landed.push_back(record.id);
  }
  return result;  // rolled back
}

Status LoaderPool::Settle(pg::Connection& connection, const LoadBatch& batch) {
  if (batch.records.empty()) return Ok{};
  std::vector<std::string> ids;
  std::unordered_multimap<std::string_view, const LoadBatch::Record*> landed;
  for (const LoadBatch::Record& record : batch.records) {
    ids.push_back(record.id);
    landed.emplace(record.id, &record);
  }
  PCW_TRY(const auto open, dlq::LettersOfRecords(connection, deps_.connector_id, deps_.entity,
                                                 batch.catalog, ids, {}));
  std::vector<std::string> settled;
  for (const dlq::LetterInBronze& letter : open) {
    // Only what failed of these bytes or of earlier ones is settled: an older version that lands is
    // no answer to a newer one that did not.
    const auto [begin, end] = landed.equal_range(letter.record_key);
    const bool is_answered = std::any_of(begin, end, [&](const auto& entry) {
      const std::string& key = batch.keys[entry.second->key];
      return (letter.bronze_key == key && letter.bronze_line == entry.second->line) ||
             deps_.places->IsEarlierRun(letter.bronze_key, key);
    });
    if (is_answered) settled.push_back(letter.id);
  }
  if (settled.empty()) return Ok{};
  return dlq::SettleLetters(connection, settled, {});
}

Status LoaderPool::IsolateRefused(pg::Database& database, LoadBatch& batch, LoadResult& result) {
  using Refused = std::vector<std::vector<tables::RefusedRow>>;  // by round
  Result<Refused> found =
      database.Run<Refused>({}, [&](pg::Connection& connection) -> Result<Refused> {
        PCW_TRY(pg::Transaction transaction,
                pg::Transaction::Begin(connection, "find refused records"));
        PCW_TRY_OK(deps_.table.PrepareMerge(connection, {}));
        Refused all;
        for (const tables::EncodedRows& round : batch.rounds) {
          const tables::MergeRange merge = [&](std::size_t begin, std::size_t end) -> Status {
            PCW_TRY_OK(deps_.table.Merge(connection, batch.catalog, round.Slice(begin, end),
                                         round.left_alone, {}));
            return Ok{};
          };
          PCW_TRY(all.emplace_back(),
                  tables::FindRefusedRows(connection, round.offsets.size(), merge));
        }
        return all;  // rolled back: this only asks
      });
  PCW_TRY(const Refused refused, std::move(found));
  std::vector<std::size_t> gone;  // places in batch.records
  for (std::size_t i = 0; i < refused.size(); ++i) {
    tables::EncodedRows& round = batch.rounds[i];
    std::vector<std::size_t> rows;
    for (const tables::RefusedRow& row : refused[i]) {
      rows.push_back(row.index);
      gone.push_back(round.records[row.index]);
      batch.letters.push_back(LetterFor(batch, batch.records[gone.back()], row.error));
    }
    if (!rows.empty()) round = round.Without(rows);
  }
  std::erase_if(batch.rounds,
                [](const tables::EncodedRows& round) { return round.offsets.empty(); });
  std::sort(gone.rbegin(), gone.rend());
  for (const std::size_t place : gone) {
    result.refused.push_back(batch.records[place].id);
    batch.records.erase(batch.records.begin() + static_cast<std::ptrdiff_t>(place));
  }
  return Ok{};
}

dlq::DeadLetter LoaderPool::LetterFor(const LoadBatch& batch, const LoadBatch::Record& record,
                                      const Error& error) const {
  dlq::DeadLetter letter = dlq::MakeDeadLetter(error, dlq::Stage::kMap, record.id);
  letter.tenant_id = deps_.tenant_id;
  letter.run_id = deps_.run_id;
  letter.connector_id = deps_.connector_id;
  letter.entity = deps_.entity;
  letter.catalog = batch.catalog;
  letter.bronze_key = batch.keys[record.key];
  letter.bronze_line = record.line;
  letter.mapping_version = deps_.mapping_version;
  letter.is_replay = deps_.is_replay;
  return letter;
}

}  // namespace pcw::reingest
