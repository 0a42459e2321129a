#include "pcw/dlq/dead_letter_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace pcw::dlq {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

DeadLetter Of(std::string record_key, Stage stage = Stage::kMap) {
  DeadLetter letter;
  letter.entity = "opportunities";
  letter.catalog = "AWS";
  letter.record_key = std::move(record_key);
  letter.stage = stage;
  return letter;
}

std::vector<std::size_t> Sizes(const std::vector<DeadLetter>& letters,
                               std::size_t most = kPutAtOnce) {
  std::vector<std::size_t> sizes;
  for (const auto& statement : StatementsOf(letters, most)) sizes.push_back(statement.size());
  return sizes;
}

TEST(StatementsOfTest, NoDeadLettersMakeNoStatement) { EXPECT_THAT(Sizes({}), IsEmpty()); }

TEST(StatementsOfTest, DifferentRecordsGoTogether) {
  EXPECT_THAT(Sizes({Of("O1"), Of("O2"), Of("O3")}), ElementsAre(3));
}

TEST(StatementsOfTest, TheSameRecordTwiceGoesIntoTwoStatementsInOrder) {
  EXPECT_THAT(Sizes({Of("O1"), Of("O2"), Of("O1"), Of("O3")}), ElementsAre(2, 2));
}

TEST(StatementsOfTest, ARecordThatFailedAtTwoStagesHasTwoRows) {
  EXPECT_THAT(Sizes({Of("O1", Stage::kFetch), Of("O1", Stage::kMap)}), ElementsAre(2));
}

TEST(StatementsOfTest, TheSameIdInAnotherEntityOrCatalogIsAnotherRecord) {
  DeadLetter lead = Of("X");
  lead.entity = "leads";
  DeadLetter sandbox = Of("X");
  sandbox.catalog = "Sandbox";
  EXPECT_THAT(Sizes({Of("X"), lead, sandbox}), ElementsAre(3));
}

TEST(StatementsOfTest, AStatementHasItsMost) {
  EXPECT_THAT(Sizes({Of("O1"), Of("O2"), Of("O3"), Of("O4"), Of("O5")}, 2), ElementsAre(2, 2, 1));
}

TEST(StatementsOfTest, ExactlyTheMostIsOneStatement) {
  EXPECT_THAT(Sizes({Of("O1"), Of("O2")}, 2), ElementsAre(2));
}

TEST(StatementsOfTest, WhatWasInAnEarlierStatementIsForgotten) {
  EXPECT_THAT(Sizes({Of("O1"), Of("O2"), Of("O1"), Of("O2")}, 2), ElementsAre(2, 2));
}

TEST(DeadLetterRowTest, HasItsIdAndNames) {
  const Json row = RowOf(Of("O1", Stage::kFetch), "the id");
  EXPECT_EQ(row["id"], "the id");
  EXPECT_EQ(row["record_key"], "O1");
  EXPECT_EQ(row["stage"], "fetch");
}

TEST(DeadLetterRowTest, WhatNeverReachedBronzePointsNowhere) {
  DeadLetter letter = Of("O1", Stage::kFetch);
  letter.bronze_line = 7;
  const Json row = RowOf(letter, "id");
  EXPECT_FALSE(row.contains("bronze_key"));
  EXPECT_FALSE(row.contains("bronze_line"));
}

TEST(DeadLetterRowTest, WhatLiesInBronzePointsToItsLine) {
  DeadLetter letter = Of("O1");
  letter.bronze_key = "bronze/k";
  letter.bronze_line = 7;
  const Json row = RowOf(letter, "id");
  EXPECT_EQ(row["bronze_key"], "bronze/k");
  EXPECT_EQ(row["bronze_line"], 7);
}

TEST(DeadLetterRowTest, AFirstTryIsNotAFailedReplay) {
  EXPECT_EQ(RowOf(Of("O1"), "id")["failed_replays"], 0);
}

TEST(DeadLetterRowTest, AFailedReplayCountsForTheLoopGuard) {
  DeadLetter letter = Of("O1");
  letter.is_replay = true;
  EXPECT_EQ(RowOf(letter, "id")["failed_replays"], 1);
}

TEST(DeadLetterRowTest, WhereNoMappingHadASayThereIsNoVersion) {
  EXPECT_FALSE(RowOf(Of("O1"), "id").contains("mapping_version"));
  DeadLetter letter = Of("O1");
  letter.mapping_version = 4;
  EXPECT_EQ(RowOf(letter, "id")["mapping_version"], 4);
}

TEST(DeadLetterRowTest, ADeadLetterOfNoRunNamesNone) {
  EXPECT_FALSE(RowOf(Of("O1"), "id").contains("run_id"));
}

TEST(DeadLetterRowTest, AMessageIsKeptWithTheBytesThatTheServerTakes) {
  DeadLetter letter = Of("m-1", Stage::kEvent);
  letter.original = std::string("a\nb\0c", 5);
  const std::string kept = RowOf(letter, "id")["original"];
  EXPECT_EQ(kept.find('\0'), std::string::npos);
  EXPECT_EQ(kept.substr(0, 3), "a\nb");
}

}  // namespace
}  // namespace pcw::dlq
