#include "pcw/sync/listed_outcome.h"

#include <gtest/gtest.h>

#include "pcw/base/time.h"

namespace pcw::sync {
namespace {

constexpr auto kRun = "this run";

tables::HeldRecord Held(const char* version, const char* run = "an earlier run", int rank = 0) {
  return {.version = version, .listed = "", .modified_at = {}, .last_seen_run = run, .rank = rank};
}

ListedRecord Listed(const char* version, int rank = 0) {
  return {.version = version, .rank = rank, .has_detail = true};
}

TEST(OutcomeOfListedTest, WhatNobodyKnowsIsFetchedOrTakenAsItIs) {
  ListedRecord listed = Listed("1");
  EXPECT_EQ(OutcomeOfListed(listed, nullptr, nullptr, kRun), ListedOutcome::kFetch);
  listed.has_detail = false;
  EXPECT_EQ(OutcomeOfListed(listed, nullptr, nullptr, kRun), ListedOutcome::kTakeAsListed);
}

TEST(OutcomeOfListedTest, WhatFailedBeforeIsFetchedAfterAllOthers) {
  ListedRecord listed = Listed("1");
  listed.has_failed_before = true;
  EXPECT_EQ(OutcomeOfListed(listed, nullptr, nullptr, kRun), ListedOutcome::kFetchLast);
  const tables::HeldRecord held = Held("1");
  EXPECT_EQ(OutcomeOfListed(listed, nullptr, &held, kRun), ListedOutcome::kSkipped);
}

TEST(OutcomeOfListedTest, TheHeldVersionIsSkippedAndAnotherFetched) {
  const tables::HeldRecord held = Held("1");
  EXPECT_EQ(OutcomeOfListed(Listed("1"), nullptr, &held, kRun), ListedOutcome::kSkipped);
  EXPECT_EQ(OutcomeOfListed(Listed("2"), nullptr, &held, kRun), ListedOutcome::kFetch);
  const tables::HeldRecord of_run = Held("1", kRun);
  EXPECT_EQ(OutcomeOfListed(Listed("1"), nullptr, &of_run, kRun), ListedOutcome::kDuplicate);
}

TEST(OutcomeOfListedTest, TheSameInstantIsTheSameVersion) {
  tables::HeldRecord held = Held("2026-03-01T10:00:30Z");
  held.modified_at = *ParseRfc3339(held.version);
  EXPECT_EQ(OutcomeOfListed(Listed("2026-03-01T10:00:30.000Z"), nullptr, &held, kRun),
            ListedOutcome::kSkipped);
}

TEST(OutcomeOfListedTest, TheListsOwnNameOfAHeldVersionIsThatVersion) {
  tables::HeldRecord held = Held("2026-03-01T10:00:30.123Z");
  held.listed = "2026-03-01T10:00:30Z";
  EXPECT_EQ(OutcomeOfListed(Listed("2026-03-01T10:00:30Z"), nullptr, &held, kRun),
            ListedOutcome::kSkipped);
}

TEST(OutcomeOfListedTest, AHintIsAskedForOncePerRun) {
  ListedRecord listed = Listed("1");
  listed.is_version_only_hint = true;
  const tables::HeldRecord held = Held("1");
  EXPECT_EQ(OutcomeOfListed(listed, nullptr, &held, kRun), ListedOutcome::kFetch);
  const tables::HeldRecord of_run = Held("1", kRun);
  EXPECT_EQ(OutcomeOfListed(listed, nullptr, &of_run, kRun), ListedOutcome::kDuplicate);
}

TEST(OutcomeOfListedTest, ALowerSourceHasNothingToAdd) {
  const tables::HeldRecord held = Held("x", "an earlier run", 1);
  EXPECT_EQ(OutcomeOfListed(Listed("1", 0), nullptr, &held, kRun), ListedOutcome::kSkipped);
  const PendingRecord pending{.version = "x", .rank = 1};
  EXPECT_EQ(OutcomeOfListed(Listed("1", 0), &pending, nullptr, kRun), ListedOutcome::kDuplicate);
}

TEST(OutcomeOfListedTest, AHigherSourceIsFetchedWhateverIsHeld) {
  const tables::HeldRecord held = Held("1", "an earlier run", 0);
  EXPECT_EQ(OutcomeOfListed(Listed("1", 1), nullptr, &held, kRun), ListedOutcome::kFetch);
}

TEST(OutcomeOfListedTest, WhatFailedInThisRunIsNotTriedAgainAtTheSameVersion) {
  const PendingRecord failed{.version = "1", .rank = 0, .has_failed = true};
  const tables::HeldRecord held = Held("0");
  EXPECT_EQ(OutcomeOfListed(Listed("1"), &failed, &held, kRun), ListedOutcome::kDuplicate);
  EXPECT_EQ(OutcomeOfListed(Listed("2"), &failed, &held, kRun), ListedOutcome::kFetch);
}

TEST(OutcomeOfListedTest, AFailedRecordKeepsNoLowerSourceOut) {
  const PendingRecord failed{.version = "1", .rank = 1, .has_failed = true};
  EXPECT_EQ(OutcomeOfListed(Listed("x", 0), &failed, nullptr, kRun), ListedOutcome::kFetch);
}

TEST(OutcomeOfListedTest, ALowerSourceIsADuplicateOfWhatAHigherOneLandedInThisRun) {
  const tables::HeldRecord held = Held("x", kRun, 1);
  EXPECT_EQ(OutcomeOfListed(Listed("1", 0), nullptr, &held, kRun), ListedOutcome::kDuplicate);
}

TEST(OutcomeOfListedTest, AHintOfALowerSourceAsksForNothing) {
  ListedRecord listed = Listed("1", 0);
  listed.is_version_only_hint = true;
  const tables::HeldRecord held = Held("1", "an earlier run", 1);
  EXPECT_EQ(OutcomeOfListed(listed, nullptr, &held, kRun), ListedOutcome::kSkipped);
}

TEST(OutcomeOfListedTest, ANewVersionWhileAnOlderOneIsPendingIsFetched) {
  const PendingRecord pending{.version = "1", .rank = 0};
  EXPECT_EQ(OutcomeOfListed(Listed("2"), &pending, nullptr, kRun), ListedOutcome::kFetch);
}

TEST(OutcomeOfListedTest, TheSameVersionWhileItIsPendingIsADuplicate) {
  const PendingRecord pending{.version = "1", .rank = 0};
  EXPECT_EQ(OutcomeOfListed(Listed("1"), &pending, nullptr, kRun), ListedOutcome::kDuplicate);
}

TEST(OutcomeOfListedTest, AnotherInstantIsAnotherVersionHoweverItIsSpelled) {
  tables::HeldRecord held = Held("2026-03-01T10:00:30Z");
  held.modified_at = *ParseRfc3339(held.version);
  EXPECT_EQ(OutcomeOfListed(Listed("2026-03-01T10:00:31Z"), nullptr, &held, kRun),
            ListedOutcome::kFetch);
}

TEST(OutcomeOfListedTest, AnItemThatIsItsOwnRecordIsNotDeferredForAFailure) {
  ListedRecord listed = Listed("1");
  listed.has_detail = false;
  listed.has_failed_before = true;
  EXPECT_EQ(OutcomeOfListed(listed, nullptr, nullptr, kRun), ListedOutcome::kTakeAsListed);
}

}  // namespace
}  // namespace pcw::sync
