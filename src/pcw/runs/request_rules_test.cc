#include "pcw/runs/request_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/result_matchers.h"

namespace pcw::runs {
namespace {

using connector::RunMode;
using ::testing::HasSubstr;

CancelTarget TargetWith(std::string_view status, std::string_view job_state) {
  return {.run_id = "7f", .status = status, .job_state = job_state, .holder = "host-b:9"};
}

TEST(PriorityOfTest, APersonIsServedBeforeAnEventAndThatBeforeTheSchedule) {
  EXPECT_LT(PriorityOf("api"), PriorityOf("event"));
  EXPECT_LT(PriorityOf("event"), PriorityOf("schedule"));
}

TEST(PriorityOfTest, WhoeverAsksByHandIsAPerson) {
  EXPECT_EQ(PriorityOf("cli"), PriorityOf("api"));
}

TEST(KindOfTest, RunsThatListAreOfOneKind) {
  EXPECT_EQ(KindOf(RunMode::kFull), "sync");
  EXPECT_EQ(KindOf(RunMode::kIncremental), "sync");
}

TEST(KindOfTest, AFetchStandsForItself) { EXPECT_EQ(KindOf(RunMode::kFetch), "fetch"); }

TEST(CheckCancelTest, AQueuedRunCanBeCancelled) {
  EXPECT_THAT(CheckCancel(TargetWith("queued", "queued")), Succeeds());
}

TEST(CheckCancelTest, ARunningOrStalledRunCanBeCancelled) {
  EXPECT_THAT(CheckCancel(TargetWith("running", "running")), Succeeds());
  EXPECT_THAT(CheckCancel(TargetWith("stalled", "running")), Succeeds());
}

TEST(CheckCancelTest, ARunThatHasEndedCannotBeCancelled) {
  for (const char* status : {"succeeded", "partial", "failed", "cancelled"}) {
    const Status checked = CheckCancel(TargetWith(status, "running"));
    ASSERT_THAT(checked, FailsWith(ErrorCode::kConflict)) << status;
    EXPECT_THAT(checked.error().message(), HasSubstr(status));
  }
}

TEST(CheckCancelTest, ARunOfACommandLineIsStoppedWhereItRuns) {
  const Status checked = CheckCancel(TargetWith("running", ""));
  ASSERT_THAT(checked, FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(checked.error().message(), HasSubstr("host-b:9"));
  EXPECT_EQ(checked.error().Find("run_id"), "7f");
}

TEST(CheckCancelTest, OfAnEndedRunWithoutAJobItsEndIsTold) {
  EXPECT_THAT(CheckCancel(TargetWith("failed", "")).error().message(),
              HasSubstr("nothing to cancel"));
}

TEST(EndsAtOnceTest, ARunThatNobodyHasClaimedEndsAtOnce) {
  EXPECT_TRUE(EndsAtOnce(TargetWith("queued", "queued")));
}

TEST(EndsAtOnceTest, ARunAtWorkEndsWhenItsWorkerHears) {
  EXPECT_FALSE(EndsAtOnce(TargetWith("running", "running")));
}

}  // namespace
}  // namespace pcw::runs
