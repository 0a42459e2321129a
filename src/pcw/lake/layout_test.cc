#include "pcw/lake/layout.h"

#include <gtest/gtest.h>

#include "fakes/result_matchers.h"
#include "pcw/base/time.h"

namespace pcw::lake {
namespace {

std::string FolderOf(const char* started) {
  return RunPrefix("partnercentral", "leads", *ParseRfc3339(started), "7f");
}

TEST(EntityPrefixTest, NamesLakeAndEntity) {
  EXPECT_EQ(EntityPrefix("partnercentral", "leads"), "bronze/partnercentral/leads/");
}

TEST(RunPrefixTest, TheDayIsTheUtcDayOfTheStart) {
  EXPECT_EQ(FolderOf("2026-11-23T23:59:59.999Z"), "bronze/partnercentral/leads/2026/11/23/run-7f/");
  EXPECT_EQ(FolderOf("2026-11-24T01:30:00+02:00"),
            "bronze/partnercentral/leads/2026/11/23/run-7f/");
}

TEST(RunPrefixTest, MonthsAndDaysHaveTwoDigitsSoThatKeysSortByTime) {
  EXPECT_EQ(FolderOf("2027-01-02T00:00:00Z"), "bronze/partnercentral/leads/2027/01/02/run-7f/");
}

TEST(PartKeyTest, TheFirstPartHasThePlainName) { EXPECT_EQ(PartKey("r/", 1), "r/data.json"); }

TEST(PartKeyTest, LaterPartsAreNumberedInFiveDigits) {
  EXPECT_EQ(PartKey("r/", 2), "r/data-00002.json");
  EXPECT_EQ(PartKey("r/", 12345), "r/data-12345.json");
}

TEST(PartKeyTest, BeyondFiveDigitsNothingIsCutOff) {
  EXPECT_EQ(PartKey("r/", 123456), "r/data-123456.json");
}

TEST(ManifestKeyTest, StandsBesideTheParts) {
  EXPECT_EQ(ManifestKey("r/run-7f/"), "r/run-7f/manifest.json");
}

TEST(CheckKeyTest, AnOrdinaryKeyIsTaken) {
  EXPECT_THAT(CheckKey("bronze/partnercentral/leads/2026/11/23/run-7f/data.json"), Succeeds());
}

TEST(CheckKeyTest, AKeyOfOneSegmentIsTaken) { EXPECT_THAT(CheckKey("a"), Succeeds()); }

TEST(CheckKeyTest, AnEmptyKeyIsRefused) {
  EXPECT_THAT(CheckKey(""), FailsWith(ErrorCode::kInvalidRequest));
}

TEST(CheckKeyTest, TheLongestKeyHas1024Bytes) {
  EXPECT_THAT(CheckKey(std::string(1024, 'a')), Succeeds());
  EXPECT_THAT(CheckKey(std::string(1025, 'a')), FailsWith(ErrorCode::kInvalidRequest));
}

TEST(CheckKeyTest, AKeyFromTheRootIsRefused) {
  EXPECT_THAT(CheckKey("/etc/passwd"), FailsWith(ErrorCode::kInvalidRequest));
}

TEST(CheckKeyTest, AFolderIsNoKey) {
  EXPECT_THAT(CheckKey("bronze/"), FailsWith(ErrorCode::kInvalidRequest));
}

TEST(CheckKeyTest, NoSegmentLeadsUpwards) {
  for (const char* key : {"..", "../a", "a/../b", "a/.."})
    EXPECT_THAT(CheckKey(key), FailsWith(ErrorCode::kInvalidRequest)) << key;
}

TEST(CheckKeyTest, NoSegmentIsTheFolderItself) {
  for (const char* key : {".", "./a", "a/./b", "a/."})
    EXPECT_THAT(CheckKey(key), FailsWith(ErrorCode::kInvalidRequest)) << key;
}

TEST(CheckKeyTest, NoSegmentIsEmpty) {
  EXPECT_THAT(CheckKey("a//b"), FailsWith(ErrorCode::kInvalidRequest));
}

TEST(CheckKeyTest, DotsWithinANameAreNoWayOut) {
  EXPECT_THAT(CheckKey("a/..b/c..d/.e"), Succeeds());
}

TEST(CheckKeyTest, AZeroByteIsRefused) {
  EXPECT_THAT(CheckKey(std::string_view("a\0b", 3)), FailsWith(ErrorCode::kInvalidRequest));
}

TEST(CheckKeyTest, ALongKeyIsQuotedInPart) {
  const Status checked = CheckKey("/" + std::string(5000, 'a'));
  ASSERT_THAT(checked, FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_LT(checked.error().message().size(), 200U);
}

TEST(CheckKeyPrefixTest, NothingIsAllOfTheLake) { EXPECT_THAT(CheckKeyPrefix(""), Succeeds()); }

TEST(CheckKeyPrefixTest, TheLastSegmentMayBeUnfinished) {
  EXPECT_THAT(CheckKeyPrefix("bronze/part"), Succeeds());
  EXPECT_THAT(CheckKeyPrefix("bronze/.."), Succeeds()) << "it begins a name, and leads nowhere";
}

TEST(CheckKeyPrefixTest, WholeSegmentsAreCheckedLikeAKeys) {
  EXPECT_THAT(CheckKeyPrefix("bronze/../x"), FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_THAT(CheckKeyPrefix("/x"), FailsWith(ErrorCode::kInvalidRequest));
}

}  // namespace
}  // namespace pcw::lake
