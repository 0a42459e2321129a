// What an error does to a run and to the job behind it: the rules of docs/errors.md alone, without
// any I/O.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "pcw/base/clock.h"
#include "pcw/base/error.h"
#include "pcw/jobs/job_queue.h"

namespace pcw::runs {

/// How often a job is tried before it is given up; the schedule brings the entity back anyway.
inline constexpr int kMostAttempts = 6;

/// The error code of a run whose worker fell silent. It is not one of kReactions: nobody was there
/// to say what went wrong.
inline constexpr std::string_view kAbandoned = "abandoned";

/// What stats_json says of why a run ended early: the reason of its error, else its code.
std::string_view ReasonTextOf(const Error& error);

/// Whether `--resume` may go on with a run that such an error ended.
bool IsResumable(ErrorCode code);

/// Whether another attempt may do better without anybody's help.
bool MayPass(ErrorCode code);

/// The run of a job as its row stands now.
struct RunNow {
  std::string status;      ///< also `queued`, `running` or `stalled`
  std::string error_code;  ///< a code's name, kAbandoned, or empty
  std::optional<Reason> reason{};
  WallTime now{};  ///< the database's clock
  bool is_open() const { return status == "queued" || status == "running" || status == "stalled"; }
};

/// What is to be done with a job, decided from its run.
struct JobVerdict {
  std::optional<jobs::JobEnd> end{};  ///< absent: it goes back
  std::chrono::milliseconds delay{0};
  jobs::Counting counting = jobs::Counting::kCounted;
};

/// `attempts`: of the job, with this one. `error`: what the work returned, if it failed. The run's
/// row decides what it says.
JobVerdict JudgeJob(const RunNow& run, int attempts, bool is_cancelled,
                    const std::optional<Error>& error);

/// The pause before the next of so many attempts: 5 s, doubling, at most 5 minutes.
std::chrono::milliseconds PauseAfter(int attempts);

}  // namespace pcw::runs
