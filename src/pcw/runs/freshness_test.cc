#include "pcw/runs/freshness.h"

#include <gtest/gtest.h>

namespace pcw::runs {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

TEST(FreshnessTest, DataIsFreshUpToTwiceItsIntervalAndAMinute) {
  EXPECT_EQ(JudgeFreshness(seconds(0), minutes(5), false), Freshness::kOk);
  EXPECT_EQ(JudgeFreshness(minutes(11), minutes(5), false), Freshness::kOk);
  EXPECT_EQ(JudgeFreshness(minutes(11) + seconds(1), minutes(5), false), Freshness::kStale);
}

TEST(FreshnessTest, AFailureSinceIsToldBeforeTheAge) {
  EXPECT_EQ(JudgeFreshness(seconds(0), minutes(5), true), Freshness::kFailing);
  EXPECT_EQ(JudgeFreshness(std::nullopt, minutes(5), true), Freshness::kFailing);
}

TEST(FreshnessTest, NothingSyncedIsNotFresh) {
  EXPECT_EQ(JudgeFreshness(std::nullopt, minutes(5), false), Freshness::kNever);
}

TEST(FreshnessTest, AnIntervalOfNothingStillLeavesAMinute) {
  EXPECT_EQ(JudgeFreshness(seconds(60), minutes(0), false), Freshness::kOk);
  EXPECT_EQ(JudgeFreshness(seconds(61), minutes(0), false), Freshness::kStale);
}

TEST(NameOfFreshnessTest, EveryJudgementHasItsName) {
  EXPECT_EQ(NameOf(Freshness::kOk), "ok");
  EXPECT_EQ(NameOf(Freshness::kStale), "stale");
  EXPECT_EQ(NameOf(Freshness::kFailing), "failing");
  EXPECT_EQ(NameOf(Freshness::kNever), "never");
}

}  // namespace
}  // namespace pcw::runs
