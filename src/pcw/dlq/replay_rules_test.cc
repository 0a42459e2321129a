#include "pcw/dlq/replay_rules.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "pcw/base/json.h"

namespace pcw::dlq {
namespace {

std::string Change(const char* column, int rows, std::vector<std::string> examples = {}) {
  return Json::array({{{"column", column}, {"rows", rows}, {"examples", std::move(examples)}}})
      .dump();
}

TEST(LoopGuardTest, ADeadLetterThatFailedLessOftenIsTried) {
  EXPECT_FALSE(IsGuarded({.failed_replays = 2, .failed_by = 4}, 3, 4));
}

TEST(LoopGuardTest, ADeadLetterThatFailedSoOftenByThisVersionIsLeftAlone) {
  EXPECT_TRUE(IsGuarded({.failed_replays = 3, .failed_by = 4}, 3, 4));
}

TEST(LoopGuardTest, ByAnotherVersionItIsTriedAgain) {
  EXPECT_FALSE(IsGuarded({.failed_replays = 9, .failed_by = 4}, 3, 5));
}

TEST(LoopGuardTest, AnOlderVersionIsAnotherOneToo) {
  EXPECT_FALSE(IsGuarded({.failed_replays = 9, .failed_by = 4}, 3, 3));
}

TEST(LoopGuardTest, WhereNoMappingHadASayNothingNewCanBeHopedFor) {
  EXPECT_TRUE(IsGuarded({.failed_replays = 3, .failed_by = 0}, 3, 5));
}

TEST(LoopGuardTest, WithoutAGuardEverythingIsTried) {
  EXPECT_FALSE(IsGuarded({.failed_replays = 900, .failed_by = 4}, 0, 4));
}

TEST(AddChangesTest, TheFirstRunIsTheSum) {
  EXPECT_EQ(AddChanges("[]", Change("stage", 2)), Change("stage", 2));
}

TEST(AddChangesTest, RowsOfOneColumnAddUp) {
  const Json sum = Json::parse(AddChanges(Change("stage", 2), Change("stage", 3)));
  ASSERT_EQ(sum.size(), 1U);
  EXPECT_EQ(sum[0]["rows"], 5);
}

TEST(AddChangesTest, AnotherColumnIsAddedBehind) {
  const Json sum = Json::parse(AddChanges(Change("stage", 2), Change("region", 3)));
  ASSERT_EQ(sum.size(), 2U);
  EXPECT_EQ(sum[1]["column"], "region");
}

TEST(AddChangesTest, AColumnShowsThreeExamplesAndTheFirstOnes) {
  const Json sum =
      Json::parse(AddChanges(Change("stage", 2, {"a", "b"}), Change("stage", 2, {"c", "d"})));
  EXPECT_EQ(sum[0]["examples"], Json::array({"a", "b", "c"}));
}

TEST(AddChangesTest, ARunThatChangesNothingLeavesTheSum) {
  EXPECT_EQ(Json::parse(AddChanges(Change("stage", 2), "[]")), Json::parse(Change("stage", 2)));
}

}  // namespace
}  // namespace pcw::dlq
