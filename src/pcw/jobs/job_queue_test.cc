#include "pcw/jobs/job_queue.h"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "fakes/fake_time.h"

namespace pcw::jobs {
namespace {

using std::chrono::milliseconds;

class ClaimPaceTest : public ::testing::Test {
 protected:
  ClaimPaceTest() { clock.Advance(std::chrono::hours(1)); }
  FakeClock clock;
  ClaimPace pace{clock};
};

TEST_F(ClaimPaceTest, TheFirstLookIsThorough) { EXPECT_EQ(pace.Next(), Look::kThorough); }

TEST_F(ClaimPaceTest, LooksWithinThePeriodAreQuick) {
  (void)pace.Next();
  clock.Advance(milliseconds(1'999));
  EXPECT_EQ(pace.Next(), Look::kQuick);
}

TEST_F(ClaimPaceTest, AfterTwoSecondsOneLookIsThoroughAgain) {
  (void)pace.Next();
  clock.Advance(milliseconds(2'000));
  EXPECT_EQ(pace.Next(), Look::kThorough);
  EXPECT_EQ(pace.Next(), Look::kQuick);
}

TEST_F(ClaimPaceTest, ThePeriodBeginsWithTheThoroughLookHoweverLateItCame) {
  (void)pace.Next();
  clock.Advance(milliseconds(5'000));
  (void)pace.Next();
  clock.Advance(milliseconds(1'500));
  EXPECT_EQ(pace.Next(), Look::kQuick);
}

TEST_F(ClaimPaceTest, TellsHowLongUntilTheNextThoroughLook) {
  (void)pace.Next();
  clock.Advance(milliseconds(500));
  EXPECT_EQ(pace.UntilThorough(), milliseconds(1'500));
}

TEST_F(ClaimPaceTest, AnOverdueThoroughLookIsDueNow) {
  (void)pace.Next();
  clock.Advance(milliseconds(9'000));
  EXPECT_EQ(pace.UntilThorough(), milliseconds(0));
}

TEST_F(ClaimPaceTest, OfManyWorkersOneTakesTheThoroughLook) {
  std::atomic<int> thorough{0};
  std::vector<std::jthread> workers;
  for (int i = 0; i < 8; ++i)
    workers.emplace_back([&] { thorough += pace.Next() == Look::kThorough ? 1 : 0; });
  workers.clear();
  EXPECT_EQ(thorough, 1);
}

TEST(NameOfJobEndTest, EveryEndHasTheNameThatTheTableKeeps) {
  EXPECT_EQ(NameOf(JobEnd::kDone), "done");
  EXPECT_EQ(NameOf(JobEnd::kFailed), "failed");
  EXPECT_EQ(NameOf(JobEnd::kCancelled), "cancelled");
}

}  // namespace
}  // namespace pcw::jobs
