#include "pcw/tables/entity_sql.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/result_matchers.h"

namespace pcw::tables {
namespace {

using connector::ColumnType;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

connector::ColumnMapping Column(std::string name, bool is_required = false) {
  connector::ColumnMapping column;
  column.column = std::move(name);
  column.is_required = is_required;
  return column;
}

connector::Mapping LeadColumns() {
  connector::Mapping mapping;
  mapping.columns = {Column("lead_id", true), Column("source_version", true), Column("state"),
                     Column("order")};
  return mapping;
}

const connector::EntityDef& OfOneSource() { return connector::Opportunities(); }
const connector::EntityDef& OfTwoSources() { return connector::Leads(); }
const connector::EntityDef& WithCompanion() { return connector::Profiles(); }

Error Refused(const char* sqlstate) {
  return Error(ErrorCode::kInternal, "value out of range").With("sqlstate", sqlstate);
}

ErrorCode CodeOf(const char* sqlstate) { return AsDataError(Refused(sqlstate)).code(); }

TEST(SqlTypeTest, EveryColumnTypeHasATypeOfTheServer) {
  EXPECT_EQ(SqlType(ColumnType::kText), "text");
  EXPECT_EQ(SqlType(ColumnType::kInteger), "bigint");
  EXPECT_EQ(SqlType(ColumnType::kDecimal), "numeric");
  EXPECT_EQ(SqlType(ColumnType::kBoolean), "boolean");
  EXPECT_EQ(SqlType(ColumnType::kTimestamp), "timestamptz");
  EXPECT_EQ(SqlType(ColumnType::kDate), "date");
  EXPECT_EQ(SqlType(ColumnType::kJson), "jsonb");
}

TEST(QuotedTest, AWordOfTheLanguageIsANameInQuotes) { EXPECT_EQ(Quoted("order"), "\"order\""); }

TEST(QuotedTest, AQuoteInANameCannotEndIt) { EXPECT_EQ(Quoted("a\"b"), "\"a\"\"b\""); }

TEST(AsDataErrorTest, AValueThatTheServerRefusesIsTheRecords) {
  EXPECT_EQ(CodeOf("22003"), ErrorCode::kSchemaMismatch);
}

TEST(AsDataErrorTest, AConstraintOfTheTablesOwnerIsTheRecords) {
  EXPECT_EQ(CodeOf("23514"), ErrorCode::kSchemaMismatch);
}

TEST(AsDataErrorTest, ARowThatIsTooLargeIsTheRecords) {
  EXPECT_EQ(CodeOf("54000"), ErrorCode::kSchemaMismatch);
}

TEST(AsDataErrorTest, WhatATriggerRaisesIsTheRecords) {
  EXPECT_EQ(CodeOf("P0001"), ErrorCode::kSchemaMismatch);
}

TEST(AsDataErrorTest, AMistakeInAStatementStaysOurs) {
  EXPECT_EQ(CodeOf("42601"), ErrorCode::kInternal);
}

TEST(AsDataErrorTest, AnErrorWithoutASqlstateStaysAsItIs) {
  const Error error = AsDataError(Error(ErrorCode::kUnavailable, "the session is lost"));
  EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
  EXPECT_EQ(error.message(), "the session is lost");
}

TEST(AsDataErrorTest, TheServersWordsAndContextAreKept) {
  const Error error = AsDataError(Refused("22003"));
  EXPECT_THAT(error.message(), EndsWith("value out of range"));
  EXPECT_EQ(error.Find("sqlstate"), "22003");
}

TEST(AddValueTest, NullIsNullInEveryType) {
  pg::BinaryCopy copy, expected;
  for (const ColumnType type : {ColumnType::kText, ColumnType::kDate, ColumnType::kDecimal}) {
    ASSERT_THAT(AddValue(copy, std::monostate{}, type), Succeeds());
    expected.AddNull();
  }
  EXPECT_EQ(copy.Finish(), expected.Finish());
}

TEST(AddValueTest, ATextIsJsonOrANumberAsItsColumnIs) {
  pg::BinaryCopy copy, expected;
  ASSERT_THAT(AddValue(copy, std::string("1"), ColumnType::kText), Succeeds());
  ASSERT_THAT(AddValue(copy, std::string("1"), ColumnType::kJson), Succeeds());
  ASSERT_THAT(AddValue(copy, std::string("1"), ColumnType::kDecimal), Succeeds());
  expected.AddText("1");
  expected.AddJsonb("1");
  ASSERT_THAT(expected.AddNumeric("1"), Succeeds());
  EXPECT_EQ(copy.Finish(), expected.Finish());
}

TEST(AddValueTest, TheOtherTypesGoAsTheyAre) {
  pg::BinaryCopy copy, expected;
  ASSERT_THAT(AddValue(copy, std::int64_t{7}, ColumnType::kInteger), Succeeds());
  ASSERT_THAT(AddValue(copy, true, ColumnType::kBoolean), Succeeds());
  ASSERT_THAT(AddValue(copy, WallTime{}, ColumnType::kTimestamp), Succeeds());
  ASSERT_THAT(AddValue(copy, connector::Date{2026, 11, 24}, ColumnType::kDate), Succeeds());
  expected.AddInt8(7);
  expected.AddBool(true);
  expected.AddTimestamptz(WallTime{});
  expected.AddDate(2026, 11, 24);
  EXPECT_EQ(copy.Finish(), expected.Finish());
}

TEST(AddVersionNamesTest, ARecordThatNobodyListedHasNeitherName) {
  pg::BinaryCopy copy, expected;
  AddVersionNames(copy, MappedRecord{});
  expected.AddNull();
  expected.AddNull();
  EXPECT_EQ(copy.Finish(), expected.Finish());
}

TEST(AddVersionNamesTest, AnAcceptedOlderVersionIsKnownByItsBronzeKey) {
  MappedRecord record;
  record.listed_version = "2026-01-01T00:00:00Z";
  record.accepts_older = true;
  record.bronze_key = "bronze/k";
  pg::BinaryCopy copy, expected;
  AddVersionNames(copy, record);
  expected.AddText("2026-01-01T00:00:00Z");
  expected.AddText("bronze/k");
  EXPECT_EQ(copy.Finish(), expected.Finish());
}

TEST(OwnColumnsTest, ATableOfOneSourceHasNoRankAndNoCompanion) {
  EXPECT_EQ(OwnColumns(OfOneSource()),
            "payload_json, payload_sha256, bronze_key, bronze_line, listed_version, "
            "accepted_key, ");
}

TEST(OwnColumnsTest, ATableOfSeveralSourcesKeepsTheRank) {
  EXPECT_THAT(OwnColumns(OfTwoSources()), EndsWith("accepted_key, source_rank, "));
}

TEST(OwnColumnsTest, ATableWithCompanionsKeepsTheirBytes) {
  EXPECT_THAT(OwnColumns(WithCompanion()), HasSubstr("companion_json, companion_sha256, "));
}

TEST(AssignmentsTest, ARecordThatTellsEverythingReplacesEveryColumnButItsId) {
  const std::string sql = Assignments(OfTwoSources(), LeadColumns(), false);
  EXPECT_THAT(sql, HasSubstr("\"state\" = excluded.\"state\", "));
  EXPECT_THAT(sql, HasSubstr("\"order\" = excluded.\"order\", "));
  EXPECT_THAT(sql, Not(HasSubstr("\"lead_id\" =")));
}

TEST(AssignmentsTest, ASparseRecordLeavesAloneWhatItDoesNotTell) {
  EXPECT_THAT(Assignments(OfTwoSources(), LeadColumns(), true),
              HasSubstr("\"state\" = coalesce(excluded.\"state\", t.\"state\"), "));
}

TEST(AssignmentsTest, ASparseRecordNotesWhoToldWhatItLeavesAlone) {
  EXPECT_THAT(Assignments(OfTwoSources(), LeadColumns(), true),
              HasSubstr("kept_from = jsonb_strip_nulls(jsonb_build_object('state', CASE WHEN "
                        "excluded.\"state\" IS NULL THEN "));
}

TEST(AssignmentsTest, RequiredColumnsAreAlwaysToldAndNotNoted) {
  EXPECT_THAT(Assignments(OfTwoSources(), LeadColumns(), true), Not(HasSubstr("'source_version'")));
}

TEST(AssignmentsTest, AfterARecordThatTellsEverythingNothingIsKept) {
  EXPECT_THAT(Assignments(OfTwoSources(), LeadColumns(), false), HasSubstr("kept_from = NULL, "));
}

TEST(AssignmentsTest, ATableWithoutSparseRecordsHasNoSuchColumn) {
  EXPECT_THAT(Assignments(OfOneSource(), LeadColumns(), false), Not(HasSubstr("kept_from")));
}

TEST(AssignmentsTest, AnAcceptedKeyIsKeptUntilAnotherComes) {
  EXPECT_THAT(Assignments(OfOneSource(), LeadColumns(), false),
              HasSubstr("accepted_key = coalesce(excluded.accepted_key, t.accepted_key), "));
}

TEST(AssignmentsTest, WhatReplacesARowForgetsThatAnOlderVersionWasSeen) {
  EXPECT_THAT(Assignments(OfOneSource(), LeadColumns(), false),
              EndsWith("older_seen = 0, older_since = NULL, "));
}

TEST(KeptWhenNewTest, ARecordThatTellsEverythingKeepsNothing) {
  EXPECT_EQ(KeptWhenNew(OfTwoSources(), LeadColumns(), "s", false), "NULL::jsonb");
}

TEST(KeptWhenNewTest, WhatANewSparseRowDoesNotTellWasToldByNobody) {
  EXPECT_EQ(KeptWhenNew(OfTwoSources(), LeadColumns(), "s", true),
            "jsonb_strip_nulls(jsonb_build_object('state', CASE WHEN s.\"state\" IS NULL THEN 0 "
            "END, 'order', CASE WHEN s.\"order\" IS NULL THEN 0 END))");
}

TEST(KeptWhenNewTest, AMappingThatIsAllRequiredKeepsAnEmptyObject) {
  connector::Mapping mapping;
  mapping.columns = {Column("lead_id", true)};
  EXPECT_EQ(KeptWhenNew(OfTwoSources(), mapping, "s", true), "'{}'::jsonb");
}

TEST(KeptWhenNewTest, ManyColumnsAreBuiltInPiecesForAFunctionTakesAHundredArguments) {
  connector::Mapping mapping;
  for (int i = 0; i < 41; ++i) mapping.columns.push_back(Column("c" + std::to_string(i)));
  EXPECT_THAT(KeptWhenNew(OfTwoSources(), mapping, "s", true),
              HasSubstr("THEN 0 END) || jsonb_build_object('c40', "));
}

TEST(FillSqlTest, OnlyRowsThatAreOlderThanTheHeldOneFill) {
  EXPECT_THAT(FillSql(OfTwoSources(), LeadColumns(), "leads", "staging"),
              HasSubstr("s.source_modified_at < t.source_modified_at AND t.kept_from IS NOT NULL"));
}

TEST(FillSqlTest, RowsOfAnotherSourceDoNotFill) {
  EXPECT_THAT(FillSql(OfTwoSources(), LeadColumns(), "leads", "staging"),
              HasSubstr("s.source_rank = t.source_rank"));
}

TEST(FillSqlTest, ASparseRowFillsOnlyWithWhatItTells) {
  EXPECT_THAT(FillSql(OfTwoSources(), LeadColumns(), "leads", "staging"),
              HasSubstr("\"state\" = CASE WHEN (NOT s.is_sparse OR s.\"state\" IS NOT NULL) AND "));
}

TEST(FillSqlTest, RequiredColumnsAreNotFilled) {
  EXPECT_THAT(FillSql(OfTwoSources(), LeadColumns(), "leads", "staging"),
              Not(HasSubstr("\"source_version\" =")));
}

TEST(ReplacesHeldTest, AnOlderVersionNeverReplaces) {
  EXPECT_THAT(ReplacesHeld(OfOneSource(), "s", "2"),
              HasSubstr("(s.source_modified_at >= t.source_modified_at OR "));
}

TEST(ReplacesHeldTest, AnAcceptedOlderVersionReplacesOnce) {
  EXPECT_THAT(ReplacesHeld(OfOneSource(), "s", "2"),
              HasSubstr("OR (s.accepted_key IS NOT NULL AND s.accepted_key IS DISTINCT FROM "
                        "t.accepted_key)) AND ("));
}

TEST(ReplacesHeldTest, TheSameBytesOfTheSameVersionAndMappingReplaceNothing) {
  EXPECT_THAT(ReplacesHeld(OfOneSource(), "s", "$2"),
              HasSubstr("AND (s.payload_sha256 <> t.payload_sha256 OR $2 <> t.mapping_version OR "
                        "s.source_version <> t.source_version OR "));
}

TEST(ReplacesHeldTest, ANewNameOfTheSameVersionReplaces) {
  EXPECT_THAT(ReplacesHeld(OfOneSource(), "s", "2"),
              HasSubstr("(s.listed_version IS NOT NULL AND s.listed_version IS DISTINCT FROM "
                        "t.listed_version)"));
}

TEST(ReplacesHeldTest, AnotherCompanionReplaces) {
  EXPECT_THAT(ReplacesHeld(WithCompanion(), "s", "2"),
              HasSubstr(" OR s.companion_sha256 IS DISTINCT FROM t.companion_sha256"));
  EXPECT_THAT(ReplacesHeld(OfOneSource(), "s", "2"), Not(HasSubstr("companion")));
}

TEST(ReplacesHeldTest, AHigherSourceReplacesWhateverItsTimeAndALowerOneNever) {
  EXPECT_THAT(ReplacesHeld(OfTwoSources(), "s", "2"),
              ::testing::StartsWith("s.source_rank > t.source_rank OR (s.source_rank = "
                                    "t.source_rank AND (s.source_modified_at >= "));
}

TEST(ReplacesHeldTest, ATableOfOneSourceAsksForNoRank) {
  EXPECT_THAT(ReplacesHeld(OfOneSource(), "s", "2"), Not(HasSubstr("source_rank")));
}

}  // namespace
}  // namespace pcw::tables
