// The counters of a run, which must add up (I1).
#pragma once

#include <cstdint>
#include <string>

namespace pcw::runs {

/// What a run did so far. Records are counted when their outcome is settled, so the sum holds at
/// every commit: listed = skipped + duplicate + processed + dead_lettered, and processed = inserted
/// + updated + unchanged.
struct RunStats {
  std::int64_t records_listed = 0;
  std::int64_t records_skipped = 0;    ///< held at that version already, not fetched
  std::int64_t records_duplicate = 0;  ///< listed again at the same version within this run
  std::int64_t records_processed = 0;
  std::int64_t rows_inserted = 0;
  std::int64_t rows_updated = 0;
  std::int64_t rows_unchanged = 0;
  std::int64_t records_absent = 0;  ///< of rows_unchanged: AWS has no such record, as it may
  std::int64_t dead_lettered = 0;
  std::int64_t records_deferred = 0;  ///< fetched again at the end of the scan
  std::int64_t records_missing = 0;   ///< marked missing by this run
  std::int64_t misfits = 0;           ///< values that did not fit an optional column
  std::int64_t api_calls = 0;
  std::int64_t throttles = 0;
  std::int64_t retries = 0;
  std::int64_t pages = 0;
  std::int64_t parts = 0;
  std::int64_t bytes = 0;  ///< response bytes received
  std::int64_t elapsed_ms = 0;

  bool is_resumable = false;  ///< a run that ended early: running it again completes it
  /// Why it ended early ("quota_spent", "throttled", ...), or as partial without a dead letter
  /// ("listing_shrank", "listed_nothing"); empty = neither.
  std::string reason;
  std::string
      finding;  ///< what a person should look at although the scan is complete; empty = nothing
  std::string watermark_before;  ///< RFC 3339; empty = none
  std::string watermark_after;

  bool AddsUp() const {
    return records_listed ==
               records_skipped + records_duplicate + records_processed + dead_lettered &&
           records_processed == rows_inserted + rows_updated + rows_unchanged;
  }
};

/// The counters as the JSON object that stats_json holds.
std::string FormatStats(const RunStats& stats);

}  // namespace pcw::runs
