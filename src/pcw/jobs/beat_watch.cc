#include "pcw/jobs/beat_watch.h"

#include <algorithm>

namespace pcw::jobs {

std::chrono::milliseconds BeatPause(const ClaimTerms& terms) {
  return std::min(terms.lease / 3, std::chrono::milliseconds(2'000));
}

BeatVerdict BeatWatch::Judge(const Beat& beat) {
  if (!beat.is_ours) return {.stop = StopCause::kLost, .is_last = true};
  const bool is_slow = beat.since_progress > terms_.stall_after;
  BeatVerdict verdict{.begins_to_stall = is_slow && !was_slow_,
                      .is_last = beat.since_progress > 4 * terms_.stall_after};
  was_slow_ = is_slow;
  if (beat.since_progress > 2 * terms_.stall_after) verdict.stop = StopCause::kStalled;
  if (beat.is_cancelled) verdict.stop = StopCause::kCancelled;
  return verdict;
}

}  // namespace pcw::jobs
