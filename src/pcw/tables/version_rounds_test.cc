#include "pcw/tables/version_rounds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pcw::tables {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

MappedRecord Version(const std::string& id, int at, std::uint8_t bytes) {
  MappedRecord record;
  record.id = id;
  record.row.values.emplace_back(WallTime(std::chrono::seconds(at)));
  record.row.values.emplace_back(std::string("v"));
  record.payload_sha256[0] = bytes;
  return record;
}

std::vector<std::vector<int>> Rounds(const std::vector<MappedRecord>& records, VersionClock clock) {
  std::vector<std::vector<int>> places;
  for (const auto& round : RoundsOf(records, 0, 1, clock)) {
    places.emplace_back();
    for (const MappedRecord* record : round)
      places.back().push_back(static_cast<int>(record - records.data()));
  }
  return places;
}

TEST(RoundsOfTest, OfTimedVersionsTheNewestStands) {
  const std::vector<MappedRecord> records{Version("a", 1, 1), Version("b", 1, 1),
                                          Version("a", 3, 3), Version("a", 2, 2)};

  EXPECT_THAT(Rounds(records, VersionClock::kSource), ElementsAre(ElementsAre(2, 1)));
}

TEST(RoundsOfTest, OfOneInstantTheLaterReadStands) {
  const std::vector<MappedRecord> records{Version("a", 1, 1), Version("a", 1, 2)};

  EXPECT_THAT(Rounds(records, VersionClock::kSource), ElementsAre(ElementsAre(1)));
}

TEST(RoundsOfTest, ObservedVersionsTakeARoundForEachChange) {
  const std::vector<MappedRecord> records{Version("a", 1, 1), Version("a", 2, 1),
                                          Version("a", 3, 2), Version("a", 4, 1)};

  EXPECT_THAT(Rounds(records, VersionClock::kObserved),
              ElementsAre(ElementsAre(0), ElementsAre(2), ElementsAre(3)));
}

TEST(RoundsOfTest, TheSameBytesUnderAnotherVersionAreAnotherVersion) {
  std::vector<MappedRecord> records{Version("a", 1, 1), Version("a", 2, 1)};
  records[1].row.values[1] = std::string("w");

  EXPECT_THAT(Rounds(records, VersionClock::kObserved),
              ElementsAre(ElementsAre(0), ElementsAre(1)));
}

TEST(RoundsOfTest, AnAcceptedOlderVersionIsNotSwallowedByWhatFollows) {
  std::vector<MappedRecord> records{Version("a", 99, 1), Version("a", 2, 2), Version("a", 3, 3)};
  records[1].accepts_older = true;

  EXPECT_THAT(Rounds(records, VersionClock::kSource), ElementsAre(ElementsAre(1), ElementsAre(2)));
}

TEST(RoundsOfTest, AFetchThatWasNotListedTakesNoListedNameAway) {
  std::vector<MappedRecord> records{Version("a", 1, 1), Version("a", 1, 1)};
  records[0].listed_version = "2026-01-01T00:00:00Z";

  EXPECT_THAT(Rounds(records, VersionClock::kSource), ElementsAre(ElementsAre(0)));
}

TEST(RoundsOfTest, ALowerSourceSaysNothingAfterAHigherOne) {
  std::vector<MappedRecord> records{Version("a", 1, 1), Version("a", 9, 2)};
  records[0].rank = 1;

  EXPECT_THAT(Rounds(records, VersionClock::kObserved), ElementsAre(ElementsAre(0)));
}

TEST(RoundsOfTest, ASparseRecordNeverReplacesTheOneItAddsTo) {
  std::vector<MappedRecord> records{Version("a", 1, 1), Version("a", 2, 2)};
  records[1].is_sparse = true;

  EXPECT_THAT(Rounds(records, VersionClock::kSource), ElementsAre(ElementsAre(0), ElementsAre(1)));
}

TEST(RoundsOfTest, AnOlderRecordStillTellsWhatASparseOneDoesNot) {
  std::vector<MappedRecord> records{Version("a", 2, 2), Version("a", 1, 1)};
  records[0].is_sparse = true;

  EXPECT_THAT(Rounds(records, VersionClock::kObserved),
              ElementsAre(ElementsAre(0), ElementsAre(1)));
}

TEST(RoundsOfTest, AnotherCompanionIsAChangeOfTheSameBytes) {
  std::vector<MappedRecord> records{Version("a", 1, 1), Version("a", 2, 1)};
  records[1].companion_sha256[0] = 7;

  EXPECT_THAT(Rounds(records, VersionClock::kObserved),
              ElementsAre(ElementsAre(0), ElementsAre(1)));
}

TEST(RoundsOfTest, ANewNameOfTheSameVersionIsAChange) {
  std::vector<MappedRecord> records{Version("a", 1, 1), Version("a", 2, 1)};
  records[0].listed_version = "v1";
  records[1].listed_version = "v2";

  EXPECT_THAT(Rounds(records, VersionClock::kObserved),
              ElementsAre(ElementsAre(0), ElementsAre(1)));
}

TEST(RoundsOfTest, AHigherSourceFollowsALowerOneHoweverOldItIs) {
  std::vector<MappedRecord> records{Version("a", 9, 1), Version("a", 1, 2)};
  records[1].rank = 1;

  EXPECT_THAT(Rounds(records, VersionClock::kObserved),
              ElementsAre(ElementsAre(0), ElementsAre(1)));
}

TEST(RoundsOfTest, ARecordThatLeavesAColumnAloneDoesNotSwallowTheOneBefore) {
  std::vector<MappedRecord> records{Version("a", 1, 1), Version("a", 2, 2)};
  records[1].row.left_alone = {1};

  EXPECT_THAT(Rounds(records, VersionClock::kSource), ElementsAre(ElementsAre(0), ElementsAre(1)));
}

TEST(RoundsOfTest, AnAcceptedOlderVersionOfTheSameBytesIsADecision) {
  std::vector<MappedRecord> records{Version("a", 2, 1), Version("a", 2, 1)};
  records[1].accepts_older = true;

  EXPECT_THAT(Rounds(records, VersionClock::kObserved),
              ElementsAre(ElementsAre(0), ElementsAre(1)));
}

TEST(RoundsOfTest, AThirdVersionGoesBehindTheSecondAndOtherRecordsStayInTheFirstRound) {
  const std::vector<MappedRecord> records{Version("a", 1, 1), Version("a", 2, 2),
                                          Version("b", 1, 1), Version("a", 3, 3)};

  EXPECT_THAT(Rounds(records, VersionClock::kObserved),
              ElementsAre(ElementsAre(0, 2), ElementsAre(1), ElementsAre(3)));
}

TEST(RoundsOfTest, NothingIsOneEmptyRound) {
  EXPECT_THAT(Rounds({}, VersionClock::kSource), ElementsAre(IsEmpty()));
}

}  // namespace
}  // namespace pcw::tables
