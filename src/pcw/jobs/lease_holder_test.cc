#include "pcw/jobs/lease_holder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/fake_lease_store.h"
#include "fakes/fake_time.h"
#include "fakes/result_matchers.h"

namespace pcw::jobs {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Fence = std::optional<std::int64_t>;

const Error kAway(ErrorCode::kUnavailable, "the server is away");

class LeaseHolderTest : public ::testing::Test {
 protected:
  /// Takes the lease at once; then time that was slept counts from here.
  void TakeNow() {
    store.takes = {Fence(1)};
    ASSERT_THAT(holder.Take({}), Succeeds());
  }

  FakeClock clock;
  FakeSleeper sleeper{clock};
  FakeLeaseStore store;
  LeaseHolder holder{store, {.duration = seconds(30), .wait = milliseconds(200)}, clock, sleeper};
};

TEST_F(LeaseHolderTest, AFreeLeaseIsTakenAtOnce) {
  store.takes = {Fence(7)};
  ASSERT_THAT(holder.Take({}), Succeeds());
  EXPECT_EQ(holder.fence(), 7);
  EXPECT_THAT(sleeper.slept, IsEmpty());
}

TEST_F(LeaseHolderTest, AHolderThatGoesAwayWithinTheWaitIsReplaced) {
  store.takes = {Fence(), Fence(), Fence(8)};
  ASSERT_THAT(holder.Take({}), Succeeds());
  EXPECT_EQ(holder.fence(), 8);
  EXPECT_THAT(sleeper.slept, ElementsAre(milliseconds(50), milliseconds(50)));
}

TEST_F(LeaseHolderTest, AHolderThatStaysIsNamedAfterTheWait) {
  store.takes = {Fence()};
  const Status taken = holder.Take({});
  ASSERT_THAT(taken, FailsWith(ErrorCode::kConflict));
  EXPECT_EQ(taken.error().Find("holder"), "host-b:7");
}

TEST_F(LeaseHolderTest, TheWaitIsAsLongAsItIsSetAndTriesAtItsEnd) {
  store.takes = {Fence()};
  ASSERT_THAT(holder.Take({}), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(store.tried_with_hint, SizeIs(5)) << "at 0, 50, 100, 150 and 200 ms";
}

TEST_F(LeaseHolderTest, WithoutAWaitItIsTriedOnce) {
  LeaseHolder impatient(store, {.wait = milliseconds(0)}, clock, sleeper);
  store.takes = {Fence()};
  ASSERT_THAT(impatient.Take({}), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(store.tried_with_hint, SizeIs(1));
  EXPECT_THAT(sleeper.slept, IsEmpty());
}

TEST_F(LeaseHolderTest, AStopEndsTheWait) {
  store.takes = {Fence()};
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THAT(holder.Take(stop.get_token()), FailsWith(ErrorCode::kCancelled));
}

TEST_F(LeaseHolderTest, AServerThatIsAwayIsToldAndNotWaitedFor) {
  store.refused_opens = 1;
  EXPECT_THAT(holder.Take({}), FailsWith(ErrorCode::kUnavailable));
}

TEST_F(LeaseHolderTest, AFailedTryIsToldAndNotRepeated) {
  store.takes = {kAway, Fence(1)};
  EXPECT_THAT(holder.Take({}), FailsWith(ErrorCode::kUnavailable));
}

TEST_F(LeaseHolderTest, TheFreeHintIsTheWordThatTheOldHolderIsGone) {
  TakeNow();
  EXPECT_THAT(store.tried_with_hint, ElementsAre(true));
}

TEST_F(LeaseHolderTest, WithoutTheHintTheLeaseIsTriedAllTheSame) {
  store.gets_hint = false;
  store.takes = {Fence(2)};
  ASSERT_THAT(holder.Take({}), Succeeds()) << "it may have expired";
  EXPECT_THAT(store.tried_with_hint, ElementsAre(false));
}

TEST_F(LeaseHolderTest, AHintThatIsHadIsNotAskedForAgain) {
  store.takes = {Fence(), Fence(), Fence(3)};
  ASSERT_THAT(holder.Take({}), Succeeds());
  EXPECT_EQ(store.hints, 1);
}

TEST_F(LeaseHolderTest, AHintThatIsNotHadIsAskedForBeforeEachTry) {
  store.gets_hint = false;
  store.takes = {Fence(), Fence(), Fence(3)};
  ASSERT_THAT(holder.Take({}), Succeeds());
  EXPECT_EQ(store.hints, 3);
}

TEST_F(LeaseHolderTest, RenewsEveryThirdOfItsDurationUnderItsFence) {
  TakeNow();
  store.renewals = {true, true, false};
  EXPECT_TRUE(holder.KeepRenewing({}));
  EXPECT_THAT(sleeper.slept, ElementsAre(seconds(10), seconds(10), seconds(10)));
  EXPECT_THAT(store.renewed, Each(1));
}

TEST_F(LeaseHolderTest, ARenewalThatFindsAnotherFenceIsALoss) {
  TakeNow();
  store.renewals = {false};
  EXPECT_TRUE(holder.KeepRenewing({}));
  EXPECT_THAT(store.renewed, SizeIs(1)) << "and nothing is renewed after it";
}

TEST_F(LeaseHolderTest, ADatabaseThatIsAwayIsNoLossAndIsAskedTwiceASecond) {
  TakeNow();
  store.renewals = {kAway, kAway, true, false};
  EXPECT_TRUE(holder.KeepRenewing({})) << "lost by the last answer alone";
  EXPECT_THAT(sleeper.slept,
              ElementsAre(seconds(10), milliseconds(500), milliseconds(500), seconds(10)));
}

TEST_F(LeaseHolderTest, ANewSessionTakesTheHintAgain) {
  TakeNow();
  store.renewals = {kAway, true, false};
  EXPECT_TRUE(holder.KeepRenewing({}));
  EXPECT_EQ(store.opens, 2);
  EXPECT_EQ(store.hints, 2);
}

TEST_F(LeaseHolderTest, ASessionThatLostTheHintRenewsWithoutClaimingIt) {
  TakeNow();
  store.renewals = {kAway, true, false};
  store.gets_hint = false;
  EXPECT_TRUE(holder.KeepRenewing({}));
  EXPECT_THAT(store.renewed_with_hint, ElementsAre(true, false, false));
}

TEST_F(LeaseHolderTest, AServerThatRefusesTheNewSessionIsAskedAgain) {
  TakeNow();
  store.renewals = {kAway, false};
  store.refused_opens = 3;
  EXPECT_TRUE(holder.KeepRenewing({}));
  EXPECT_EQ(store.opens, 4);
  EXPECT_THAT(store.renewed, SizeIs(2));
}

TEST_F(LeaseHolderTest, AStopEndsTheRenewalWithoutALoss) {
  TakeNow();
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(holder.KeepRenewing(stop.get_token()));
  EXPECT_THAT(store.renewed, IsEmpty());
}

TEST_F(LeaseHolderTest, IsGivenBackUnderItsFence) {
  TakeNow();
  ASSERT_THAT(holder.Release(), Succeeds());
  EXPECT_THAT(store.released, ElementsAre(1));
}

TEST_F(LeaseHolderTest, WithoutASessionItIsLeftToExpire) {
  TakeNow();
  store.is_up = false;
  ASSERT_THAT(holder.Release(), Succeeds());
  EXPECT_THAT(store.released, IsEmpty());
}

}  // namespace
}  // namespace pcw::jobs
