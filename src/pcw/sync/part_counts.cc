#include "pcw/sync/part_counts.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace pcw::sync {

runs::RunStats Counted(const runs::RunStats& before, const PartCounts& counts) {
  runs::RunStats after = before;
  const std::int64_t processed = counts.mapped + counts.absent;
  after.records_skipped += counts.skipped;
  after.records_duplicate += counts.duplicate;
  after.records_deferred += counts.deferred;
  after.records_processed += processed;
  after.rows_inserted += counts.merged.inserted;
  after.rows_updated += counts.merged.updated;
  after.rows_unchanged += counts.merged.unchanged + counts.absent;
  after.records_absent += counts.absent;
  after.dead_lettered += counts.dead_lettered;
  after.records_listed += counts.skipped + counts.duplicate + processed + counts.dead_lettered;
  after.misfits += counts.misfits;
  if (counts.part > 0) after.parts = counts.part;
  return after;
}

runs::RunStats CountedBefore(const runs::RunStats& before, const Json& stored, int part) {
  runs::RunStats after = before;
  const auto read = [&stored](const char* key, std::int64_t& value) {
    value = stored.value(key, value);
  };
  read("records_listed", after.records_listed);
  read("records_skipped", after.records_skipped);
  read("records_duplicate", after.records_duplicate);
  read("records_deferred", after.records_deferred);
  read("records_processed", after.records_processed);
  read("rows_inserted", after.rows_inserted);
  read("rows_updated", after.rows_updated);
  read("rows_unchanged", after.rows_unchanged);
  read("records_absent", after.records_absent);
  read("dead_lettered", after.dead_lettered);
  read("misfits", after.misfits);
  after.parts = part;
  return after;
}

void FailedRanks::Note(const std::string& id, int rank) {
  int& highest = ranks_.try_emplace(id, rank).first->second;
  highest = std::max(highest, rank);
}

bool FailedRanks::MaySettle(std::string_view id, int rank) const {
  const auto failed = ranks_.find(std::string(id));
  return failed == ranks_.end() || failed->second <= rank;
}

}  // namespace pcw::sync
