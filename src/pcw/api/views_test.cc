#include "pcw/api/views.h"

#include <set>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "pcw/api/openapi.h"

namespace pcw::api {
namespace {

using ::testing::ElementsAreArray;

std::vector<std::string> NamesOf(const OrderedJson& json) {
  std::vector<std::string> names;
  for (const auto& [name, value] : json.items()) names.push_back(name);
  return names;
}

// What the description says of a schema: its members, and those that may be null.
std::pair<std::vector<std::string>, std::set<std::string>> DescribedAs(const std::string& schema) {
  const OrderedJson all = OrderedJson::parse(MakeOpenApi("1"))["components"]["schemas"];
  std::set<std::string> nullable;
  for (const auto& [name, property] : all[schema]["properties"].items()) {
    if (property["type"].is_array()) nullable.insert(name);
  }
  return {NamesOf(all[schema]["properties"]), nullable};
}

void ExpectFits(const OrderedJson& json, const std::string& schema) {
  const auto [names, nullable] = DescribedAs(schema);
  EXPECT_THAT(NamesOf(json), ElementsAreArray(names)) << schema;
  for (const auto& [name, value] : json.items()) {
    EXPECT_TRUE(!value.is_null() || nullable.contains(name)) << schema << " " << name;
  }
}

TEST(ViewsTest, EveryFieldIsInTheDescriptionAndNullOnlyWhereItSaysSo) {
  ExpectFits(RunJson({}), "Run");
  ExpectFits(DeadLetterJson({}), "DeadLetter");
  ExpectFits(DeadLetterGroupJson({}), "DeadLetterGroup");
  ExpectFits(DriftJson({}), "DriftFinding");
}

TEST(ViewsTest, ARunShowsItsConnectorAsUrlsSpellItAndItsRecords) {
  runs::StoredRun run;
  run.connector = "partner_central";
  run.stats_json = R"({"records_processed": 7})";
  const OrderedJson json = RunJson(run);
  EXPECT_EQ(json["connector"], "partner-central");
  EXPECT_EQ(json["records"], 7);
  EXPECT_EQ(json["ended_at"], nullptr);
}

TEST(ViewsTest, DamagedCountersLeaveTheRestOfARun) {
  runs::StoredRun run;
  run.id = "r";
  run.stats_json = R"({"records_)";
  const OrderedJson json = RunJson(run);
  EXPECT_EQ(json["id"], "r");
  EXPECT_EQ(json["stats"], nullptr);
  EXPECT_EQ(json["records"], nullptr);
}

TEST(ViewsTest, ADeadLetterShowsWhereItsBytesAreIfTheyAreStored) {
  dlq::DeadLetter letter;
  EXPECT_EQ(DeadLetterJson(letter)["bronze_line"], nullptr);
  letter.bronze_key = "k";
  letter.bronze_line = 3;
  letter.patch_json = "{}";
  EXPECT_EQ(DeadLetterJson(letter)["bronze_line"], 3);
  EXPECT_EQ(DeadLetterJson(letter)["patched"], true);
}

}  // namespace
}  // namespace pcw::api
