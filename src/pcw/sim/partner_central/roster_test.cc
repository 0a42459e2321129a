#include "pcw/sim/partner_central/roster.h"

#include <gmock/gmock.h>

namespace pcw::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Kind = ChangeOrder::Kind;

std::string Name(std::uint64_t number) { return "r" + std::to_string(number); }

std::vector<std::string> LiveOf(const Roster& roster) {
  std::vector<std::string> live;
  for (const Numbered& record : roster.Live()) {
    live.push_back(Name(record.number) + "." + std::to_string(record.revision));
  }
  return live;
}

TEST(RosterTest, ModifiesInsertsAndRemovesById) {
  Roster roster(1, 3);

  EXPECT_THAT(roster.Apply({.kind = Kind::kModify, .ids = {{"r1", "none"}}}, Name),
              ElementsAre("r1"));
  EXPECT_THAT(roster.Apply({.kind = Kind::kRemove, .ids = {{"r0"}}}, Name), ElementsAre("r0"));
  EXPECT_THAT(roster.Apply({.kind = Kind::kInsert, .count = 2}, Name), ElementsAre("r3", "r4"));

  EXPECT_THAT(LiveOf(roster), ElementsAre("r1.1", "r2.0", "r3.0", "r4.0"));
}

TEST(RosterTest, WhatWasRemovedStaysSo) {
  Roster roster(1, 2);
  ASSERT_THAT(roster.Apply({.kind = Kind::kRemove, .ids = {{"r0"}}}, Name), SizeIs(1));

  EXPECT_THAT(roster.Apply({.kind = Kind::kModify, .ids = {{"r0"}}}, Name), IsEmpty());
  EXPECT_THAT(roster.Apply({.kind = Kind::kInsert, .count = 1}, Name), ElementsAre("r2"));
}

TEST(RosterTest, DrawsDistinctRecordsAndNoMoreThanThereAre) {
  Roster roster(1, 10);

  EXPECT_THAT(roster.Apply({.kind = Kind::kModify, .count = 4}, Name), SizeIs(4));
  EXPECT_THAT(roster.Apply({.kind = Kind::kRemove, .count = 99}, Name), SizeIs(10));
  EXPECT_THAT(LiveOf(roster), IsEmpty());
}

TEST(DrawSomeTest, DependsOnTheSaltAlone) {
  const std::vector<std::uint64_t> all{1, 2, 3, 4, 5, 6, 7, 8, 9};

  EXPECT_EQ(DrawSome(all, 4, 7), DrawSome(all, 4, 7));
  EXPECT_NE(DrawSome(all, 4, 7), DrawSome(all, 4, 8));
}

}  // namespace
}  // namespace pcw::sim
