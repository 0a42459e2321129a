#include "pcw/jobs/job_keeper.h"

#include <atomic>
#include <deque>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/gate_sleeper.h"

namespace pcw::jobs {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;

constexpr Beat kAlive{.is_ours = true, .is_cancelled = false, .since_progress = seconds(1)};

Beat Silent(seconds since_progress) {
  return {.is_ours = true, .is_cancelled = false, .since_progress = since_progress};
}

/// Plays back what the database answers to each beat; the last answer for ever.
class ScriptedBeats {
 public:
  explicit ScriptedBeats(std::deque<Result<Beat>> answers) : answers_(std::move(answers)) {}
  Result<Beat> operator()(std::int64_t progress, std::stop_token) {
    told.push_back(progress);
    Result<Beat> answer = answers_.front();
    if (answers_.size() > 1) answers_.pop_front();
    ++count;
    return answer;
  }
  std::vector<std::int64_t> told;
  std::atomic<int> count{0};

 private:
  std::deque<Result<Beat>> answers_;
};

class JobKeeperTest : public ::testing::Test {
 protected:
  void Start(std::deque<Result<Beat>> answers) {
    beats.emplace(std::move(answers));
    keeper.emplace([this](std::int64_t progress,
                          std::stop_token stop) { return (*beats)(progress, std::move(stop)); },
                   Job{}, ClaimTerms{.lease = seconds(30), .stall_after = seconds(60)}, sleeper,
                   drain.get_token());
  }
  // The thread is gone after its last beat, so nobody waits for it to sleep again.
  void StepToTheEnd(int beats_in_all) {
    sleeper.Step([&] { return beats->count >= beats_in_all && keeper->stop().stop_requested(); });
  }

  GateSleeper sleeper;
  std::stop_source drain;
  std::optional<ScriptedBeats> beats;
  std::optional<JobKeeper> keeper;
};

TEST_F(JobKeeperTest, WhileTheJobIsOursTheWorkGoesOn) {
  Start({kAlive});
  sleeper.Step();
  sleeper.Step();
  EXPECT_FALSE(keeper->stop().stop_requested());
  EXPECT_EQ(keeper->cause(), StopCause::kNone);
  EXPECT_EQ(beats->count, 2);
}

TEST_F(JobKeeperTest, BeatsEveryTwoSecondsUnderAnOrdinaryLease) {
  Start({kAlive});
  sleeper.Step();
  EXPECT_THAT(sleeper.slept(), ElementsAre(seconds(2), seconds(2)));
}

TEST_F(JobKeeperTest, EachBeatTellsWhatTheWorkReported) {
  Start({kAlive});
  keeper->Report(7);
  sleeper.Step();
  keeper->Report(9);
  sleeper.Step();
  EXPECT_THAT(beats->told, ElementsAre(7, 9));
}

TEST_F(JobKeeperTest, ADatabaseThatIsAwayIsNoLoss) {
  Start({Error(ErrorCode::kUnavailable, "away"), kAlive});
  sleeper.Step();
  EXPECT_FALSE(keeper->stop().stop_requested());
  sleeper.Step();
  EXPECT_FALSE(keeper->stop().stop_requested());
}

TEST_F(JobKeeperTest, ATakeoverStopsTheWorkAndEndsTheBeats) {
  Start({Beat{}});
  StepToTheEnd(1);
  EXPECT_TRUE(keeper->stop().stop_requested());
  EXPECT_EQ(keeper->cause(), StopCause::kLost);
}

TEST_F(JobKeeperTest, AfterACancelTheLeaseIsKeptWhileTheWorkWindsUp) {
  Beat cancelled = kAlive;
  cancelled.is_cancelled = true;
  Start({cancelled});
  sleeper.Step();
  sleeper.Step();
  EXPECT_EQ(keeper->cause(), StopCause::kCancelled);
  EXPECT_EQ(beats->count, 2) << "still beating";
}

TEST_F(JobKeeperTest, TheFirstCauseStaysTheCause) {
  Beat cancelled = kAlive;
  cancelled.is_cancelled = true;
  Start({cancelled, Silent(seconds(121))});
  sleeper.Step();
  sleeper.Step();
  EXPECT_EQ(keeper->cause(), StopCause::kCancelled);
}

TEST_F(JobKeeperTest, WorkWithoutProgressIsStoppedAsStalled) {
  Start({Silent(seconds(121))});
  sleeper.Step();
  EXPECT_EQ(keeper->cause(), StopCause::kStalled);
}

TEST_F(JobKeeperTest, TheEndOfTheProcessStopsTheWork) {
  Start({kAlive});
  drain.request_stop();
  EXPECT_TRUE(keeper->stop().stop_requested());
  EXPECT_EQ(keeper->cause(), StopCause::kDrained);
}

TEST_F(JobKeeperTest, ADrainedJobKeepsBeatingUntilItsWorkHasEnded) {
  Start({kAlive});
  drain.request_stop();
  sleeper.Step();
  EXPECT_EQ(beats->count, 1);
}

}  // namespace
}  // namespace pcw::jobs
