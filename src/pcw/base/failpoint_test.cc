#include "pcw/base/failpoint.h"

#include <csignal>
#include <cstdlib>

#include <gtest/gtest.h>

namespace pcw {
namespace {

// The plan is read once per process, so each case runs in a fresh copy of the test program.
class FailpointDeathTest : public ::testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

void HitTwiceThenExit(const char* spec) {
  ::setenv("PCW_FAILPOINT", spec, 1);
  PCW_FAILPOINT("after_put");
  PCW_FAILPOINT("other");
  PCW_FAILPOINT("after_put");
  std::_Exit(0);
}

#if defined(PCW_FAILPOINTS)

TEST_F(FailpointDeathTest, KillsAtTheNamedPassage) {
  EXPECT_EXIT(HitTwiceThenExit("after_put:2"), testing::KilledBySignal(SIGKILL), "");
}

TEST_F(FailpointDeathTest, WithoutANumberTheFirstPassageCounts) {
  EXPECT_EXIT(HitTwiceThenExit("other"), testing::KilledBySignal(SIGKILL), "");
}

TEST_F(FailpointDeathTest, PassesWhenThePassageIsNotReachedOrTheNameIsAnother) {
  EXPECT_EXIT(HitTwiceThenExit("after_put:3"), testing::ExitedWithCode(0), "");
  EXPECT_EXIT(HitTwiceThenExit("after:1"), testing::ExitedWithCode(0), "");
}

#else

TEST_F(FailpointDeathTest, ABuildWithoutFailpointsPassesThemAll) {
  EXPECT_EXIT(HitTwiceThenExit("after_put:1"), testing::ExitedWithCode(0), "");
}

#endif

}  // namespace
}  // namespace pcw
