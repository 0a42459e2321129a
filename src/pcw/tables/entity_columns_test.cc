#include "pcw/tables/entity_columns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pcw::tables {
namespace {

using connector::ColumnType;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class CompareColumnsTest : public ::testing::Test {
 protected:
  void Map(const char* name, ColumnType type) {
    connector::ColumnMapping column;
    column.column = name;
    column.type = type;
    mapping.columns.push_back(column);
  }
  void Have(const char* name, const char* type, bool must_be_given = false) {
    columns.push_back({.name = name, .type = type, .must_be_given = must_be_given});
  }
  ColumnCheck Compared() const {
    return CompareColumns(connector::Opportunities(), mapping, columns, filled_once);
  }
  connector::Mapping mapping;
  std::vector<TableColumn> columns;
  std::set<std::string> filled_once;
};

TEST_F(CompareColumnsTest, ATableThatIsNotThereIsComparedWithNothing) {
  Map("stage", ColumnType::kText);
  const ColumnCheck check = Compared();
  EXPECT_FALSE(check.has_table);
  EXPECT_THAT(check.missing, IsEmpty());
}

TEST_F(CompareColumnsTest, ATableThatHasEveryColumnIsQuiet) {
  Map("stage", ColumnType::kText);
  Have("stage", "text");
  const ColumnCheck check = Compared();
  EXPECT_TRUE(check.has_table);
  EXPECT_THAT(check.missing, IsEmpty());
  EXPECT_THAT(check.conflicts, IsEmpty());
  EXPECT_THAT(check.left, IsEmpty());
  EXPECT_THAT(check.owners, IsEmpty());
}

TEST_F(CompareColumnsTest, AMissingColumnComesWithTheStatementThatAddsIt) {
  Map("order", ColumnType::kDecimal);
  Have("stage", "text");
  const ColumnCheck check = Compared();
  ASSERT_THAT(check.missing, SizeIs(1));
  EXPECT_EQ(check.missing[0].column, "order");
  EXPECT_EQ(check.missing[0].statement,
            "ALTER TABLE partnercentral_opportunities ADD COLUMN \"order\" numeric");
}

TEST_F(CompareColumnsTest, AColumnOfAnotherTypeIsAConflict) {
  Map("stage", ColumnType::kDate);
  Have("stage", "text");
  EXPECT_THAT(Compared().conflicts,
              ElementsAre("stage: the mapping makes date, partnercentral_opportunities has text"));
}

TEST_F(CompareColumnsTest, ASmallerIntegerIsTaken) {
  Map("count", ColumnType::kInteger);
  Have("count", "integer");
  EXPECT_THAT(Compared().conflicts, IsEmpty());
}

TEST_F(CompareColumnsTest, AnIntegerIsMadeAsTheLargeOne) {
  Map("count", ColumnType::kInteger);
  Have("stage", "text");
  EXPECT_THAT(Compared().missing.front().statement, HasSubstr("\"count\" bigint"));
}

TEST_F(CompareColumnsTest, EveryTypeThatIsMadeIsTakenWhenItIsThere) {
  const std::pair<ColumnType, const char*> types[] = {
      {ColumnType::kText, "text"},
      {ColumnType::kInteger, "bigint"},
      {ColumnType::kDecimal, "numeric"},
      {ColumnType::kBoolean, "boolean"},
      {ColumnType::kTimestamp, "timestamp with time zone"},
      {ColumnType::kDate, "date"},
      {ColumnType::kJson, "jsonb"}};
  for (const auto& [type, made] : types) {
    Map(made, type);
    Have(made, made);
  }
  EXPECT_THAT(Compared().conflicts, IsEmpty());
}

TEST_F(CompareColumnsTest, AColumnThatAMappingFilledOnceHasLeft) {
  Have("region", "text");
  filled_once = {"region"};
  EXPECT_THAT(Compared().left, ElementsAre("region"));
  EXPECT_THAT(Compared().owners, IsEmpty());
}

TEST_F(CompareColumnsTest, AColumnThatNoMappingEverFilledIsTheOwners) {
  Have("crm_note", "text");
  EXPECT_THAT(Compared().owners, ElementsAre("crm_note"));
  EXPECT_THAT(Compared().left, IsEmpty());
}

TEST_F(CompareColumnsTest, AColumnOfTheOwnerThatMustBeGivenRefusesEveryRecord) {
  Have("crm_note", "text", true);
  EXPECT_THAT(Compared().conflicts,
              ElementsAre(AllOf(HasSubstr("crm_note: "),
                                HasSubstr("ALTER COLUMN \"crm_note\" DROP NOT NULL"))));
  EXPECT_THAT(Compared().owners, IsEmpty());
}

TEST_F(CompareColumnsTest, AMappedColumnMayBeRequiredByTheTable) {
  Map("stage", ColumnType::kText);
  Have("stage", "text", true);
  EXPECT_THAT(Compared().conflicts, IsEmpty());
}

TEST_F(CompareColumnsTest, AGeneratedColumnIsNobodysBusiness) {
  columns.push_back({.name = "total", .type = "numeric", .is_generated = true});
  EXPECT_THAT(Compared().owners, IsEmpty());
  EXPECT_THAT(Compared().left, IsEmpty());
}

TEST_F(CompareColumnsTest, ColumnsOfPcwsOwnAreNotTheOwners) {
  Have("tenant_id", "uuid", true);
  Have("payload_json", "jsonb", true);
  EXPECT_THAT(Compared().owners, IsEmpty());
  EXPECT_THAT(Compared().conflicts, IsEmpty());
}

}  // namespace
}  // namespace pcw::tables
