#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pcw/diagnose/drift_steps.h"
#include "pcw/diagnose/report.h"
#include "pcw/diagnose/rules.h"

namespace pcw::diagnose {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

tables::StoredFinding Open(std::int64_t id, const char* kind) {
  tables::StoredFinding finding;
  finding.id = id;
  finding.entity = "opportunities";
  finding.kind = kind;
  finding.status = "open";
  finding.operation = "GetOpportunity";
  finding.pointer = "/LifeCycle/Stage";
  finding.found = "Nurturing";
  finding.records = 3;
  return finding;
}

std::vector<std::string> CodesOf(const SchemaFacts& schema) {
  Facts facts;
  facts.schema = schema;
  std::vector<std::string> codes;
  for (const Finding& finding : JudgeSchema(facts)) {
    EXPECT_FALSE(finding.next_steps.empty()) << finding.def->code;
    codes.emplace_back(finding.def->code);
  }
  return codes;
}

TEST(SchemaRulesTest, NothingIsSaidWithoutADatabase) {
  EXPECT_THAT(JudgeSchema(Facts{}), IsEmpty());
}

TEST(SchemaRulesTest, AllWellIsOneInformation) {
  SchemaFacts schema;
  schema.old_rows = {{.entity = "leads", .version = 1, .rows = 0}};
  EXPECT_THAT(CodesOf(schema), ElementsAre("PCW1306"));
}

TEST(SchemaRulesTest, AnOlderMappingThanTheRowsHaveIsToldInsteadOfOldRows) {
  SchemaFacts schema;
  schema.old_rows = {{.entity = "leads", .version = 1, .rows = 7, .newest = 2}};
  EXPECT_THAT(CodesOf(schema), ElementsAre("PCW1310", "PCW1306"));
}

TEST(SchemaRulesTest, ABrokenMappingFileIsTold) {
  SchemaFacts schema;
  schema.broken = {{"leads", "leads.yaml:3:1: unknown key"}};
  EXPECT_THAT(CodesOf(schema), ElementsAre("PCW1311", "PCW1306"));
}

TEST(SchemaRulesTest, EachTroubleHasItsCode) {
  SchemaFacts schema;
  schema.stopped = {{.entity = "leads", .run_id = "r", .reason = "schema_frozen", .error = "e"}};
  schema.open = {Open(1, "null_rate"), Open(2, "type_change"), Open(3, "new_enum"),
                 Open(4, "unknown_member")};
  schema.old_rows = {{.entity = "leads", .version = 2, .rows = 5}};
  schema.left = {{.entity = "leads", .table = "t", .column = "pace", .rows = 3}};
  schema.letters = {{"leads", 7}};
  EXPECT_THAT(CodesOf(schema), ElementsAre("PCW1301", "PCW1302", "PCW1303", "PCW1307", "PCW1304",
                                           "PCW1308", "PCW1305", "PCW1306"));
}

TEST(SchemaRulesTest, OneFindingAnEntityWithTheExactReingest) {
  Facts facts;
  facts.schema = SchemaFacts{};
  facts.schema->open = {Open(5, "misfit"), Open(4, "type_change")};
  const std::vector<Finding> findings = JudgeSchema(facts);

  EXPECT_THAT(findings.front().message, HasSubstr("2 members"));
  EXPECT_THAT(findings.front().next_steps,
              Contains("pcw bronze reingest --entity opportunities --finding 5"));
  EXPECT_EQ(findings.front().def->issue, IssueType::kData);
}

TEST(DriftStepsTest, EveryKindHasAMeaningAndEndsWithAccept) {
  for (const char* kind :
       {"unknown_member", "missing_member", "type_change", "new_enum", "null_rate", "misfit"}) {
    EXPECT_FALSE(MeaningOf(Open(9, kind)).empty());
    EXPECT_THAT(NextStepsFor(Open(9, kind)).back(), HasSubstr("pcw drift accept 9"));
  }
}

}  // namespace
}  // namespace pcw::diagnose
