#include "pcw/quota/planner.h"

#include <gtest/gtest.h>

#include "pcw/quota/pg_quota.h"

namespace pcw::quota {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const WallTime kStart(seconds(1'795'000'020));  // at a whole minute

PlanRequest Calls(std::int64_t calls) { return {.calls = calls, .used = {}, .starts_at = kStart}; }

double SecondsOf(const Plan& plan) {
  return std::chrono::duration<double>(plan.finishes_at - kStart).count();
}

TEST(MakePlanTest, AFewCallsTakeTheirTimeAtTheRate) {
  const Plan plan = MakePlan(Calls(1010));

  EXPECT_NEAR(SecondsOf(plan), 102, 1);
  EXPECT_TRUE(plan.pauses.empty());
  EXPECT_EQ(plan.left_now, 100'000);
}

TEST(MakePlanTest, AHundredThousandOpportunitiesGoOverTheDaysEdge) {
  PlanRequest request = Calls(101'000);
  request.per_day = 95'000;

  const Plan plan = MakePlan(request);

  ASSERT_EQ(plan.pauses.size(), 1U);
  EXPECT_NEAR(std::chrono::duration<double>(plan.pauses[0].from - kStart).count(), 9595, 70);
  EXPECT_EQ(plan.pauses[0].until, kStart + hours(24) + minutes(1));
  EXPECT_NEAR(SecondsOf(plan), 24 * 3600 + 60 + 606, 70);
}

TEST(MakePlanTest, WhatWasSpentEarlierFreesWhenItsMinuteIsADayOld) {
  PlanRequest request = Calls(600);
  request.used = {{kStart - hours(23) - minutes(50), 100'000}};

  const Plan plan = MakePlan(request);

  EXPECT_EQ(plan.left_now, 0);
  ASSERT_EQ(plan.pauses.size(), 1U);
  EXPECT_EQ(plan.pauses[0].until, kStart + minutes(11));
  EXPECT_NEAR(SecondsOf(plan), 11 * 60 + 61, 2);
}

TEST(MakePlanTest, GoingOnWaitsForEnoughAndPaysForTheListingAgain) {
  PlanRequest request = Calls(101'000);
  request.per_day = 95'000;
  request.resume_with = 10'000;
  request.calls_per_resume = 1'000;

  const Plan plan = MakePlan(request);

  ASSERT_EQ(plan.pauses.size(), 1U);
  EXPECT_EQ(plan.calls, 102'000);
  const double wait = std::chrono::duration<double>(plan.pauses[0].until - kStart).count();
  EXPECT_NEAR(wait, 24 * 3600 + 60 + 17 * 60, 61) << "10,000 calls were made in 17 minutes";
}

TEST(TimeWhenFreeTest, ComesWhenTheMinutesAreADayOldAndNeverAsksForMoreThanTheDay) {
  PlanRequest request = Calls(0);
  request.per_day = 20;
  request.used = {{kStart - hours(24), 10}, {kStart - hours(23), 10}};

  EXPECT_EQ(TimeWhenFree(request, 1), kStart + minutes(1));
  EXPECT_EQ(TimeWhenFree(request, 11), kStart + hours(1) + minutes(1));
  EXPECT_EQ(TimeWhenFree(request, 1000), kStart + hours(1) + minutes(1));
}

TEST(MakePlanTest, MinutesThatFreeOneByOneMakeOnePauseEach) {
  PlanRequest request = Calls(30);
  request.per_day = 20;
  request.used = {{kStart - hours(24), 10}, {kStart - hours(23), 10}};

  const Plan plan = MakePlan(request);

  ASSERT_EQ(plan.pauses.size(), 3U);
  EXPECT_EQ(plan.pauses[0].until, kStart + minutes(1));
  EXPECT_EQ(plan.pauses[1].until, kStart + hours(1) + minutes(1));
  EXPECT_EQ(plan.pauses[2].until, kStart + hours(24) + minutes(2));
}

TEST(MakePlanTest, WithoutALimitItIsDoneAtOnce) {
  PlanRequest request = Calls(1'000'000);
  request.per_second = 0;

  EXPECT_EQ(MakePlan(request).finishes_at, kStart);
}

TEST(MakePlanTest, NoCallsAreDoneAtOnce) {
  const Plan plan = MakePlan(Calls(0));

  EXPECT_EQ(plan.finishes_at, kStart);
  EXPECT_EQ(plan.calls, 0);
}

TEST(MakePlanTest, ADayOfNothingPlansNothingInsteadOfWaitingForEver) {
  PlanRequest request = Calls(10);
  request.per_day = 0;

  EXPECT_EQ(MakePlan(request).finishes_at, kStart);
}

TEST(MakePlanTest, WhatIsSpentBeyondTheDayLeavesNothingAndNotLess) {
  PlanRequest request = Calls(0);
  request.per_day = 10;
  request.used = {{kStart - hours(1), 15}};

  EXPECT_EQ(MakePlan(request).left_now, 0);
}

TEST(MakePlanTest, AMinuteThatIsADayOldIsFreeAndOneASecondYoungerIsNot) {
  PlanRequest request = Calls(0);
  request.per_day = 10;
  request.used = {{kStart - hours(24) - minutes(1), 4}, {kStart - hours(24), 3}};

  EXPECT_EQ(MakePlan(request).left_now, 7) << "its last second is a day old in a minute";
}

TEST(MakePlanTest, WithoutAPauseGoingOnCostsNothing) {
  PlanRequest request = Calls(100);
  request.calls_per_resume = 1'000;

  EXPECT_EQ(MakePlan(request).calls, 100);
}

TEST(TimeWhenFreeTest, WhatIsFreeNowIsFreeNow) {
  EXPECT_EQ(TimeWhenFree(Calls(0), 100'000), kStart);
}

TEST(QuotaLimitsTest, BulkReadsLeaveTheReserveToTheOthers) {
  EXPECT_EQ(QuotaLimits{}.bulk_reads_per_day(), 95'000);
}

TEST(QuotaLimitsTest, WithoutAReserveTheWholeDayMayBeSpentInBulk) {
  EXPECT_EQ((QuotaLimits{.reserve_percent = 0}).bulk_reads_per_day(), 100'000);
}

TEST(QuotaLimitsTest, ALargeDayDoesNotOverflow) {
  EXPECT_EQ(
      (QuotaLimits{.reads_per_day = 2'000'000'000, .reserve_percent = 50}).bulk_reads_per_day(),
      1'000'000'000);
}

}  // namespace
}  // namespace pcw::quota
