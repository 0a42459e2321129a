#include "pcw/runs/job_verdict.h"

#include <gtest/gtest.h>

#include "pcw/base/time.h"

namespace pcw::runs {
namespace {

using jobs::Counting;
using jobs::JobEnd;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

RunNow Failed(std::string_view code, std::optional<Reason> reason = std::nullopt) {
  return {.status = "failed", .error_code = std::string(code), .reason = reason};
}

JobVerdict Judge(const RunNow& run, const std::optional<Error>& error = std::nullopt,
                 int attempts = 1) {
  return JudgeJob(run, attempts, false, error);
}

void ExpectPutBack(const JobVerdict& verdict, milliseconds delay, Counting counting) {
  EXPECT_EQ(verdict.end, std::nullopt);
  EXPECT_EQ(verdict.delay, delay);
  EXPECT_EQ(verdict.counting, counting);
}

TEST(JudgeJobTest, ARunThatFinishedIsDoneWhateverElseIsSaid) {
  for (const char* status : {"succeeded", "partial"}) {
    const JobVerdict verdict = JudgeJob({.status = status, .error_code = ""}, 1, true,
                                        Error(ErrorCode::kInternal, "later"));
    EXPECT_EQ(verdict.end, JobEnd::kDone) << status;
  }
}

TEST(JudgeJobTest, WhatSomebodyCancelledStaysCancelled) {
  EXPECT_EQ(JudgeJob(Failed("unavailable"), 1, true, std::nullopt).end, JobEnd::kCancelled);
  EXPECT_EQ(Judge({.status = "cancelled", .error_code = "cancelled"}).end, JobEnd::kCancelled);
}

TEST(JudgeJobTest, ADrainedRunGoesOnAtOnceAndIsForgiven) {
  ExpectPutBack(Judge(Failed("cancelled", Reason::kDrained), std::nullopt, kMostAttempts),
                milliseconds(0), Counting::kForgiven);
  ExpectPutBack(
      Judge({.status = "queued", .error_code = ""}, Error(ErrorCode::kCancelled, "drained")),
      milliseconds(0), Counting::kForgiven);
}

TEST(JudgeJobTest, ASpentQuotaIsWaitedForUntilItFrees) {
  RunNow run = Failed("throttled", Reason::kQuotaSpent);
  run.now = *ParseRfc3339("2026-03-01T10:00:00Z");
  const auto spent = [](const char* free_at) {
    return Error(ErrorCode::kThrottled, "spent").With("free_at", free_at);
  };
  const minutes gathers(10);

  ExpectPutBack(Judge(run, spent("2026-03-01T13:00:00Z"), kMostAttempts), hours(3) + gathers,
                Counting::kForgiven);
  ExpectPutBack(Judge(run, spent("2026-03-01T09:00:00Z")), gathers, Counting::kForgiven);
  ExpectPutBack(Judge(run, spent("2026-03-09T09:00:00Z")), hours(25) + gathers,
                Counting::kForgiven);
  ExpectPutBack(Judge(run, spent("soon")), gathers, Counting::kForgiven);
  ExpectPutBack(Judge(run), gathers, Counting::kForgiven);
}

TEST(JudgeJobTest, ARunThatDidNotBeginWaitsForWhoeverHoldsItsEntity) {
  const RunNow queued{.status = "queued", .error_code = ""};
  ExpectPutBack(Judge(queued, Error(ErrorCode::kConflict, "held"), kMostAttempts), seconds(1),
                Counting::kForgiven);
  ExpectPutBack(Judge(queued, Error(ErrorCode::kConfig, "older").Because(Reason::kOlderMapping),
                      kMostAttempts),
                seconds(10), Counting::kForgiven);
  EXPECT_EQ(Judge(queued, Error(ErrorCode::kConfig, "wrong key")).end, JobEnd::kFailed);
}

TEST(JudgeJobTest, WhatMayPassIsTriedAgainAFewTimes) {
  for (const char* code :
       {"unavailable", "timeout", "throttled", "conflict", "cancelled", "abandoned"}) {
    ExpectPutBack(Judge(Failed(code), std::nullopt, kMostAttempts - 1),
                  PauseAfter(kMostAttempts - 1), Counting::kCounted);
    EXPECT_EQ(Judge(Failed(code), std::nullopt, kMostAttempts).end, JobEnd::kFailed) << code;
  }
}

TEST(JudgeJobTest, WhatNeedsAPersonIsNotTriedAgain) {
  for (const char* code : {"unauthenticated", "permission_denied", "invalid_request", "not_found",
                           "schema_mismatch", "config", "internal", "", "of a later release"})
    EXPECT_EQ(Judge(Failed(code)).end, JobEnd::kFailed) << code;
}

TEST(JudgeJobTest, TheRunsOwnErrorCountsOnceItHasEnded) {
  EXPECT_EQ(Judge(Failed("internal"), Error(ErrorCode::kUnavailable, "afterwards")).end,
            JobEnd::kFailed);
  EXPECT_EQ(
      Judge({.status = "running", .error_code = ""}, Error(ErrorCode::kUnavailable, "away")).end,
      std::nullopt);
}

TEST(PauseAfterTest, DoublesUpToFiveMinutes) {
  EXPECT_EQ(PauseAfter(1), seconds(5));
  EXPECT_EQ(PauseAfter(2), seconds(10));
  EXPECT_EQ(PauseAfter(6), seconds(160));
  EXPECT_EQ(PauseAfter(7), minutes(5));
  EXPECT_EQ(PauseAfter(1000), minutes(5));
  EXPECT_EQ(PauseAfter(0), seconds(5));
}

TEST(ReasonTextOfTest, AReasonSaysMoreThanACode) {
  EXPECT_EQ(ReasonTextOf(Error(ErrorCode::kThrottled, "slow")), "throttled");
  EXPECT_EQ(ReasonTextOf(Error(ErrorCode::kThrottled, "spent").Because(Reason::kQuotaSpent)),
            "quota_spent");
}

}  // namespace
}  // namespace pcw::runs
