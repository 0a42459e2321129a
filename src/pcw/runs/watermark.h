// Where an incremental scan starts and how far the watermark may move (I5, T1). Pure.
#pragma once

#include <chrono>
#include <optional>

#include "pcw/base/clock.h"

namespace pcw::runs {

/// What a finished scan saw.
struct ScanObservation {
  std::optional<WallTime> max_version;  ///< newest LastModifiedDate in the list, as AWS gave it
  std::optional<WallTime>
      first_response_date;  ///< Date header of the scan's first response; never the local clock
  std::optional<WallTime> began_at;  ///< the scan's first response, by the database's clock
};

/// W_new = min(max seen, Date of the first response - lag), never below `old`. Without a Date
/// header: min(max seen, database's time of the first response) - lag, so that one date of the year
/// 2099 does not end all incremental scans. Without records: unchanged.
std::optional<WallTime> AdvanceWatermark(std::optional<WallTime> old_watermark,
                                         const ScanObservation& seen,
                                         std::chrono::milliseconds lag);

/// The overlap of the next scan: as configured, else lag + the longest scan so far.
std::chrono::milliseconds OverlapOf(std::optional<std::chrono::milliseconds> configured,
                                    std::chrono::milliseconds lag,
                                    std::chrono::milliseconds longest_scan);

}  // namespace pcw::runs
