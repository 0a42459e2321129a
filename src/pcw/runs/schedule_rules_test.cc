#include "pcw/runs/schedule_rules.h"

#include <gtest/gtest.h>

#include "pcw/base/time.h"

namespace pcw::runs {
namespace {

using connector::RunMode;
using std::chrono::milliseconds;
using std::chrono::seconds;

const WallTime kNow = *ParseRfc3339("2026-11-24T08:00:00Z");

PlannedSync Every(seconds interval) {
  return {.entity = "leads", .mode = RunMode::kIncremental, .timing = milliseconds(interval)};
}

RequestedRun OpenRun(const char* mode) {
  RequestedRun requested;
  requested.run.mode = mode;
  return requested;
}

TEST(SpecOfTest, ACronIsKeptAsItWasWritten) {
  EXPECT_EQ(SpecOf(CronTiming{"0 */6 * * *", *Cron::Parse("0 */6 * * *")}), "0 */6 * * *");
}

TEST(SpecOfTest, AnIntervalIsKeptInMilliseconds) {
  EXPECT_EQ(SpecOf(milliseconds(1'500)), "every 1500 ms");
}

TEST(ScheduleKeyOfTest, TenantsEntitiesAndModesAreSpreadApart) {
  EXPECT_EQ(ScheduleKeyOf("t1", Every(seconds(1))), "t1/leads/incremental");
}

TEST(FindSyncTest, FindsAnEntitysModeByItsName) {
  SchedulePlan plan;
  plan.syncs = {Every(seconds(1)), Every(seconds(2))};
  plan.syncs[1].mode = RunMode::kFull;
  EXPECT_EQ(FindSync(plan, "leads", "full"), &plan.syncs[1]);
}

TEST(FindSyncTest, WhatThePlanNoLongerHasIsNotFound) {
  SchedulePlan plan;
  plan.syncs = {Every(seconds(1))};
  EXPECT_EQ(FindSync(plan, "leads", "full"), nullptr);
  EXPECT_EQ(FindSync(plan, "solutions", "incremental"), nullptr);
}

TEST(IsServedTest, ANewRunServesWhateverIsDue) {
  RequestedRun requested = OpenRun("full");
  requested.is_new = true;
  EXPECT_TRUE(IsServed(RunMode::kFull, requested));
  EXPECT_TRUE(IsServed(RunMode::kIncremental, requested));
}

TEST(IsServedTest, AnIncrementalPassIsServedByAnyRunThatIsOpen) {
  EXPECT_TRUE(IsServed(RunMode::kIncremental, OpenRun("full")));
  EXPECT_TRUE(IsServed(RunMode::kIncremental, OpenRun("incremental")));
}

TEST(IsServedTest, AFullSweepIsServedByAFullRunThatIsOpen) {
  EXPECT_TRUE(IsServed(RunMode::kFull, OpenRun("full")));
}

TEST(IsServedTest, AFullSweepWaitsForAnIncrementalRunToEnd) {
  EXPECT_FALSE(IsServed(RunMode::kFull, OpenRun("incremental")));
}

TEST(DueAgainTest, WhatIsServedIsDueAfterItsInterval) {
  EXPECT_EQ(DueAgain(Every(seconds(100)), "t1", true, kNow, 0.5), kNow + seconds(100));
}

TEST(DueAgainTest, WhatIsNotServedIsTriedAgainSoonWhateverItsInterval) {
  EXPECT_EQ(DueAgain(Every(seconds(100)), "t1", false, kNow, 0.5), kNow + seconds(5));
}

}  // namespace
}  // namespace pcw::runs
