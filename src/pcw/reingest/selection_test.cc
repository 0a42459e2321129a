#include "pcw/reingest/selection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "fakes/result_matchers.h"
#include "pcw/base/time.h"

namespace pcw::reingest {
namespace {

using ::testing::ElementsAre;

WallTime At(const char* text) { return *ParseRfc3339(text); }

std::vector<std::uint64_t> Hashes(const std::vector<std::string>& ids) {
  std::vector<std::uint64_t> hashes;
  for (const std::string& id : ids) hashes.push_back(HashOfId(id));
  return hashes;
}

lake::ScannedLine Fetched(std::string_view id, std::string_view at = "2026-11-20T08:00:00Z") {
  lake::ScannedLine line;
  line.id = id;
  line.fetched_at = at;
  return line;
}

ReingestSelection Everything() {
  ReingestSelection selection;
  selection.since = At("2026-11-01T00:00:00Z");
  selection.until = At("2026-11-02T00:00:00Z");
  selection.run = "019aa000";
  selection.ids = {"O1", "O2"};
  selection.null_column = "stage";
  selection.letters = true;
  selection.finding = "42";
  return selection;
}

ReingestSelection ThereAndBack(const ReingestSelection& selection) {
  const auto read = ParseSelection(Json::parse(ToJson(selection).dump()));
  EXPECT_THAT(read, Succeeds());
  return *read;
}

TEST(ReingestSelectionTest, NothingSetIsAllOfTheEntity) {
  EXPECT_TRUE(ReingestSelection{}.is_all());
  EXPECT_EQ(ToJson({}).dump(), "{}");
}

TEST(ReingestSelectionTest, AnythingSetIsNotAll) {
  ReingestSelection by_id, by_letter, by_finding;
  by_id.ids = {"O1"};
  by_letter.letters = true;
  by_finding.finding = "42";
  EXPECT_FALSE(by_id.is_all());
  EXPECT_FALSE(by_letter.is_all());
  EXPECT_FALSE(by_finding.is_all());
}

TEST(ReingestSelectionTest, ComesBackAsItWasStored) {
  const ReingestSelection read = ThereAndBack(Everything());
  EXPECT_EQ(read.since, At("2026-11-01T00:00:00Z"));
  EXPECT_EQ(read.until, At("2026-11-02T00:00:00Z"));
  EXPECT_EQ(read.run, "019aa000");
  EXPECT_THAT(read.ids, ElementsAre("O1", "O2"));
  EXPECT_EQ(read.null_column, "stage");
  EXPECT_TRUE(read.letters);
  EXPECT_EQ(read.finding, "42");
}

TEST(ReingestSelectionTest, NothingComesBackAsNothing) { EXPECT_TRUE(ThereAndBack({}).is_all()); }

TEST(ReingestSelectionTest, ATimeThatIsNoneIsRefused) {
  EXPECT_FALSE(ParseSelection({{"since", "yesterday"}}).has_value());
}

TEST(ReingestSelectionTest, AMemberOfAnotherTypeIsRefused) {
  EXPECT_THAT(ParseSelection({{"ids", "O1"}}), FailsWith(ErrorCode::kConfig));
  EXPECT_THAT(ParseSelection({{"letters", "yes"}}), FailsWith(ErrorCode::kConfig));
}

TEST(RecordFilterTest, WithoutAConditionEveryRecordIsTaken) {
  EXPECT_TRUE(RecordFilter{}.Takes(Fetched("O1")));
}

TEST(RecordFilterTest, OnlyTheRecordsNamedAreTaken) {
  RecordFilter filter;
  filter.NarrowTo(Hashes({"O2", "O1"}));
  EXPECT_TRUE(filter.Takes(Fetched("O1")));
  EXPECT_TRUE(filter.Takes(Fetched("O2")));
  EXPECT_FALSE(filter.Takes(Fetched("O3")));
}

TEST(RecordFilterTest, NamedByNobodyNoRecordIsTaken) {
  RecordFilter filter;
  filter.NarrowTo({});
  EXPECT_FALSE(filter.Takes(Fetched("O1")));
}

TEST(RecordFilterTest, EachWayOfNamingNarrowsWhatTheOthersLeave) {
  RecordFilter filter;
  filter.NarrowTo(Hashes({"O1", "O2", "O3"}));
  filter.NarrowTo(Hashes({"O4", "O3", "O2"}));
  EXPECT_FALSE(filter.Takes(Fetched("O1")));
  EXPECT_TRUE(filter.Takes(Fetched("O2")));
  EXPECT_TRUE(filter.Takes(Fetched("O3")));
  EXPECT_FALSE(filter.Takes(Fetched("O4")));
}

TEST(RecordFilterTest, SinceIsThenOrLater) {
  RecordFilter filter;
  filter.since = At("2026-11-20T08:00:00Z");
  EXPECT_TRUE(filter.Takes(Fetched("O1", "2026-11-20T08:00:00Z")));
  EXPECT_FALSE(filter.Takes(Fetched("O1", "2026-11-20T07:59:59.999Z")));
}

TEST(RecordFilterTest, UntilIsBefore) {
  RecordFilter filter;
  filter.until = At("2026-11-20T08:00:00Z");
  EXPECT_TRUE(filter.Takes(Fetched("O1", "2026-11-20T07:59:59.999Z")));
  EXPECT_FALSE(filter.Takes(Fetched("O1", "2026-11-20T08:00:00Z")));
}

TEST(RecordFilterTest, ALineThatDoesNotSayWhenIsNotLeftOutByAccident) {
  RecordFilter filter;
  filter.since = At("2026-11-20T08:00:00Z");
  EXPECT_TRUE(filter.Takes(Fetched("O1", "")));
}

TEST(RecordFilterTest, ALineThatDoesNotSayWhenMustStillBeNamed) {
  RecordFilter filter;
  filter.since = At("2026-11-20T08:00:00Z");
  filter.NarrowTo(Hashes({"O2"}));
  EXPECT_FALSE(filter.Takes(Fetched("O1", "")));
}

TEST(UntilDayTest, ARunThatBeganOnTheDayItselfIsStillRead) {
  EXPECT_EQ(UntilDay(At("2026-11-03T00:00:01Z")), "2026/11/03");
}

TEST(CheckRunStartTest, EightCharactersAreEnough) {
  EXPECT_THAT(CheckRunStart("019aa000"), Succeeds());
  EXPECT_THAT(CheckRunStart("019aa00"), FailsWith(ErrorCode::kInvalidRequest));
}

TEST(CheckRunStartTest, AWholeIdIsTaken) {
  EXPECT_THAT(CheckRunStart("019aa000-0000-7000-8000-000000000001"), Succeeds());
}

TEST(CheckRunStartTest, WhatNoIdIsWrittenWithIsRefused) {
  for (const char* text : {"019AA000", "019aa00g", "019aa000%", "../../../.."})
    EXPECT_THAT(CheckRunStart(text), FailsWith(ErrorCode::kInvalidRequest)) << text;
}

}  // namespace
}  // namespace pcw::reingest
