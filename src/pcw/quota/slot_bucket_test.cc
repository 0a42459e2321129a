#include "pcw/quota/slot_bucket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pcw::quota {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int kBurst = 3;
const SteadyTime kNow(std::chrono::hours(1));

/// Ten calls a second: a slot every 101 ms.
SlotBucket OfReads() {
  SlotBucket bucket;
  bucket.rate = 10;
  return bucket;
}

Error Ended(ErrorCode code) { return Error(code, "x"); }

TEST(IntervalOfTest, PcwSendsALittleMoreSlowlyThanAwsAllows) {
  EXPECT_EQ(IntervalOf(10), microseconds(101'000));
}

TEST(IntervalOfTest, ALiftedRateHasNoInterval) { EXPECT_EQ(IntervalOf(0), microseconds(0)); }

TEST(KeptOfDayTest, BulkReadsLeaveTheReserve) {
  EXPECT_EQ(KeptOfDay({}, false, Purpose::kBulk), 5'000);
}

TEST(KeptOfDayTest, WhoeverTheReserveIsForLeavesNothing) {
  EXPECT_EQ(KeptOfDay({}, false, Purpose::kReserved), 0);
}

TEST(KeptOfDayTest, OfWritesNothingIsKept) { EXPECT_EQ(KeptOfDay({}, true, Purpose::kBulk), 0); }

TEST(SlotBucketTest, LeasesHalfASecondAtOnce) { EXPECT_EQ(OfReads().chunk(), 4); }

TEST(SlotBucketTest, LeasesOneSlotOfASlowClass) {
  SlotBucket writes;
  writes.rate = 1;
  EXPECT_EQ(writes.chunk(), 1);
}

TEST(SlotBucketTest, LeasedSlotsAreAnIntervalApart) {
  SlotBucket bucket = OfReads();
  bucket.Add(kNow, 3);
  EXPECT_THAT(bucket.slots, ElementsAre(kNow, kNow + milliseconds(101), kNow + milliseconds(202)));
}

TEST(SlotBucketTest, SlotsToComeAreKept) {
  SlotBucket bucket = OfReads();
  bucket.Add(kNow, 2);
  bucket.DropStale(kNow, kBurst);
  EXPECT_EQ(bucket.slots.size(), 2U);
  EXPECT_EQ(bucket.stale, 0);
}

TEST(SlotBucketTest, OfSlotsThatPassedUnusedABurstIsKept) {
  SlotBucket bucket = OfReads();
  bucket.Add(kNow - milliseconds(909), 10);  // the last one is now
  bucket.DropStale(kNow, kBurst);
  EXPECT_EQ(bucket.slots.size(), 3U);
  EXPECT_EQ(bucket.stale, 7);
}

TEST(SlotBucketTest, WithoutABurstOnlyTheSlotOfNowIsKept) {
  SlotBucket bucket = OfReads();
  bucket.Add(kNow - milliseconds(202), 3);
  bucket.DropStale(kNow, 1);
  EXPECT_THAT(bucket.slots, ElementsAre(kNow));
}

TEST(SlotBucketTest, AfterALongSleepNoSlotIsKept) {
  SlotBucket bucket = OfReads();
  bucket.Add(kNow, 4);
  bucket.DropStale(kNow + seconds(60), kBurst);
  EXPECT_THAT(bucket.slots, IsEmpty());
  EXPECT_EQ(bucket.stale, 4);
}

TEST(SlotBucketTest, ASlotIsUsedWhenItsTimeHasCome) {
  SlotBucket bucket = OfReads();
  EXPECT_EQ(bucket.Use(kNow, kNow, kBurst), SlotUse::kSend);
  EXPECT_EQ(bucket.stale, 0);
}

TEST(SlotBucketTest, AThreadThatWakesALittleLateStillSends) {
  SlotBucket bucket = OfReads();
  EXPECT_EQ(bucket.Use(kNow, kNow + milliseconds(202), kBurst), SlotUse::kSend);
}

TEST(SlotBucketTest, AProcessThatSleptThroughItsSlotTakesAnother) {
  SlotBucket bucket = OfReads();
  EXPECT_EQ(bucket.Use(kNow, kNow + milliseconds(203), kBurst), SlotUse::kTooLate);
  EXPECT_EQ(bucket.stale, 1) << "the day gets it back";
}

TEST(SlotBucketTest, WithoutABurstATenthOfASecondIsNotLate) {
  SlotBucket bucket = OfReads();
  EXPECT_EQ(bucket.Use(kNow, kNow + milliseconds(100), 1), SlotUse::kSend);
  EXPECT_EQ(bucket.Use(kNow, kNow + milliseconds(101), 1), SlotUse::kTooLate);
}

TEST(SlotBucketTest, APauseThatCameMeanwhileHoldsForACallThatWaited) {
  SlotBucket bucket = OfReads();
  (void)bucket.Pause(kNow, seconds(1));
  EXPECT_EQ(bucket.Use(kNow, kNow, kBurst), SlotUse::kPaused);
  EXPECT_EQ(bucket.stale, 1);
}

TEST(SlotBucketTest, TheFirstSlotBehindAPauseIsUsed) {
  SlotBucket bucket = OfReads();
  (void)bucket.Pause(kNow, seconds(1));
  EXPECT_EQ(bucket.Use(kNow + seconds(1), kNow + seconds(1), kBurst), SlotUse::kSend);
}

TEST(SlotBucketTest, APauseIsAnIntervalAtLeast) {
  SlotBucket bucket = OfReads();
  EXPECT_EQ(bucket.Pause(kNow, milliseconds(0)), milliseconds(101));
  EXPECT_EQ(bucket.paused_until, kNow + milliseconds(101));
}

TEST(SlotBucketTest, AShorterPauseDoesNotEndALongerOne) {
  SlotBucket bucket = OfReads();
  (void)bucket.Pause(kNow, seconds(10));
  (void)bucket.Pause(kNow, seconds(1));
  EXPECT_EQ(bucket.paused_until, kNow + seconds(10));
}

TEST(EndedCallsTest, ASuccessIsNoError) {
  EndedCalls ended;
  ended.Note(nullptr);
  EXPECT_EQ(ended.ok, 1);
  EXPECT_FALSE(ended.error_code);
}

TEST(EndedCallsTest, AThrottleIsCountedByItself) {
  EndedCalls ended;
  const Error error = Ended(ErrorCode::kThrottled);
  ended.Note(&error);
  EXPECT_EQ(ended.throttled, 1);
  EXPECT_EQ(ended.failed, 0);
}

TEST(EndedCallsTest, RefusalsAreOfAuthenticationAndPermission) {
  EndedCalls ended;
  for (const ErrorCode code : {ErrorCode::kUnauthenticated, ErrorCode::kPermissionDenied}) {
    const Error error = Ended(code);
    ended.Note(&error);
  }
  EXPECT_EQ(ended.refused, 2);
}

TEST(EndedCallsTest, AnyOtherFailureIsAFailure) {
  EndedCalls ended;
  for (const ErrorCode code : {ErrorCode::kTimeout, ErrorCode::kNotFound}) {
    const Error error = Ended(code);
    ended.Note(&error);
  }
  EXPECT_EQ(ended.failed, 2);
}

TEST(EndedCallsTest, TheLastFailureIsNamedAsWeAndAsAwsCallIt) {
  EndedCalls ended;
  const Error first = Ended(ErrorCode::kTimeout);
  const Error last = Ended(ErrorCode::kThrottled).With("aws_error", "ThrottlingException");
  ended.Note(&first);
  ended.Note(&last);
  ended.Note(nullptr);
  EXPECT_EQ(ended.error_code, "throttled");
  EXPECT_EQ(ended.aws_error, "ThrottlingException");
}

TEST(EndedCallsTest, AFailureWithoutAnAnswerOfAwsHasNoNameOfItsOwn) {
  EndedCalls ended;
  const Error error = Ended(ErrorCode::kTimeout);
  ended.Note(&error);
  EXPECT_EQ(ended.aws_error, "");
}

}  // namespace
}  // namespace pcw::quota
