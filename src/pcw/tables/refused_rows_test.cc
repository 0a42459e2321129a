#include "pcw/tables/refused_rows.h"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/fake_savepoint.h"
#include "fakes/result_matchers.h"

namespace pcw::tables {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const Error kRefusal(ErrorCode::kSchemaMismatch, "PostgreSQL refused this record");

class FindRefusedRowsTest : public ::testing::Test {
 protected:
  /// A merge that refuses the rows of `bad`, after it has written those before them.
  MergeRange Refusing(std::set<std::size_t> bad) {
    return [this, bad = std::move(bad)](std::size_t begin, std::size_t end) -> Status {
      for (std::size_t row = begin; row < end; ++row) {
        if (bad.contains(row)) return kRefusal;
        savepoint.merged.push_back(row);
      }
      return Ok{};
    };
  }
  std::vector<std::size_t> Refused(std::size_t count, const MergeRange& merge) {
    const auto found = FindRefusedRows(savepoint, count, merge);
    EXPECT_THAT(found, Succeeds());
    std::vector<std::size_t> rows;
    for (const RefusedRow& row : *found) rows.push_back(row.index);
    return rows;
  }
  FakeSavepoint savepoint;
};

TEST_F(FindRefusedRowsTest, OfNoRowsNoneIsTried) {
  EXPECT_THAT(Refused(0, Refusing({})), IsEmpty());
  EXPECT_EQ(savepoint.tries, 0);
}

TEST_F(FindRefusedRowsTest, RowsThatAllFitAreMergedInOneTry) {
  EXPECT_THAT(Refused(1000, Refusing({})), IsEmpty());
  EXPECT_EQ(savepoint.tries, 1);
}

TEST_F(FindRefusedRowsTest, TheOneRowThatIsRefusedIsFoundAndTheOthersAreMerged) {
  EXPECT_THAT(Refused(5, Refusing({2})), ElementsAre(2));
  EXPECT_THAT(savepoint.merged, ElementsAre(0, 1, 3, 4));
}

TEST_F(FindRefusedRowsTest, TheFirstAndTheLastRowAreFound) {
  EXPECT_THAT(Refused(7, Refusing({0, 6})), ElementsAre(0, 6));
  EXPECT_THAT(savepoint.merged, ElementsAre(1, 2, 3, 4, 5));
}

TEST_F(FindRefusedRowsTest, NeighboursAreFoundInRisingOrder) {
  EXPECT_THAT(Refused(8, Refusing({3, 4})), ElementsAre(3, 4));
}

TEST_F(FindRefusedRowsTest, WhereEveryRowIsRefusedNothingIsMerged) {
  EXPECT_THAT(Refused(3, Refusing({0, 1, 2})), ElementsAre(0, 1, 2));
  EXPECT_THAT(savepoint.merged, IsEmpty());
}

TEST_F(FindRefusedRowsTest, OfTwoRowsThatDoNotGoTogetherTheLaterIsRefused) {
  const MergeRange unique = [this](std::size_t begin, std::size_t end) -> Status {
    for (std::size_t row = begin; row < end; ++row) {
      const bool is_taken = std::any_of(savepoint.merged.begin(), savepoint.merged.end(),
                                        [row](std::size_t other) { return other % 3 == row % 3; });
      if (is_taken) return kRefusal;
      savepoint.merged.push_back(row);
    }
    return Ok{};
  };
  EXPECT_THAT(Refused(4, unique), ElementsAre(3)) << "row 0 is there already";
}

TEST_F(FindRefusedRowsTest, OneRowAmongManyIsFoundByHalves) {
  EXPECT_THAT(Refused(1024, Refusing({700})), ElementsAre(700));
  EXPECT_LE(savepoint.tries, 2 * 10 + 1);
}

TEST_F(FindRefusedRowsTest, WhatTheServerSaidIsKeptWithTheRow) {
  const auto found = FindRefusedRows(savepoint, 1, Refusing({0}));
  ASSERT_THAT(found, Succeeds());
  EXPECT_EQ(found->front().error.message(), kRefusal.message());
}

TEST_F(FindRefusedRowsTest, AnErrorOfTheConnectionEndsTheSearch) {
  const MergeRange lost = [](std::size_t, std::size_t) -> Status {
    return Error(ErrorCode::kUnavailable, "the session is lost");
  };
  EXPECT_THAT(FindRefusedRows(savepoint, 4, lost), FailsWith(ErrorCode::kUnavailable));
  EXPECT_EQ(savepoint.tries, 1);
}

TEST_F(FindRefusedRowsTest, WithoutASavepointNothingIsMerged) {
  savepoint.failure = Error(ErrorCode::kUnavailable, "the session is lost");
  EXPECT_THAT(FindRefusedRows(savepoint, 4, Refusing({})), FailsWith(ErrorCode::kUnavailable));
  EXPECT_THAT(savepoint.merged, IsEmpty());
}

}  // namespace
}  // namespace pcw::tables
