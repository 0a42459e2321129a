#include "pcw/base/clock.h"

#include <thread>

#include <gtest/gtest.h>

namespace pcw {
namespace {

using namespace std::chrono_literals;

TEST(SystemSleeperTest, StopRequestEndsALongSleepAtOnce) {
  SystemSleeper sleeper;
  bool is_complete = true;
  {
    std::jthread worker([&](std::stop_token stop) { is_complete = sleeper.SleepFor(24h, stop); });
  }  // the destructor requests the stop and joins

  EXPECT_FALSE(is_complete);
}

TEST(SystemSleeperTest, SleepOfNoTimeSucceedsUnlessStopWasRequested) {
  std::stop_source stop;
  SystemSleeper sleeper;

  EXPECT_TRUE(sleeper.SleepFor(0us, stop.get_token()));
  EXPECT_TRUE(sleeper.SleepFor(-1us, stop.get_token()));
  stop.request_stop();
  EXPECT_FALSE(sleeper.SleepFor(0us, stop.get_token()));
}

TEST(SystemClockTest, SteadyTimeDoesNotRunBackwards) {
  const SystemClock clock;
  const SteadyTime first = clock.Steady();

  EXPECT_GE(clock.Steady(), first);
}

}  // namespace
}  // namespace pcw
