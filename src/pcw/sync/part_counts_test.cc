#include "pcw/sync/part_counts.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace pcw::sync {
namespace {

runs::RunStats Before() {
  runs::RunStats before;
  before.records_listed = 10;
  before.records_processed = 10;
  before.rows_inserted = 10;
  before.parts = 1;
  before.api_calls = 12;
  return before;
}

TEST(CountedTest, EveryOutcomeOfARecordIsCountedAndTheySumUp) {
  const runs::RunStats after = Counted(Before(), {.skipped = 1,
                                                  .duplicate = 2,
                                                  .absent = 3,
                                                  .mapped = 15,
                                                  .merged = {4, 5, 6},
                                                  .dead_lettered = 7,
                                                  .part = 2});
  EXPECT_EQ(after.records_listed, 10 + 1 + 2 + 3 + 15 + 7);
  EXPECT_EQ(after.records_processed, 10 + 3 + 15);
  EXPECT_TRUE(after.AddsUp());
}

TEST(CountedTest, ARecordThatAwsNeedNotHaveIsProcessedAndUnchanged) {
  const runs::RunStats after = Counted({}, {.absent = 3});
  EXPECT_EQ(after.records_absent, 3);
  EXPECT_EQ(after.rows_unchanged, 3);
  EXPECT_EQ(after.records_processed, 3);
  EXPECT_TRUE(after.AddsUp());
}

TEST(CountedTest, ARecordThatIsDeferredIsNotListedYet) {
  const runs::RunStats after = Counted({}, {.deferred = 4});
  EXPECT_EQ(after.records_deferred, 4);
  EXPECT_EQ(after.records_listed, 0);
}

TEST(CountedTest, ADeadLetterIsListedAndNotProcessed) {
  const runs::RunStats after = Counted({}, {.dead_lettered = 2});
  EXPECT_EQ(after.records_listed, 2);
  EXPECT_EQ(after.records_processed, 0);
}

TEST(CountedTest, ABatchThatStoredNothingLeavesTheNumberOfParts) {
  EXPECT_EQ(Counted(Before(), {.skipped = 1}).parts, 1);
  EXPECT_EQ(Counted(Before(), {.mapped = 1, .merged = {1, 0, 0}, .part = 2}).parts, 2);
}

TEST(CountedTest, ValuesThatDidNotFitAreNotRecords) {
  const runs::RunStats after = Counted({}, {.misfits = 9});
  EXPECT_EQ(after.misfits, 9);
  EXPECT_EQ(after.records_listed, 0);
}

TEST(CountedTest, WhatTheCallsCameToIsLeftAlone) {
  EXPECT_EQ(Counted(Before(), {.mapped = 1}).api_calls, 12);
}

TEST(CountedBeforeTest, RecordsAndRowsAreThoseThatAreStored) {
  const runs::RunStats after =
      CountedBefore(Before(), {{"records_listed", 25}, {"rows_inserted", 20}}, 2);
  EXPECT_EQ(after.records_listed, 25);
  EXPECT_EQ(after.rows_inserted, 20);
  EXPECT_EQ(after.parts, 2);
}

TEST(CountedBeforeTest, CallsAreThoseOfNow) {
  EXPECT_EQ(CountedBefore(Before(), {{"api_calls", 5}}, 2).api_calls, 12);
}

TEST(CountedBeforeTest, WhatIsNotStoredStaysAsItWas) {
  EXPECT_EQ(CountedBefore(Before(), Json::object(), 2).records_processed, 10);
}

TEST(CountedBeforeTest, EveryCounterOfRecordsComesBack) {
  const Json stored{{"records_listed", 1},   {"records_skipped", 2},   {"records_duplicate", 3},
                    {"records_deferred", 4}, {"records_processed", 5}, {"rows_inserted", 6},
                    {"rows_updated", 7},     {"rows_unchanged", 8},    {"records_absent", 9},
                    {"dead_lettered", 10},   {"misfits", 11}};
  const runs::RunStats after = CountedBefore({}, stored, 1);
  EXPECT_EQ(after.records_listed, 1);
  EXPECT_EQ(after.records_skipped, 2);
  EXPECT_EQ(after.records_duplicate, 3);
  EXPECT_EQ(after.records_deferred, 4);
  EXPECT_EQ(after.records_processed, 5);
  EXPECT_EQ(after.rows_inserted, 6);
  EXPECT_EQ(after.rows_updated, 7);
  EXPECT_EQ(after.rows_unchanged, 8);
  EXPECT_EQ(after.records_absent, 9);
  EXPECT_EQ(after.dead_lettered, 10);
  EXPECT_EQ(after.misfits, 11);
}

TEST(FailedRanksTest, ARecordThatDidNotFailIsSettledByAnySource) {
  EXPECT_TRUE(FailedRanks().MaySettle("L1", 0));
}

TEST(FailedRanksTest, WhatALowerSourceTellsIsNoAnswerToAFailureOfAHigherOne) {
  FailedRanks failed;
  failed.Note("L1", 1);
  EXPECT_FALSE(failed.MaySettle("L1", 0));
  EXPECT_TRUE(failed.MaySettle("L1", 1));
}

TEST(FailedRanksTest, TheHighestRankThatFailedCounts) {
  FailedRanks failed;
  failed.Note("L1", 1);
  failed.Note("L1", 0);
  EXPECT_FALSE(failed.MaySettle("L1", 0));
}

TEST(FailedRanksTest, ALaterFailureOfAHigherSourceCounts) {
  FailedRanks failed;
  failed.Note("L1", 0);
  failed.Note("L1", 1);
  EXPECT_FALSE(failed.MaySettle("L1", 0));
}

TEST(FailedRanksTest, RecordsFailByThemselves) {
  FailedRanks failed;
  failed.Note("L1", 1);
  EXPECT_TRUE(failed.MaySettle("L2", 0));
}

}  // namespace
}  // namespace pcw::sync
