#include "pcw/sim/quota.h"

#include <gmock/gmock.h>

namespace pcw::sim {
namespace {

using namespace std::chrono_literals;

int AcceptedOf(Quota& quota, int calls, SteadyTime at) {
  int accepted = 0;
  for (int i = 0; i < calls; ++i) {
    accepted += quota.Take(CallClass::kRead, at) == QuotaVerdict::kAccepted ? 1 : 0;
  }
  return accepted;
}

TEST(QuotaTest, AcceptsOneSecondsWorthAtOnceThenRefuses) {
  Quota quota({}, QuotaMode::kEnforced);

  EXPECT_EQ(AcceptedOf(quota, 12, SteadyTime(0s)), 10);
  EXPECT_EQ(quota.Take(CallClass::kRead, SteadyTime(0s)), QuotaVerdict::kOverSecond);
}

TEST(QuotaTest, RefillsEvenly) {
  Quota quota({}, QuotaMode::kEnforced);
  AcceptedOf(quota, 10, SteadyTime(0s));

  EXPECT_EQ(AcceptedOf(quota, 5, SteadyTime(99ms)), 0);
  EXPECT_EQ(AcceptedOf(quota, 5, SteadyTime(100ms)), 1);
  EXPECT_EQ(AcceptedOf(quota, 20, SteadyTime(10s)), 10);
}

TEST(QuotaTest, EvenlySpacedCallsAtTheRateAreNeverRefused) {
  Quota quota({}, QuotaMode::kEnforced);
  AcceptedOf(quota, 10, SteadyTime(0s));

  for (int i = 1; i <= 1'000; ++i) {
    EXPECT_EQ(quota.Take(CallClass::kRead, SteadyTime(i * 100ms)), QuotaVerdict::kAccepted);
  }
}

TEST(QuotaTest, TheDayRollsExactly) {
  Quota quota({.reads_per_second = 1'000, .reads_per_day = 3}, QuotaMode::kEnforced);
  AcceptedOf(quota, 1, SteadyTime(1h));
  AcceptedOf(quota, 2, SteadyTime(2h));

  EXPECT_EQ(quota.Take(CallClass::kRead, SteadyTime(25h - 1us)), QuotaVerdict::kOverDay);
  EXPECT_EQ(AcceptedOf(quota, 2, SteadyTime(25h)), 1);
  EXPECT_EQ(AcceptedOf(quota, 5, SteadyTime(26h)), 2);
}

TEST(QuotaTest, RefusedCallsCostNothing) {
  Quota quota({.reads_per_second = 1, .reads_per_day = 2}, QuotaMode::kEnforced);
  AcceptedOf(quota, 100, SteadyTime(0s));

  EXPECT_EQ(quota.Take(CallClass::kRead, SteadyTime(1s)), QuotaVerdict::kAccepted);
}

TEST(QuotaTest, WritesHaveTheirOwnBudget) {
  Quota quota({}, QuotaMode::kEnforced);
  AcceptedOf(quota, 10, SteadyTime(0s));

  EXPECT_EQ(quota.Take(CallClass::kWrite, SteadyTime(0s)), QuotaVerdict::kAccepted);
  EXPECT_EQ(quota.Take(CallClass::kWrite, SteadyTime(0s)), QuotaVerdict::kOverSecond);
}

TEST(QuotaTest, OffAcceptsEverything) {
  Quota quota({}, QuotaMode::kOff);

  EXPECT_EQ(AcceptedOf(quota, 1'000, SteadyTime(0s)), 1'000);
}

}  // namespace
}  // namespace pcw::sim
