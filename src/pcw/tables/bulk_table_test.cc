#include "pcw/tables/bulk_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/result_matchers.h"
#include "pcw/pg/binary_copy.h"

namespace pcw::tables {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;

std::string StreamOf(const std::vector<std::string>& texts) {
  pg::BinaryCopy copy;
  for (const std::string& text : texts) {
    copy.BeginRow(1);
    copy.AddText(text);
  }
  return copy.Finish();
}

/// Rows of one text each, of records 10, 11, 12 and so on.
EncodedRows RowsOf(const std::vector<std::string>& texts) {
  EncodedRows rows;
  pg::BinaryCopy copy;
  for (const std::string& text : texts) {
    rows.offsets.push_back(copy.bytes());
    rows.records.push_back(10 + rows.records.size());
    copy.BeginRow(1);
    copy.AddText(text);
  }
  rows.copy = copy.Finish();
  return rows;
}

TEST(EncodedRowsTest, ASliceIsACompleteStreamOfItsRows) {
  EXPECT_EQ(RowsOf({"a", "bb", "ccc"}).Slice(1, 2), StreamOf({"bb"}));
}

TEST(EncodedRowsTest, ASliceToTheEndLeavesTheTrailerOnce) {
  EXPECT_EQ(RowsOf({"a", "bb", "ccc"}).Slice(1, 3), StreamOf({"bb", "ccc"}));
}

TEST(EncodedRowsTest, ASliceOfEverythingIsTheStream) {
  const EncodedRows rows = RowsOf({"a", "bb"});
  EXPECT_EQ(rows.Slice(0, 2), rows.copy);
}

TEST(EncodedRowsTest, ASliceOfNoRowsIsAnEmptyStream) {
  EXPECT_EQ(RowsOf({"a", "bb"}).Slice(1, 1), StreamOf({}));
}

TEST(EncodedRowsTest, WithoutNoRowsTheyAreTheSame) {
  const EncodedRows rows = RowsOf({"a", "bb"});
  EXPECT_EQ(rows.Without({}).copy, rows.copy);
}

TEST(EncodedRowsTest, WithoutSomeRowsTheOthersAreACompleteStream) {
  EXPECT_EQ(RowsOf({"a", "bb", "ccc", "d"}).Without({0, 2}).copy, StreamOf({"bb", "d"}));
}

TEST(EncodedRowsTest, TheLastRowCanGo) {
  EXPECT_EQ(RowsOf({"a", "bb"}).Without({1}).copy, StreamOf({"a"}));
}

TEST(EncodedRowsTest, WithoutAnyRowTheStreamIsEmpty) {
  EXPECT_EQ(RowsOf({"a", "bb"}).Without({0, 1}).copy, StreamOf({}));
}

TEST(EncodedRowsTest, WhatIsLeftStillKnowsItsRecordsAndPlaces) {
  const EncodedRows rest = RowsOf({"a", "bb", "ccc"}).Without({1});
  EXPECT_THAT(rest.records, ElementsAre(10, 12));
  EXPECT_EQ(rest.Slice(1, 2), StreamOf({"ccc"}));
}

TEST(EncodedRowsTest, WhatIsLeftStillKnowsItsColumnsThatAreLeftAlone) {
  EncodedRows rows = RowsOf({"a", "bb"});
  rows.left_alone = {{.id = "a", .column = 3}};
  EXPECT_EQ(rows.Without({1}).left_alone.size(), 1U);
}

class IsOutdatedTest : public ::testing::Test {
 protected:
  static bool IsOutdated(const connector::EntityDef& def, WallTime modified, int rank,
                         const HeldVersion& held) {
    const connector::Mapping mapping = *connector::BuiltinMapping(def.name);
    const auto table = BulkTable::Create(def, mapping, std::string(def.table));
    EXPECT_THAT(table, Succeeds());
    connector::Row row;
    row.values.resize(mapping.columns.size());
    row.values[PlaceOf(mapping, "source_modified_at")] = modified;
    return table->IsOutdated(row, rank, held);
  }
  const WallTime held_at{seconds(1'000)};
  const HeldVersion held{.modified_at = held_at};
};

TEST_F(IsOutdatedTest, AnOlderVersionIsOutdated) {
  EXPECT_TRUE(
      IsOutdated(connector::Opportunities(), held_at - std::chrono::microseconds(1), 0, held));
}

TEST_F(IsOutdatedTest, AVersionOfTheSameInstantIsNot) {
  EXPECT_FALSE(IsOutdated(connector::Opportunities(), held_at, 0, held));
}

TEST_F(IsOutdatedTest, ANewerVersionIsNot) {
  EXPECT_FALSE(IsOutdated(connector::Opportunities(), held_at + seconds(1), 0, held));
}

TEST_F(IsOutdatedTest, AnotherSourceIsForTheMergeToJudge) {
  EXPECT_FALSE(IsOutdated(connector::Opportunities(), held_at - seconds(1), 1, held));
}

TEST_F(IsOutdatedTest, WhereAnOlderRecordCanFillAColumnNoneIsOutdated) {
  EXPECT_FALSE(IsOutdated(connector::Leads(), held_at - seconds(1), 0, held));
}

TEST(BulkTableTest, EveryBuiltInMappingFitsItsEntity) {
  for (const connector::EntityDef* def : connector::AllEntities())
    EXPECT_THAT(BulkTable::Create(*def, *connector::BuiltinMapping(def->name), "shadow"),
                Succeeds())
        << def->name;
}

TEST(BulkTableTest, AMappingThatTheEntityTableRefusesIsRefused) {
  EXPECT_THAT(BulkTable::Create(connector::Opportunities(), connector::Mapping{}, "shadow"),
              FailsWith(ErrorCode::kInternal));
}

}  // namespace
}  // namespace pcw::tables
