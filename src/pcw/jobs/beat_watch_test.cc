#include "pcw/jobs/beat_watch.h"

#include <gtest/gtest.h>

namespace pcw::jobs {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr ClaimTerms kTerms{.lease = seconds(30), .stall_after = seconds(600)};

Beat OursAfter(milliseconds since_progress) {
  return {.is_ours = true, .is_cancelled = false, .since_progress = since_progress};
}

BeatVerdict Judged(const Beat& beat) { return BeatWatch(kTerms).Judge(beat); }

TEST(BeatPauseTest, AThirdOfAShortLease) {
  EXPECT_EQ(BeatPause({.lease = milliseconds(900)}), milliseconds(300));
}

TEST(BeatPauseTest, TwoSecondsAtMostSoThatACancelIsHeard) {
  EXPECT_EQ(BeatPause({.lease = seconds(30)}), seconds(2));
}

TEST(BeatPauseTest, TheBoundIsReachedAtSixSeconds) {
  EXPECT_EQ(BeatPause({.lease = milliseconds(5'997)}), milliseconds(1'999));
  EXPECT_EQ(BeatPause({.lease = milliseconds(6'003)}), milliseconds(2'000));
}

TEST(BeatWatchTest, ABeatThatIsOursAndQuickGoesOn) {
  const BeatVerdict verdict = Judged(OursAfter(seconds(1)));
  EXPECT_EQ(verdict.stop, StopCause::kNone);
  EXPECT_FALSE(verdict.begins_to_stall);
  EXPECT_FALSE(verdict.is_last);
}

TEST(BeatWatchTest, AJobThatAnotherTookIsLostAndBeatsNoMore) {
  const BeatVerdict verdict = Judged(Beat{});
  EXPECT_EQ(verdict.stop, StopCause::kLost);
  EXPECT_TRUE(verdict.is_last);
}

TEST(BeatWatchTest, ALostJobIsLostWhateverElseTheBeatSays) {
  const Beat beat{.is_ours = false, .is_cancelled = true, .since_progress = seconds(9'000)};
  EXPECT_EQ(Judged(beat).stop, StopCause::kLost);
}

TEST(BeatWatchTest, ACancelStopsTheWorkAndKeepsTheLease) {
  Beat beat = OursAfter(seconds(1));
  beat.is_cancelled = true;
  const BeatVerdict verdict = Judged(beat);
  EXPECT_EQ(verdict.stop, StopCause::kCancelled);
  EXPECT_FALSE(verdict.is_last) << "it winds up under its lease";
}

TEST(BeatWatchTest, ACancelIsTheCauseEvenOfStalledWork) {
  Beat beat = OursAfter(seconds(1'201));
  beat.is_cancelled = true;
  EXPECT_EQ(Judged(beat).stop, StopCause::kCancelled);
}

TEST(BeatWatchTest, SlowWorkIsTalkedAboutAndNotStopped) {
  const BeatVerdict verdict = Judged(OursAfter(seconds(601)));
  EXPECT_TRUE(verdict.begins_to_stall);
  EXPECT_EQ(verdict.stop, StopCause::kNone);
}

TEST(BeatWatchTest, AtTheLimitItselfNothingIsSlowYet) {
  EXPECT_FALSE(Judged(OursAfter(seconds(600))).begins_to_stall);
}

TEST(BeatWatchTest, AStallIsToldOnce) {
  BeatWatch watch(kTerms);
  EXPECT_TRUE(watch.Judge(OursAfter(seconds(601))).begins_to_stall);
  EXPECT_FALSE(watch.Judge(OursAfter(seconds(603))).begins_to_stall);
}

TEST(BeatWatchTest, ASecondStallAfterProgressIsToldAgain) {
  BeatWatch watch(kTerms);
  EXPECT_TRUE(watch.Judge(OursAfter(seconds(601))).begins_to_stall);
  EXPECT_FALSE(watch.Judge(OursAfter(seconds(1))).begins_to_stall);
  EXPECT_TRUE(watch.Judge(OursAfter(seconds(601))).begins_to_stall);
}

TEST(BeatWatchTest, TwiceTheTimeWithoutProgressStopsTheWork) {
  EXPECT_EQ(Judged(OursAfter(seconds(1'200))).stop, StopCause::kNone);
  EXPECT_EQ(Judged(OursAfter(seconds(1'200) + milliseconds(1))).stop, StopCause::kStalled);
}

TEST(BeatWatchTest, StoppedWorkKeepsItsLeaseWhileItWindsUp) {
  EXPECT_FALSE(Judged(OursAfter(seconds(1'500))).is_last);
}

TEST(BeatWatchTest, WorkThatHearsNoStopIsLeftToATakeover) {
  EXPECT_FALSE(Judged(OursAfter(seconds(2'400))).is_last);
  EXPECT_TRUE(Judged(OursAfter(seconds(2'400) + milliseconds(1))).is_last);
}

}  // namespace
}  // namespace pcw::jobs
