#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/result_matchers.h"
#include "pcw/base/digest.h"
#include "pcw/base/time.h"
#include "pcw/connector/entity_def.h"
#include "pcw/connector/mapping.h"
#include "pcw/connector/raw_record.h"
#include "pcw/connector/request.h"

namespace pcw::connector {
namespace {

using ::testing::HasSubstr;

Mapping OneColumn(const std::string& column) {
  const auto mapping =
      ParseMapping("entity: e\nversion: 1\ncolumns:\n  c: " + column + "\n", "m.yaml");
  EXPECT_THAT(mapping, Succeeds());
  return *mapping;
}

Result<Row> Map(const std::string& column, std::string_view record) {
  const Mapping mapping = OneColumn(column);
  return Mapper(mapping).MapRecord({.payload = record,
                                    .companion = R"({"Seen":"PUBLIC"})",
                                    .companion_operation = "GetSeen",
                                    .id = "the-id",
                                    .version = "v7",
                                    .served_at = "2026-11-23T10:00:00Z"});
}

TEST(MapperTest, FillsEveryTypeExactly) {
  EXPECT_EQ(std::get<std::string>(
                Map("{ from: /a/0/b, type: text }", R"({"a":[{"b":"J\u00fcrgen \ud83d\ude00"}]})")
                    ->values[0]),
            "J\xc3\xbcrgen \xf0\x9f\x98\x80");
  EXPECT_EQ(std::get<std::string>(
                Map("{ from: /a, type: decimal }", R"({"a":"123456789012345678901234567890.10"})")
                    ->values[0]),
            "123456789012345678901234567890.10");
  EXPECT_EQ(std::get<std::string>(Map("{ from: /a, type: decimal }", R"({"a":42})")->values[0]),
            "42");
  EXPECT_EQ(std::get<std::int64_t>(
                Map("{ from: /a, type: integer }", R"({"a":-9223372036854775808})")->values[0]),
            INT64_MIN);
  EXPECT_EQ(std::get<bool>(Map("{ from: /a, type: boolean }", R"({"a":true})")->values[0]), true);
  EXPECT_EQ(std::get<WallTime>(
                Map("{ from: /a, type: timestamp }", R"({"a":"2026-11-20T08:15:30.5+02:00"})")
                    ->values[0]),
            *ParseRfc3339("2026-11-20T06:15:30.5Z"));
  EXPECT_EQ(std::get<Date>(Map("{ from: /a, type: date }", R"({"a":"2028-02-29"})")->values[0]).day,
            29U);
  EXPECT_EQ(std::get<std::string>(
                Map("{ from: /a, type: json }", R"({"a":[ 1, {"x":null} ]})")->values[0]),
            R"([1,{"x":null}])");
}

TEST(MapperTest, NumbersBeyond64BitsAreExactOrAFinding) {
  const std::string record = R"({"a":18446744073709551616,"b":[1e400,0.10],"c":)" +
                             std::string(200, '7') + R"(,"d":"text"})";

  EXPECT_EQ(std::get<std::string>(Map("{ from: /a, type: decimal }", record)->values[0]),
            "18446744073709551616");
  EXPECT_EQ(std::get<std::string>(Map("{ from: /c, type: decimal }", record)->values[0]),
            std::string(200, '7'));
  EXPECT_EQ(std::get<std::string>(Map("{ from: /b, type: json }", record)->values[0]),
            "[1e400,0.10]");
  EXPECT_EQ(std::get<std::string>(Map("{ from: /d, type: text }", record)->values[0]), "text");
  for (const char* column : {"{ from: /a, type: integer }", "{ from: /a, type: text }"}) {
    const auto row = Map(column, record);
    ASSERT_THAT(row, Succeeds());
    ASSERT_EQ(row->misfits.size(), 1U) << column;
    EXPECT_EQ(row->misfits[0].found, "number");
  }
}

TEST(MapperTest, OfTwoMembersOfOneNameTheLastCountsAsInJsonb) {
  EXPECT_EQ(
      std::get<std::string>(
          Map("{ from: /a/b, type: text }", R"({"a":{"b":"x"},"a":{"b":"y","b":"z"}})")->values[0]),
      "z");
}

TEST(MapperTest, AbsentAndNullAreNull) {
  for (const char* record : {"{}", R"({"a":null})", R"({"b":1})"}) {
    const auto row = Map("{ from: /a, type: text }", record);
    ASSERT_THAT(row, Succeeds());
    EXPECT_TRUE(std::holds_alternative<std::monostate>(row->values[0])) << record;
    EXPECT_TRUE(row->misfits.empty());
  }
}

TEST(MapperTest, AMisfitOfAnOptionalColumnIsNullAndReportedWithoutItsValue) {
  struct {
    const char* type;
    const char* record;
    const char* found;
  } const cases[] = {{"text", R"({"a":7})", "number"},
                     {"decimal", R"({"a":"1,5"})", "string"},
                     {"decimal", R"({"a":"1e9999"})", "string"},
                     {"decimal", R"({"a":1e9999})", "number"},
                     {"decimal", R"({"a":true})", "boolean"},
                     {"integer", R"({"a":9223372036854775808})", "number"},
                     {"integer", R"({"a":"36 months"})", "string"},
                     {"integer", R"({"a":1.5})", "number"},
                     {"boolean", R"({"a":"true"})", "string"},
                     {"date", R"({"a":"2026-02-30"})", "string"},
                     {"timestamp", R"({"a":"2026-11-20"})", "string"},
                     {"timestamp", R"({"a":1700000000})", "number"},
                     {"text", R"({"a":{}})", "object"}};
  for (const auto& [type, record, found] : cases) {
    const auto row = Map(std::string("{ from: /a, type: ") + type + " }", record);
    ASSERT_THAT(row, Succeeds());
    ASSERT_EQ(row->misfits.size(), 1U) << type << " " << record;
    EXPECT_EQ(row->misfits[0].found, found);
  }
}

TEST(MapperTest, MoneyIsExactInEveryFormItIsSentIn) {
  struct {
    const char* sent;
    const char* held;
  } const cases[] = {{R"("100.")", "100"},
                     {R"("0.")", "0"},
                     {"100.5", "100.5"},
                     {"0.10", "0.10"},
                     {"12345678901234567890.12", "12345678901234567890.12"},
                     {"9223372036854775808", "9223372036854775808"},
                     {"18446744073709551615", "18446744073709551615"},
                     {R"("9223372036854775808")", "9223372036854775808"},
                     {R"("1E+6")", "1000000"},
                     {"1E+6", "1000000"},
                     {R"("")", "NULL"}};
  for (const auto& [sent, held] : cases) {
    const std::string record = fmt::format(R"({{"x":{{"a":1.5}},"l":[{{"k":"v","a":{}}}]}})", sent);
    const auto row = Map("{ from: '/l/[k=v]/a', type: decimal }", record);
    ASSERT_THAT(row, Succeeds());
    EXPECT_THAT(row->misfits, ::testing::IsEmpty()) << sent;
    const auto* text = std::get_if<std::string>(&row->values[0]);
    EXPECT_EQ(text != nullptr ? *text : "NULL", held) << sent;
  }
}

TEST(MapperTest, NumbersInAJsonColumnKeepTheirDigits) {
  EXPECT_EQ(std::get<std::string>(
                Map("{ from: /a, type: json }", R"({"a":[ 1.10, {"x":12345678901234567890.12} ]})")
                    ->values[0]),
            R"([1.10,{"x":12345678901234567890.12}])");
}

TEST(MapperTest, AnIntegerMayBeSentAsText) {
  EXPECT_EQ(std::get<std::int64_t>(Map("{ from: /a, type: integer }", R"({"a":"36"})")->values[0]),
            36);
}

TEST(MapperTest, AMisfitLeavesItsColumnAndItsUnitAlone) {
  const auto mapping = ParseMapping(
      "entity: e\nversion: 1\ncolumns:\n  c: { from: /c, type: text, unit_of: a }\n"
      "  a: { from: /a, type: decimal }\n  t: { from: /t, type: text }\n",
      "m.yaml");
  ASSERT_THAT(mapping, Succeeds());
  Mapper mapper(*mapping);

  const auto misfit = mapper.MapRecord({.payload = R"({"a":"ten","c":"EUR","t":"x"})"});
  const auto good = mapper.MapRecord({.payload = R"({"a":"","c":"EUR"})"});

  ASSERT_THAT(misfit, Succeeds());
  EXPECT_THAT(misfit->left_alone, ::testing::ElementsAre(1, 0));
  ASSERT_THAT(good, Succeeds());
  EXPECT_THAT(good->left_alone, ::testing::IsEmpty()) << "an empty amount is none";
}

TEST(MapperTest, ARequiredColumnThatCannotBeFilledRefusesTheRecord) {
  for (const char* record : {"{}", R"({"a":null})", R"({"a":7})"}) {
    const auto row = Map("{ from: /a, type: text, required: true }", record);
    ASSERT_THAT(row, FailsWith(ErrorCode::kSchemaMismatch)) << record;
    EXPECT_EQ(row.error().Find("pointer"), "/a");
  }
}

TEST(MapperTest, WhenFillsOnlyWhatMeetsItsCondition) {
  const std::string column =
      "{ from: /amount, type: decimal, when: { at: /currency, equals: USD } }";

  EXPECT_EQ(std::get<std::string>(Map(column, R"({"amount":"5","currency":"USD"})")->values[0]),
            "5");
  EXPECT_TRUE(std::holds_alternative<std::monostate>(
      Map(column, R"({"amount":"5","currency":"EUR"})")->values[0]));
  EXPECT_TRUE(std::holds_alternative<std::monostate>(Map(column, R"({"amount":"5"})")->values[0]));
}

TEST(MapperTest, RefusesWhatPostgreSqlCannotHold) {
  EXPECT_THAT(Map("{ from: /a, type: text }", R"({"b":"x\u0000y"})"),
              FailsWith(ErrorCode::kSchemaMismatch));
  EXPECT_THAT(Map("{ from: /a, type: text }", R"({"a":"about \\u0000"})"), Succeeds())
      << "a text about the escape is not an escape";
  EXPECT_THAT(Map("{ from: /a, type: text }", "[1]"), FailsWith(ErrorCode::kSchemaMismatch));
  EXPECT_THAT(Map("{ from: /a, type: text }", "{\"a\":"), FailsWith(ErrorCode::kSchemaMismatch));
  EXPECT_THAT(Map("{ from: /a, type: text }", "{\"a\":\"\xff\"}"),
              FailsWith(ErrorCode::kSchemaMismatch));
}

TEST(ParseMappingTest, NamesEveryProblemWithItsPlace) {
  const auto mapping = ParseMapping(
      "entity: e\nversion: 0\ncolums: {}\ncolumns:\n  A: { from: x, type: txt }\n  b: { form: /b, "
      "type: text, required: yes }\n",
      "m.yaml");

  ASSERT_THAT(mapping, FailsWith(ErrorCode::kConfig));
  const std::string& text = mapping.error().message();
  EXPECT_THAT(text, HasSubstr("m.yaml:2:10 version: expected a whole number from 1"));
  EXPECT_THAT(text, HasSubstr("m.yaml:3:1 colums: unknown key, expected one of entity, version, "
                              "columns, pii, drift; did you mean columns?"));
  EXPECT_THAT(text, HasSubstr("m.yaml:5:3 columns.A: a column name"));
  EXPECT_THAT(text, HasSubstr("columns.A.from: \"x\" is not a JSON pointer"));
  EXPECT_THAT(text, HasSubstr("\"txt\", expected one of text, integer, decimal, boolean, "
                              "timestamp, date, json; did you mean text?"));
  EXPECT_THAT(text, HasSubstr("columns.b.form: unknown key"));
  EXPECT_THAT(text, HasSubstr("columns.b.required: expected true or false"));
}

TEST(ParseMappingTest, RefusesSelectorsAndUnitsThatSayNothing) {
  for (const char* column :
       {"{ from: '/a/[b', type: text }", "{ from: '/a/[b]', type: text }",
        "{ from: '/a/[=x]', type: text }", "{ from: '/a/[b=x | ]', type: text }",
        "{ from: '/a/[b=x & ]', type: text }", "{ from: /a~2, type: text }",
        "{ from: /a, type: text, unit_of: x }", "{ from: /a, type: text, unit_of: c }"}) {
    EXPECT_THAT(ParseMapping(std::string("entity: e\nversion: 1\ncolumns:\n  c: ") + column + "\n",
                             "m.yaml"),
                FailsWith(ErrorCode::kConfig))
        << column;
  }
}

TEST(ParseMappingTest, RefusesAnchorsAliasesTagsSecondDocumentsAndDuplicates) {
  for (const char* yaml : {"a: &x 1\nb: *x\n", "a: !!str 1\n", "a: 1\n---\nb: 2\n", "a: 1\na: 2\n",
                           "? [x]\n: 1\n", "<<: {a: 1}\n", ",", "a: [1", "\ta: 1"}) {
    EXPECT_THAT(ParseMapping(yaml, "m.yaml"), FailsWith(ErrorCode::kConfig)) << yaml;
  }
  EXPECT_THAT(ParseMapping(std::string(300'000, 'a'), "m.yaml"), FailsWith(ErrorCode::kConfig));
}

TEST(BuiltinMappingTest, EveryEntityHasOneThatTheEngineCanUse) {
  for (const EntityDef* entity : AllEntities()) {
    const auto mapping = BuiltinMapping(entity->name);
    ASSERT_THAT(mapping, Succeeds());
    EXPECT_EQ(mapping->entity, entity->name);
  }
}

std::string TextOf(const std::string& column, std::string_view record) {
  const auto row = Map(column, record);
  if (!row) return row.error().message();
  const auto* text = std::get_if<std::string>(&row->values[0]);
  return text != nullptr ? *text : "NULL";
}

TEST(MapperTest, TheFirstPointerThatIsPresentCounts) {
  const std::string column = "{ from: [/b, /a], type: text }";
  EXPECT_EQ(TextOf(column, R"({"a":"1","b":"2"})"), "2");
  EXPECT_EQ(TextOf(column, R"({"a":"1","b":null})"), "1");
  EXPECT_EQ(TextOf(column, "{}"), "NULL");
}

TEST(MapperTest, AnElementIsFoundByAMember) {
  const std::string column = "{ from: '/c/[Type=Lead]/n/0', type: text }";
  EXPECT_EQ(TextOf(column, R"({"c":[{"Type":"Other","n":["x"]},{"Type":"Lead","n":["y"]}]})"), "y");
  EXPECT_EQ(TextOf(column, R"({"c":[{"Type":"Other"}]})"), "NULL");
  EXPECT_EQ(TextOf(column, R"({"c":{"Type":"Lead"}})"), "NULL");
}

TEST(MapperTest, AnElementIsChosenByTheFirstAlternativeThatFits) {
  const std::string column = "{ from: '/s/[To=AWS | To!=Self & Every!=None]/n', type: text }";
  EXPECT_EQ(
      TextOf(
          column,
          R"({"s":[{"To":"X","n":"x"},{"To":"Self","Every":"None","n":"t"},{"To":"AWS","n":"a"}]})"),
      "a");
  EXPECT_EQ(
      TextOf(
          column,
          R"({"s":[{"To":"Self","Every":"None","n":"t"},{"To":"X","Every":"None","n":"no"},{"To":"X","n":"x"}]})"),
      "x");
  EXPECT_EQ(TextOf(column, R"({"s":[{"n":"x"}]})"), "x") << "a member that is absent is not Self";
  EXPECT_EQ(TextOf(column, R"({"s":[{"To":"Self","n":"t"}]})"), "NULL");
  EXPECT_EQ(TextOf(column, R"({"s":[{"To":"AWS"},{"To":"X","n":"x"}]})"), "NULL")
      << "amount and currency come from one element";
  EXPECT_EQ(TextOf(column, R"({"s":[1,null,"AWS",{"To":"AWS","n":"a"}]})"), "a");
}

TEST(MapperTest, ValuesAreTranslatedAndUnknownOnesKept) {
  const std::string column =
      "{ from: /s, type: text, values: { PENDING: invited }, default: accepted }";
  EXPECT_EQ(TextOf(column, R"({"s":"PENDING"})"), "invited");
  EXPECT_EQ(TextOf(column, R"({"s":"NEW"})"), "NEW");
  EXPECT_EQ(TextOf(column, "{}"), "accepted");
}

TEST(MapperTest, WhatBronzeKnowsBesideTheBytesFillsColumnsToo) {
  EXPECT_EQ(TextOf("{ from: '@version', type: text }", "{}"), "v7");
  EXPECT_EQ(TextOf("{ from: [/Id, '@id'], type: text }", "{}"), "the-id");
  EXPECT_EQ(
      std::get<WallTime>(Map("{ from: [/at, '@served_at'], type: timestamp }", "{}")->values[0]),
      *ParseRfc3339("2026-11-23T10:00:00Z"));
}

TEST(MapperTest, ACompanionIsReadByItsOperation) {
  EXPECT_EQ(TextOf("{ from: /Seen, of: GetSeen, type: text }", "{}"), "PUBLIC");
  EXPECT_EQ(TextOf("{ from: /Seen, of: GetOther, type: text }", "{}"), "NULL");
  EXPECT_EQ(TextOf("{ from: /Seen, type: text }", "{}"), "NULL");
}

TEST(ReadListPageTest, AnItemThatIsTheRecordKeepsItsBytes) {
  const auto page = ReadListPage(
      R"({"NextToken":"t", "SolutionSummaries" : [ {"Id" : "S-1", "x":[1.10,{"Id":"n"}] } , {"Id":"S-2"}]})",
      Solutions().sources.front());

  ASSERT_THAT(page, Succeeds());
  EXPECT_EQ(page->items[0].bytes, R"({"Id" : "S-1", "x":[1.10,{"Id":"n"}] })");
  EXPECT_EQ(page->items[0].version, "sha256:" + Sha256Hex(page->items[0].bytes));
  EXPECT_EQ(page->items[1].bytes, R"({"Id":"S-2"})");
  EXPECT_EQ(page->items[1].index, 1);
  EXPECT_FALSE(page->items[1].has_detail);
}

TEST(ReadListPageTest, DetailsAreFetchedOnlyOfPendingInvitations) {
  const SourceDef& invitations = Leads().sources.back();

  const auto page = ReadListPage(
      R"({"EngagementInvitationSummaries":[{"Id":"engi-1","EngagementId":"eng-1","Status":"PENDING"},{"Id":"engi-2","Status":"EXPIRED"}]})",
      invitations);

  ASSERT_THAT(page, Succeeds());
  EXPECT_EQ(page->items[0].id, "eng-1");
  EXPECT_EQ(page->items[0].key, "engi-1");
  EXPECT_TRUE(page->items[0].has_detail);
  EXPECT_EQ(page->items[1].id, "engi-2");
  EXPECT_FALSE(page->items[1].has_detail);
  EXPECT_THAT(ReadListPage("{}", invitations)->items, ::testing::IsEmpty())
      << "AWS does not promise the list";
}

TEST(ReadListPageTest, ReadsIdsVersionsAndToken) {
  const auto page = ReadListPage(
      R"({"OpportunitySummaries":[{"Id":"O1","LastModifiedDate":"v1","New":{}},{"Id":"O2"}],"NextToken":"t"})",
      Opportunities().sources.front());

  ASSERT_THAT(page, Succeeds());
  ASSERT_EQ(page->items.size(), 2U);
  EXPECT_EQ(page->items[0].version, "v1");
  EXPECT_EQ(page->items[1].version, "");
  EXPECT_EQ(page->next_token, "t");
  EXPECT_EQ(
      ReadListPage(R"({"OpportunitySummaries":[],"NextToken":""})", Opportunities().sources.front())
          ->next_token,
      "");
  EXPECT_THAT(ReadListPage(R"({"Opportunities":[]})", Opportunities().sources.front()),
              FailsWith(ErrorCode::kSchemaMismatch));
}

TEST(ListRequestTest, SaysWhatAwsWantsToRead) {
  EXPECT_EQ(
      ListRequest(Opportunities().sources.front(),
                  {.catalog = "AWS",
                   .page_size = 50,
                   .next_token = "a\"b",
                   .sort_by = "LastModifiedDate",
                   .modified_after = *ParseRfc3339("2026-11-20T08:15:30Z")}),
      R"({"Catalog":"AWS","MaxResults":50,"NextToken":"a\"b","Sort":{"SortBy":"LastModifiedDate","SortOrder":"ASCENDING"},"LastModifiedDate":{"AfterLastModifiedDate":"2026-11-20T08:15:30Z"}})");
  EXPECT_EQ(DetailRequest(Opportunities().sources.front(), "Sandbox", "O1"),
            R"({"Catalog":"Sandbox","Identifier":"O1"})");
}

TEST(FindConnectorTest, TakesEverySpelling) {
  for (const char* spelling : {"partner_central", "partner-central", "partnercentral"})
    EXPECT_EQ(FindConnector(spelling), &PartnerCentral()) << spelling;
  EXPECT_EQ(FindConnector("Partner Central"), nullptr);
}

TEST(ParseMappingTest, NamesOfPcwsOwnColumnsAreRefusedAndWordsOfSqlAreNot) {
  const auto parse = [](const std::string& column) {
    return ParseMapping(
        "entity: opportunities\nversion: 1\ncolumns:\n  " + column + ": { from: /A, type: text }\n",
        "m.yaml");
  };
  for (const char* own : {"payload_json", "is_sparse", "fetched_run", "tenant_id", "catalog",
                          "source_rank", "missing_since", "xmin", "ctid"}) {
    const Result<Mapping> mapping = parse(own);
    ASSERT_FALSE(mapping) << own;
    EXPECT_THAT(mapping.error().message(), HasSubstr("m.yaml:4:3 columns."));
    EXPECT_THAT(mapping.error().message(), HasSubstr("is a column of pcw's own"));
  }
  for (const char* word : {"order", "user", "select", "from", "end", "default"})
    EXPECT_THAT(parse(word), Succeeds()) << word;
  for (const char* wrong : {"Order", "2nd", "a-b", "\"a b\""}) EXPECT_FALSE(parse(wrong)) << wrong;
}

}  // namespace
}  // namespace pcw::connector
