#include "pcw/connector/drift_observer.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/result_matchers.h"

namespace pcw::connector {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::string_view kMapping = R"(entity: opportunities
version: 1
columns:
  id:      { from: /Id, type: text, required: true }
  stage:   { from: /LifeCycle/Stage, type: text }
  closes:  { from: /LifeCycle/TargetCloseDate, type: date }
  country: { from: /Customer/Account/Address/CountryCode, type: text, pii: personal }
)";

class DriftObserverTest : public testing::Test {
 protected:
  void Use(const std::string& drift, std::set<DriftKey> accepted = {},
           const std::set<DriftKey>& open = {}) {
    auto parsed = ParseMapping(std::string(kMapping) + drift, "m.yaml");
    ASSERT_THAT(parsed, Succeeds());
    mapping = std::move(*parsed);
    observer.emplace(Opportunities(), mapping, std::move(accepted), open);
  }

  Result<Row> Map(std::string_view record) {
    Mapper mapper(mapping);
    observer->Begin("O1", 7);
    auto row = mapper.MapRecord({.payload = record, .operation = "GetOpportunity"}, &*observer);
    if (row) PCW_TRY_OK(observer->ObserveRow(*row, "GetOpportunity", false));
    return row;
  }

  Mapping mapping;
  std::optional<DriftObserver> observer;
};

TEST_F(DriftObserverTest, WhatTheModelKnowsIsNoFinding) {
  Use("");
  EXPECT_THAT(Map(R"({"Id":"O1","LifeCycle":{"Stage":"Prospect"},"Customer":{"Contacts":[
                  {"Email":"a@b.c"},{"Email":null}]},"Marketing":null})"),
              Succeeds());
  EXPECT_THAT(observer->TakeFindings(), IsEmpty());
}

TEST_F(DriftObserverTest, CountsRecordsWithEachDepartureOnce) {
  Use("");
  for (int i = 0; i < 2; ++i) {
    ASSERT_THAT(
        Map(R"({"Id":"O1","New/One":{"a":1},"LifeCycle":{"Stage":"Nurturing","ReviewComments":5},
                "Customer":{"Contacts":[{"Fax":"1"},{"Fax":"2"}]}})"),
        Succeeds());
  }
  const DriftFindings found = observer->TakeFindings();

  const auto count = [&](DriftKind kind, const char* pointer, const char* what) {
    const auto place = found.find({kind, "GetOpportunity", pointer, "", what});
    return place == found.end() ? 0 : place->second.records;
  };
  EXPECT_EQ(count(DriftKind::kUnknownMember, "/New~1One", "object"), 2);
  EXPECT_EQ(count(DriftKind::kUnknownMember, "/Customer/Contacts/*/Fax", "string"), 2);
  EXPECT_EQ(count(DriftKind::kNewEnum, "/LifeCycle/Stage", "Nurturing"), 2);
  EXPECT_EQ(count(DriftKind::kTypeChange, "/LifeCycle/ReviewComments", "number"), 2);
  EXPECT_THAT(found, SizeIs(4));
  EXPECT_EQ(found.begin()->second.sample_record, "O1");
  EXPECT_EQ(found.begin()->second.sample_line, 7);
  EXPECT_THAT(observer->TakeFindings(), IsEmpty());
}

TEST_F(DriftObserverTest, KeepsNoValueOfAPiiMember) {
  Use("");
  ASSERT_THAT(Map(R"({"Id":"O1","Customer":{"Account":{"Address":{"CountryCode":"Jane Doe"}}}})"),
              Succeeds());
  const DriftFindings found = observer->TakeFindings();
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found.begin()->first.found, "a value");
}

TEST_F(DriftObserverTest, CutsLongValuesAtACharacter) {
  Use("");
  std::string value(79, 'x');
  value += "\xc3\xa9zzz";
  ASSERT_THAT(Map(R"({"Id":"O1","LifeCycle":{"Stage":")" + value + R"("}})"), Succeeds());
  EXPECT_EQ(observer->TakeFindings().begin()->first.found, std::string(79, 'x') + "...");
}

TEST_F(DriftObserverTest, TellsMisfitsOfTheirColumns) {
  Use("");
  ASSERT_THAT(Map(R"({"Id":"O1","LifeCycle":{"TargetCloseDate":"soon"}})"), Succeeds());
  const DriftFindings found = observer->TakeFindings();
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found.begin()->first.kind, DriftKind::kMisfit);
  EXPECT_EQ(found.begin()->first.column, "closes");
}

TEST_F(DriftObserverTest, ModesActUntilTheFindingIsAccepted) {
  const char* modes = "drift: { fields: { /LifeCycle: freeze, /LifeCycle/Stage: quarantine } }\n";
  const char* record = R"({"Id":"O1","New":1,"LifeCycle":{"Stage":"Nurturing"}})";
  Use(modes);
  const auto quarantined = Map(record);
  ASSERT_FALSE(quarantined.has_value());
  EXPECT_EQ(quarantined.error().code(), ErrorCode::kSchemaMismatch);
  EXPECT_EQ(quarantined.error().reason(), Reason::kSchemaQuarantined);
  EXPECT_THAT(observer->TakeFindings(), SizeIs(2));

  const auto frozen = Map(R"({"Id":"O1","LifeCycle":{"Stage":"Nurturing","Pace":"slow"}})");
  ASSERT_FALSE(frozen.has_value());
  EXPECT_EQ(frozen.error().reason(), Reason::kSchemaFrozen);
  EXPECT_EQ(frozen.error().Find("pointer"), "/LifeCycle/Pace");

  Use(modes, {{DriftKind::kNewEnum, "GetOpportunity", "/LifeCycle/Stage", "", "Nurturing"}});
  EXPECT_THAT(Map(record), Succeeds());
  EXPECT_THAT(observer->TakeFindings(), SizeIs(1));
}

// A record with so many members that no model has, at its top and in its LifeCycle.
std::string MadeUp(int members, const std::string& prefix) {
  std::string names;
  for (int i = 0; i < members; ++i) names += ",\"" + prefix + std::to_string(i) + "\":1";
  return R"({"Id":"O1","LifeCycle":{"Stage":"Prospect")" + names + "}" + names + "}";
}

TEST_F(DriftObserverTest, TenThousandMadeUpNamesAreOneFindingAPlaceBeyondTheFirstTen) {
  Use("");
  const DriftKey rest{DriftKind::kUnknownMember, "GetOpportunity", "/*", "",
                      "more names than are kept apart"};
  DriftFindings all;
  for (int part = 0; part < 3; ++part) {
    ASSERT_THAT(Map(MadeUp(10'000, std::string(1, static_cast<char>('A' + part)))), Succeeds());
    ASSERT_THAT(Map(MadeUp(11, "Z")), Succeeds());
    DriftFindings found = observer->TakeFindings();
    ASSERT_TRUE(found.contains(rest));
    EXPECT_EQ(found.at(rest).records, 2);  // once a record, however many names
    EXPECT_EQ(found.at(rest).sample_record, "O1");
    all.merge(found);
  }
  EXPECT_THAT(all, SizeIs(2 * 11));
  EXPECT_TRUE(all.contains({DriftKind::kUnknownMember, "GetOpportunity", "/LifeCycle/*", "",
                            "more names than are kept apart"}));
}

TEST_F(DriftObserverTest, WhatEarlierRunsKeptOfAPlaceCounts) {
  std::set<DriftKey> open;
  for (int i = 0; i < 10; ++i)
    open.insert(
        {DriftKind::kUnknownMember, "GetOpportunity", "/Old" + std::to_string(i), "", "number"});
  Use("", {}, open);
  ASSERT_THAT(Map(R"({"Id":"O1","Old3":1,"Fresh":1,"Pace":2})"), Succeeds());

  const DriftFindings found = observer->TakeFindings();
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found.begin()->first.pointer, "/*");
  EXPECT_EQ(found.rbegin()->first.pointer, "/Old3");
}

TEST_F(DriftObserverTest, TheOneFindingOfAPlaceCanBeAccepted) {
  std::set<DriftKey> open;
  for (int i = 0; i < 10; ++i)
    open.insert(
        {DriftKind::kNewEnum, "GetOpportunity", "/LifeCycle/Stage", "", "S" + std::to_string(i)});
  const char* record = R"({"Id":"O1","LifeCycle":{"Stage":"Another"}})";
  Use("", {}, open);
  ASSERT_THAT(Map(record), Succeeds());
  const DriftFindings found = observer->TakeFindings();
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found.begin()->first.found, "more values than are kept apart");

  Use("", {found.begin()->first}, open);
  ASSERT_THAT(Map(record), Succeeds());
  EXPECT_THAT(observer->TakeFindings(), IsEmpty());
}

TEST_F(DriftObserverTest, NamesAndValuesOfFindingsAreStorable) {
  Use("");
  ASSERT_THAT(
      Map("{\"Id\":\"O1\",\"N\\u0001w\\uffff/~\":1,\"LifeCycle\":{\"Stage\":\"a\\u0001\"}}"),
      Succeeds());
  const DriftFindings found = observer->TakeFindings();
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found.begin()->first.pointer, "/N\\x01w\\u{FFFF}~1~0");
  EXPECT_EQ(found.rbegin()->first.found, "a\\x01");
}

TEST_F(DriftObserverTest, TalliesMembersAndColumns) {
  Use("");
  ASSERT_THAT(Map(R"({"Id":"O1","LifeCycle":{"Stage":"Prospect"}})"), Succeeds());
  ASSERT_THAT(Map(R"({"Id":"O2","LifeCycle":{"Stage":null}})"), Succeeds());
  const RateTallies tallies = observer->Tallies();

  EXPECT_EQ(tallies.at({"GetOpportunity", false, "/LifeCycle/Stage"}).hits, 1);
  EXPECT_EQ(tallies.at({"GetOpportunity", false, "/LifeCycle"}).hits, 2);
  EXPECT_EQ(tallies.at({"GetOpportunity", true, "stage"}).hits, 1);
  EXPECT_EQ(tallies.at({"GetOpportunity", true, "stage"}).records, 2);
}

TEST(DriftMappingTest, NamesEveryMistakeInModes) {
  const auto parsed = ParseMapping(
      std::string(kMapping) + "drift: { default: evolv, fields: { Stage: freeze, /A: no } }\n",
      "m.yaml");
  ASSERT_FALSE(parsed.has_value());
  EXPECT_THAT(parsed.error().message(), HasSubstr("did you mean evolve?"));
  EXPECT_THAT(parsed.error().message(), HasSubstr("\"Stage\" is not a JSON pointer"));
  EXPECT_THAT(parsed.error().message(), HasSubstr("drift.fields./A"));
}

}  // namespace
}  // namespace pcw::connector
