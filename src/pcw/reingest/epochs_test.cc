#include "pcw/reingest/epochs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pcw::reingest {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

class ReingestEpochsTest : public ::testing::Test {
 protected:
  LoadResult Loaded(std::size_t epoch, std::int64_t inserted, std::int64_t updated = 0,
                    std::int64_t unchanged = 0) {
    LoadResult result;
    result.epoch = epoch;
    result.processed = inserted + updated + unchanged;
    result.inserted = inserted;
    result.updated = updated;
    result.unchanged = unchanged;
    return result;
  }
  /// Closes an epoch of `batches` that is whole with that object.
  void CloseWith(const std::string& key, std::size_t batches = 1) {
    epochs.AddObject(key);
    epochs.Close(batches);
  }
  ReingestOptions options;
  ReingestOutcome outcome;
  ReingestEpochs epochs{options, outcome};
};

TEST_F(ReingestEpochsTest, AnEpochWhoseBatchesAreCommittedIsProgress) {
  CloseWith("k1");
  EXPECT_TRUE(epochs.Take({Loaded(0, 3)}));
  EXPECT_EQ(outcome.completed_key, "k1");
  EXPECT_EQ(outcome.stats.rows_inserted, 3);
}

TEST_F(ReingestEpochsTest, AnEpochIsNoProgressWhileABatchIsOut) {
  CloseWith("k1", 2);
  EXPECT_FALSE(epochs.Take({Loaded(0, 3)}));
  EXPECT_EQ(outcome.completed_key, "");
  EXPECT_EQ(outcome.stats.rows_inserted, 0);
  EXPECT_TRUE(epochs.Take({Loaded(0, 2)}));
  EXPECT_EQ(outcome.stats.rows_inserted, 5);
}

TEST_F(ReingestEpochsTest, ALaterEpochWaitsForTheOneBefore) {
  CloseWith("k1");
  CloseWith("k2");
  EXPECT_FALSE(epochs.Take({Loaded(1, 1)}));
  EXPECT_EQ(outcome.completed_key, "") << "what a kill now leaves is read again";
  EXPECT_TRUE(epochs.Take({Loaded(0, 1)}));
  EXPECT_EQ(outcome.completed_key, "k2");
}

TEST_F(ReingestEpochsTest, AnEpochWithoutBatchesIsCompleteWithTheOnesBefore) {
  CloseWith("k1", 0);
  EXPECT_TRUE(epochs.Take({}));
  EXPECT_EQ(outcome.completed_key, "k1");
}

TEST_F(ReingestEpochsTest, AnEpochWithinAnObjectLeavesTheLastWholeOneStanding) {
  CloseWith("k1");
  epochs.Close(1);
  EXPECT_TRUE(epochs.Take({Loaded(0, 1), Loaded(1, 1)}));
  EXPECT_EQ(outcome.completed_key, "k1");
}

TEST_F(ReingestEpochsTest, RecordsThatWereLeftAloneCountAsProcessedAndUnchanged) {
  epochs.AddUnchanged();
  epochs.AddUnchanged();
  CloseWith("k1");
  epochs.Take({Loaded(0, 1, 1, 1)});
  EXPECT_EQ(outcome.stats.records_processed, 5);
  EXPECT_EQ(outcome.stats.rows_unchanged, 3);
  EXPECT_TRUE(outcome.stats.AddsUp());
}

TEST_F(ReingestEpochsTest, DeadLettersCountAsListed) {
  CloseWith("k1");
  LoadResult result = Loaded(0, 2);
  result.dead_lettered = 3;
  epochs.Take({result});
  EXPECT_EQ(outcome.stats.records_listed, 5);
  EXPECT_TRUE(outcome.stats.AddsUp());
}

TEST_F(ReingestEpochsTest, ValuesThatDidNotFitAreCounted) {
  epochs.AddMisfits(4);
  CloseWith("k1");
  epochs.Take({Loaded(0, 1)});
  EXPECT_EQ(outcome.stats.misfits, 4);
}

TEST_F(ReingestEpochsTest, CountsItsOpenRecordsUntilItIsClosed) {
  epochs.AddUnchanged();
  epochs.AddSent(7);
  EXPECT_EQ(epochs.open_records(), 2);
  EXPECT_EQ(epochs.open_number(), 0U);
  epochs.Close(1);
  EXPECT_EQ(epochs.open_records(), 0);
  EXPECT_EQ(epochs.open_number(), 1U);
}

TEST_F(ReingestEpochsTest, ARecordIsInFlightUntilItsEpochIsCommitted) {
  epochs.AddSent(7);
  CloseWith("k1");
  EXPECT_TRUE(epochs.IsInFlight(7));
  epochs.Take({Loaded(0, 1)});
  EXPECT_FALSE(epochs.IsInFlight(7));
}

TEST_F(ReingestEpochsTest, ARecordThatWasSentAgainStaysInFlight) {
  epochs.AddSent(7);
  CloseWith("k1");
  epochs.AddSent(7);
  CloseWith("k2");
  epochs.Take({Loaded(0, 1)});
  EXPECT_TRUE(epochs.IsInFlight(7));
  epochs.Take({Loaded(1, 0, 1)});
  EXPECT_FALSE(epochs.IsInFlight(7));
}

TEST_F(ReingestEpochsTest, ARecordThatWasNeverSentIsNotInFlight) {
  EXPECT_FALSE(epochs.IsInFlight(7));
}

class DryRunEpochsTest : public ReingestEpochsTest {
 protected:
  DryRunEpochsTest() { options.is_dry_run = true; }
  LoadResult Compared(std::size_t epoch, std::int64_t processed, std::vector<std::string> new_ids,
                      std::int64_t changed = 0) {
    LoadResult result;
    result.epoch = epoch;
    result.processed = processed;
    result.comparison.new_ids = std::move(new_ids);
    result.comparison.changed = changed;
    return result;
  }
};

TEST_F(DryRunEpochsTest, WhatWouldBeNewOrChangedIsCountedAndTheRestIsUnchanged) {
  CloseWith("k1");
  epochs.Take({Compared(0, 5, {"O1", "O2"}, 1)});
  EXPECT_EQ(outcome.stats.rows_inserted, 2);
  EXPECT_EQ(outcome.stats.rows_updated, 1);
  EXPECT_EQ(outcome.stats.rows_unchanged, 2);
}

TEST_F(DryRunEpochsTest, ARecordThatBronzeHoldsInSeveralVersionsIsNewOnce) {
  CloseWith("k1");
  CloseWith("k2");
  epochs.Take({Compared(0, 1, {"O1"}), Compared(1, 1, {"O1"})});
  EXPECT_EQ(outcome.stats.rows_inserted, 1);
  EXPECT_EQ(outcome.stats.rows_unchanged, 1);
}

TEST_F(DryRunEpochsTest, OlderVersionsAreCountedByThemselves) {
  CloseWith("k1");
  LoadResult result = Compared(0, 2, {});
  result.comparison.older = 2;
  epochs.Take({result});
  EXPECT_EQ(outcome.rows_older, 2);
}

TEST_F(DryRunEpochsTest, ColumnsThatWouldChangeAreAddedUpWithThreeExamples) {
  CloseWith("k1", 2);
  LoadResult first = Compared(0, 2, {}, 2);
  first.comparison.columns = {{"stage", 2, {{"O1", "a", "b"}, {"O2", "a", "b"}}}};
  LoadResult second = first;
  epochs.Take({first, second});
  ASSERT_THAT(outcome.columns, SizeIs(1));
  EXPECT_EQ(outcome.columns[0].column, "stage");
  EXPECT_EQ(outcome.columns[0].rows, 4);
  EXPECT_THAT(outcome.columns[0].examples, SizeIs(3));
}

TEST_F(DryRunEpochsTest, AReplayTellsWhatWouldBecomeOfEachRecord) {
  std::vector<std::string> told;
  options.replay.emplace();
  options.replay->on_fate = [&](const dlq::ReplayFate& fate) {
    told.push_back(fate.record_key + " " + std::string(NameOf(fate.outcome)));
  };
  CloseWith("k1");
  LoadResult result = Compared(0, 3, {"O1"});
  result.comparison.changed_ids = {"O2"};
  result.landed = {"O1", "O2", "O3"};
  result.refused = {"O4"};
  epochs.Take({result});
  EXPECT_THAT(told,
              ElementsAre("O1 new row", "O2 changes the row", "O3 row is up to date", "O4 fails"));
}

TEST_F(ReingestEpochsTest, ARunThatIsNotDryTellsNothingRecordByRecord) {
  int told = 0;
  options.replay.emplace();
  options.replay->on_fate = [&](const dlq::ReplayFate&) { ++told; };
  CloseWith("k1");
  LoadResult result = Loaded(0, 1);
  result.landed = {"O1"};
  epochs.Take({result});
  EXPECT_EQ(told, 0);
}

}  // namespace
}  // namespace pcw::reingest
