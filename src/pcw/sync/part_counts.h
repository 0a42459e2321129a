// What a committed part adds to the counters of its run, and which dead letters it settles.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "pcw/base/json.h"
#include "pcw/runs/run_stats.h"
#include "pcw/tables/entity_table.h"

namespace pcw::sync {

/// What became of the records of one part.
struct PartCounts {
  std::int64_t skipped = 0;
  std::int64_t duplicate = 0;
  std::int64_t deferred = 0;
  std::int64_t absent = 0;  ///< AWS has no such record, as it may
  std::int64_t mapped = 0;  ///< went to the table
  tables::MergeCounts merged{};
  std::int64_t dead_lettered = 0;
  std::int64_t misfits = 0;
  int part = 0;  ///< 0: nothing was stored in bronze
};

/// The counters of the run with the part. They add up if those before did (I1): what is listed is
/// counted when its outcome is settled.
runs::RunStats Counted(const runs::RunStats& before, const PartCounts& counts);

/// The counters with what an earlier try to commit the part has stored, whose answer was lost:
/// records and rows are the stored ones, calls those of now.
runs::RunStats CountedBefore(const runs::RunStats& before, const Json& stored, int part);

/// Records that failed in this run, by the highest rank of a source that tells of them. What a
/// lower source tells is no answer to it. Not thread-safe.
class FailedRanks {
 public:
  void Note(const std::string& id, int rank);
  /// A row of that source settles the record's dead letters.
  bool MaySettle(std::string_view id, int rank) const;

 private:
  std::unordered_map<std::string, int> ranks_;
};

}  // namespace pcw::sync
