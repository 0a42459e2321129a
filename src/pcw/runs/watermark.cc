#include "pcw/runs/watermark.h"

#include <algorithm>

namespace pcw::runs {

std::optional<WallTime> AdvanceWatermark(std::optional<WallTime> old_watermark,
                                         const ScanObservation& seen,
                                         std::chrono::milliseconds lag) {
  if (!seen.max_version) return old_watermark;
  const WallTime safe =
      seen.first_response_date
          ? std::min(*seen.max_version, *seen.first_response_date - lag)
          : std::min(*seen.max_version, seen.began_at.value_or(*seen.max_version)) - lag;
  return old_watermark ? std::max(*old_watermark, safe) : safe;
}

std::chrono::milliseconds OverlapOf(std::optional<std::chrono::milliseconds> configured,
                                    std::chrono::milliseconds lag,
                                    std::chrono::milliseconds longest_scan) {
  return configured ? *configured : lag + longest_scan;
}

}  // namespace pcw::runs
