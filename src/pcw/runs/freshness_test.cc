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

}  // namespace
}  // namespace pcw::runs
