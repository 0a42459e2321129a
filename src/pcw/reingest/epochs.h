// What of a re-ingest is on its way to the table, and what has become of it, in order.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "pcw/reingest/loader.h"
#include "pcw/reingest/reingest.h"

namespace pcw::reingest {

/// Work is cut into epochs: some whole objects, a batch for each loader. An epoch whose batches are
/// all committed, with every one before it, is progress and is added to the outcome. Not
/// thread-safe.
class ReingestEpochs {
 public:
  ReingestEpochs(const ReingestOptions& options, ReingestOutcome& outcome)
      : options_(options), outcome_(outcome) {}

  /// Of the open epoch.
  void AddUnchanged() {
    ++open_.unchanged;
    ++open_records_;
  }
  void AddSent(std::uint64_t id_hash);
  void AddMisfits(std::size_t misfits) { open_.misfits += static_cast<std::int64_t>(misfits); }
  void AddObject(const std::string& key) { open_.last_key = key; }
  std::int64_t open_records() const { return open_records_; }
  std::size_t open_number() const { return next_; }

  /// The record is on its way to the table: what was read of it is old news.
  bool IsInFlight(std::uint64_t id_hash) const { return in_flight_.contains(id_hash); }

  /// Ends the open epoch, of which `batches` are handed over.
  void Close(std::size_t batches);
  /// Adds up what the loaders have done. True if that completed an epoch.
  bool Take(const std::vector<LoadResult>& results);

 private:
  struct Epoch {
    std::size_t batches_left = 0;
    std::int64_t unchanged = 0;  ///< left alone before they were parsed, or for their age
    std::int64_t misfits = 0;
    std::string last_key;  ///< the last object that is whole with this epoch; empty = none
    LoadResult sum;
    std::vector<std::uint64_t> ids;  ///< hashes of what was sent
  };
  void Fold(const Epoch& epoch, std::size_t number);
  void TellFates(const LoadResult& result) const;
  void AddComparison(LoadResult& sum, const LoadResult& result);

  const ReingestOptions& options_;
  ReingestOutcome& outcome_;
  Epoch open_;
  std::int64_t open_records_ = 0;
  std::deque<Epoch> epochs_;  // handed over
  std::size_t first_ = 0;     // the number of the first of them
  std::size_t next_ = 0;
  std::unordered_map<std::uint64_t, std::size_t> in_flight_;  // id -> the last epoch it is in
  std::unordered_set<std::uint64_t> new_ids_;                 // of a dry run
};

}  // namespace pcw::reingest
