#include "pcw/runs/job_verdict.h"

#include <algorithm>

#include "pcw/base/time.h"
#include "pcw/connector/run_types.h"

namespace pcw::runs {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kShortPause{1'000};
// Until a worker with the newer mapping takes it, or this one has read it.
constexpr milliseconds kOlderMappingPause{10'000};
// A continued run lists anew: with the first calls that free it would do nothing else (ADR 9).
constexpr milliseconds kQuotaGathers{600'000};

milliseconds UntilQuotaFrees(const std::optional<Error>& error, WallTime now) {
  const auto text = error ? error->Find("free_at") : std::nullopt;
  if (!text) return kQuotaGathers;
  const Result<WallTime> free_at = ParseRfc3339(*text);
  if (!free_at) return kQuotaGathers;
  const auto wait = std::chrono::duration_cast<milliseconds>(*free_at - now);
  return std::clamp(wait, milliseconds(0), milliseconds(std::chrono::hours(25))) + kQuotaGathers;
}

}  // namespace

std::string_view ReasonTextOf(const Error& error) {
  return error.reason() ? NameOf(*error.reason()) : NameOf(error.code());
}

bool IsResumable(ErrorCode code) { return ReactionOf(code).run != RunReaction::kStopForGood; }

bool MayPass(ErrorCode code) {
  const Reaction& reaction = ReactionOf(code);
  return reaction.run == RunReaction::kStopResumable || reaction.run == RunReaction::kPause ||
         reaction.call == CallReaction::kRetryTransaction;
}

JobVerdict JudgeJob(const RunNow& run, int attempts, bool is_cancelled,
                    const std::optional<Error>& error) {
  constexpr JobVerdict kAtOnce{.counting = jobs::Counting::kForgiven};
  if (run.status == NameOf(connector::RunStatus::kSucceeded) ||
      run.status == NameOf(connector::RunStatus::kPartial))
    return {.end = jobs::JobEnd::kDone};
  if (is_cancelled || run.status == NameOf(connector::RunStatus::kCancelled))
    return {.end = jobs::JobEnd::kCancelled};
  if (run.reason == Reason::kDrained) return kAtOnce;
  if (run.reason == Reason::kQuotaSpent)
    return {.delay = UntilQuotaFrees(error, run.now), .counting = jobs::Counting::kForgiven};
  const bool has_not_begun = run.is_open() && error.has_value();
  if (has_not_begun && error->Is(Reason::kOlderMapping))
    return {.delay = kOlderMappingPause, .counting = jobs::Counting::kForgiven};
  if (has_not_begun && error->code() == ErrorCode::kConflict)  // another process syncs the entity
    return {.delay = kShortPause, .counting = jobs::Counting::kForgiven};
  if (has_not_begun && error->code() == ErrorCode::kCancelled) return kAtOnce;  // drained
  const std::optional<ErrorCode> code =
      has_not_begun ? error->code() : ErrorCodeNamed(run.error_code);
  // A database or an AWS that is away is not a fault of the job.
  const bool may_pass = code ? MayPass(*code) : run.error_code == kAbandoned;
  if (may_pass && attempts < kMostAttempts) return {.delay = PauseAfter(attempts)};
  return {.end = jobs::JobEnd::kFailed};
}

milliseconds PauseAfter(int attempts) {
  const int doublings = std::clamp(attempts - 1, 0, 6);
  return std::min(milliseconds(5'000) * (1 << doublings), milliseconds(300'000));
}

}  // namespace pcw::runs
