// What the beats of a job say of the work on it: whether it goes on, and when it is to stop.
#pragma once

#include <chrono>

#include "pcw/jobs/job_queue.h"

namespace pcw::jobs {

/// Why the work on a job is to stop.
enum class StopCause {
  kNone,
  kCancelled,  ///< somebody asked for its end
  kLost,       ///< another worker has it
  kStalled,    ///< no progress for twice the time after which it is shown as stalled
  kDrained,    ///< this process ends
};

/// What is to be done after a beat.
struct BeatVerdict {
  StopCause stop = StopCause::kNone;  ///< the work is told to stop for this
  bool begins_to_stall = false;       ///< worth a line in the log, once a stall
  /// No further beat: the job is another's, or work that does not even hear a stop is left to a
  /// takeover, which comes when its lease ends.
  bool is_last = false;
};

/// How long a holder waits between two beats: a third of the lease, and two seconds at most, so
/// that a cancel is heard.
std::chrono::milliseconds BeatPause(const ClaimTerms& terms);

/// Judges the beats of one job, in order. Pure but for that memory; not thread-safe.
class BeatWatch {
 public:
  explicit BeatWatch(const ClaimTerms& terms) : terms_(terms) {}
  BeatVerdict Judge(const Beat& beat);

 private:
  ClaimTerms terms_;
  bool was_slow_ = false;
};

}  // namespace pcw::jobs
