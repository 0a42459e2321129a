#include "pcw/tables/entity_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/result_matchers.h"

namespace pcw::tables {
namespace {

using ::testing::HasSubstr;

connector::Mapping OpportunityMapping() { return *connector::BuiltinMapping("opportunities"); }

Result<EntityTable> CreatedWithout(std::string_view column) {
  connector::Mapping mapping = OpportunityMapping();
  std::erase_if(mapping.columns, [&](const auto& c) { return c.column == column; });
  return EntityTable::Create(connector::Opportunities(), mapping);
}

TEST(ListedNameTest, ARecordThatWasNotListedHasNone) {
  EXPECT_EQ(ListedName("", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"), "");
}

TEST(ListedNameTest, TheNameThatTheRecordItselfHasIsNotKeptTwice) {
  EXPECT_EQ(ListedName("v7", "v7", "2026-01-02T00:00:00Z"), "");
}

TEST(ListedNameTest, ADigestIsAVersionThatNobodyListed) {
  EXPECT_EQ(ListedName("sha256:00ff", "v7", "2026-01-02T00:00:00Z"), "");
}

TEST(ListedNameTest, AnotherNameIsKept) {
  EXPECT_EQ(
      ListedName("2026-01-01T10:00:00.5Z", "2026-01-01T10:00:00.512Z", "2026-01-01T10:00:01Z"),
      "2026-01-01T10:00:00.5Z");
}

TEST(ListedNameTest, ANameThatIsNoTimeIsKept) {
  EXPECT_EQ(ListedName("etag-7", "v7", ""), "etag-7");
}

TEST(ListedNameTest, WholeSecondsNameAVersionOnceTheirSecondIsOver) {
  EXPECT_EQ(ListedName("2026-01-01T10:00:00Z", "2026-01-01T10:00:00.5Z", "2026-01-01T10:00:01Z"),
            "2026-01-01T10:00:00Z");
}

TEST(ListedNameTest, WithinTheirSecondWholeSecondsNameNothing) {
  EXPECT_EQ(
      ListedName("2026-01-01T10:00:00Z", "2026-01-01T10:00:00.5Z", "2026-01-01T10:00:00.999Z"), "");
}

TEST(ListedNameTest, WhereNobodyKnowsWhenItWasServedWholeSecondsNameNothing) {
  EXPECT_EQ(ListedName("2026-01-01T10:00:00Z", "2026-01-01T10:00:00.5Z", ""), "");
}

TEST(ArrayLiteralTest, NothingIsAnEmptyArray) { EXPECT_EQ(ArrayLiteral({}), "{}"); }

TEST(ArrayLiteralTest, ItemsAreQuotedAndParted) {
  const std::vector<std::string> items{"a", "b c"};
  EXPECT_EQ(ArrayLiteral(items), R"({"a","b c"})");
}

TEST(ArrayLiteralTest, AnEmptyItemIsAnItem) {
  const std::vector<std::string> items{"", ""};
  EXPECT_EQ(ArrayLiteral(items), R"({"",""})");
}

TEST(ArrayLiteralTest, NoItemEndsTheArray) {
  const std::vector<std::string> items{R"(a","b)", R"(c\)", "{NULL}"};
  EXPECT_EQ(ArrayLiteral(items), R"({"a\",\"b","c\\","{NULL}"})");
}

TEST(PlaceOfTest, IsWhereTheColumnStandsInARow) {
  const connector::Mapping mapping = OpportunityMapping();
  EXPECT_EQ(mapping.columns[PlaceOf(mapping, "source_version")].column, "source_version");
}

TEST(PlaceOfTest, AColumnThatIsNotThereStandsBehindTheLast) {
  const connector::Mapping mapping = OpportunityMapping();
  EXPECT_EQ(PlaceOf(mapping, "no_such_column"), mapping.columns.size());
}

TEST(EntityTableTest, EveryBuiltInMappingFitsItsEntity) {
  for (const connector::EntityDef* def : connector::AllEntities())
    EXPECT_THAT(EntityTable::Create(*def, *connector::BuiltinMapping(def->name)), Succeeds())
        << def->name;
}

TEST(EntityTableTest, AMappingWithoutTheIdIsRefused) {
  const auto created = CreatedWithout(connector::Opportunities().id_column);
  ASSERT_THAT(created, FailsWith(ErrorCode::kInternal));
  EXPECT_THAT(created.error().message(), HasSubstr(connector::Opportunities().id_column));
}

TEST(EntityTableTest, AMappingWithoutTheVersionIsRefused) {
  EXPECT_THAT(CreatedWithout("source_version"), FailsWith(ErrorCode::kInternal));
}

TEST(EntityTableTest, AMappingWithoutTheTimeOfModificationIsRefused) {
  EXPECT_THAT(CreatedWithout("source_modified_at"), FailsWith(ErrorCode::kInternal));
}

TEST(EntityTableTest, WhatTheMergeNeedsMustBeRequired) {
  connector::Mapping mapping = OpportunityMapping();
  mapping.columns[PlaceOf(mapping, "source_version")].is_required = false;
  EXPECT_THAT(EntityTable::Create(connector::Opportunities(), mapping),
              FailsWith(ErrorCode::kInternal));
}

}  // namespace
}  // namespace pcw::tables
