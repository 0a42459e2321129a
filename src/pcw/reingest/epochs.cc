#include "pcw/reingest/epochs.h"

#include <algorithm>
#include <set>
#include <utility>

#include "pcw/tables/held_digests.h"

namespace pcw::reingest {

void ReingestEpochs::AddSent(std::uint64_t id_hash) {
  ++open_records_;
  open_.ids.push_back(id_hash);
  in_flight_[id_hash] = next_;
}

void ReingestEpochs::Close(std::size_t batches) {
  open_.batches_left = batches;
  epochs_.push_back(std::exchange(open_, {}));
  open_records_ = 0;
  ++next_;
}

bool ReingestEpochs::Take(const std::vector<LoadResult>& results) {
  for (const LoadResult& result : results) {
    Epoch& epoch = epochs_[result.epoch - first_];
    --epoch.batches_left;
    epoch.sum.processed += result.processed;
    epoch.sum.inserted += result.inserted;
    epoch.sum.updated += result.updated;
    epoch.sum.unchanged += result.unchanged;
    epoch.sum.dead_lettered += result.dead_lettered;
    TellFates(result);
    if (options_.is_dry_run) AddComparison(epoch.sum, result);
  }
  bool is_progress = false;
  while (!epochs_.empty() && epochs_.front().batches_left == 0) {
    Fold(epochs_.front(), first_);
    epochs_.pop_front();
    ++first_;
    is_progress = true;
  }
  return is_progress;
}

void ReingestEpochs::Fold(const Epoch& epoch, std::size_t number) {
  runs::RunStats& stats = outcome_.stats;
  stats.records_processed += epoch.sum.processed + epoch.unchanged;
  stats.rows_inserted += epoch.sum.inserted;
  stats.rows_updated += epoch.sum.updated;
  stats.rows_unchanged += epoch.sum.unchanged + epoch.unchanged;
  stats.dead_lettered += epoch.sum.dead_lettered;
  stats.misfits += epoch.misfits;
  stats.records_listed = stats.records_processed + stats.dead_lettered;
  if (!epoch.last_key.empty()) outcome_.completed_key = epoch.last_key;
  for (const std::uint64_t id : epoch.ids) {
    if (const auto found = in_flight_.find(id);
        found != in_flight_.end() && found->second == number)
      in_flight_.erase(found);
  }
}

// Of a replay's dry run, record by record.
void ReingestEpochs::TellFates(const LoadResult& result) const {
  if (!options_.replay || !options_.replay->on_fate || !options_.is_dry_run) return;
  const auto& tell = options_.replay->on_fate;
  const std::set<std::string> fresh(result.comparison.new_ids.begin(),
                                    result.comparison.new_ids.end());
  const std::set<std::string> changed(result.comparison.changed_ids.begin(),
                                      result.comparison.changed_ids.end());
  for (const std::string& id : result.landed) {
    tell({.record_key = id,
          .outcome = fresh.contains(id)     ? dlq::ReplayOutcome::kNewRow
                     : changed.contains(id) ? dlq::ReplayOutcome::kChangesRow
                                            : dlq::ReplayOutcome::kUpToDate});
  }
  for (const std::string& id : result.refused) {
    tell({.record_key = id,
          .outcome = dlq::ReplayOutcome::kFails,
          .error = "PostgreSQL refuses one of its values"});
  }
}

// A record that bronze holds in several versions is new once.
void ReingestEpochs::AddComparison(LoadResult& sum, const LoadResult& result) {
  std::int64_t inserted = 0;
  for (const std::string& id : result.comparison.new_ids) {
    if (new_ids_.insert(tables::HeldDigests::HashOf(id)).second) ++inserted;
  }
  sum.inserted += inserted;
  sum.updated += result.comparison.changed;
  sum.unchanged += result.processed - inserted - result.comparison.changed;
  outcome_.rows_older += result.comparison.older;
  outcome_.columns.resize(std::max(outcome_.columns.size(), result.comparison.columns.size()));
  for (std::size_t i = 0; i < result.comparison.columns.size(); ++i) {
    const tables::ColumnChange& change = result.comparison.columns[i];
    tables::ColumnChange& total = outcome_.columns[i];
    total.column = change.column;
    total.rows += change.rows;
    for (const auto& example : change.examples) {
      if (total.examples.size() < 3) total.examples.push_back(example);
    }
  }
}

}  // namespace pcw::reingest
