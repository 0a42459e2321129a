#include "pcw/sim/faults.h"

#include <gmock/gmock.h>

#include "fakes/result_matchers.h"

namespace pcw::sim {
namespace {

using ::testing::HasSubstr;

FaultPlan Plan(std::string_view text) {
  auto plan = ParseFaults(text, "faults.json");
  EXPECT_THAT(plan, Succeeds());
  return plan ? std::move(*plan) : FaultPlan{};
}

const FaultedCall kList{Operation::kListOpportunities, Catalog::kAws, ""};
const FaultedCall kGet{Operation::kGetOpportunity, Catalog::kAws, "O1000000010"};

/// The call numbers (from 1) of `calls` equal calls at which the kind fires.
std::vector<int> FiringsOf(FaultEngine& engine, const FaultedCall& call, int calls,
                           FaultKind kind) {
  std::vector<int> fired;
  for (int n = 1; n <= calls; ++n) {
    if (engine.Decide(call).Find(kind) != nullptr) fired.push_back(n);
  }
  return fired;
}

TEST(FaultEngineTest, AtFiresAtExactlyThoseCalls) {
  FaultEngine engine(
      Plan(R"({"rules":[{"operation":"GetOpportunity","kind":"reset","at":[2,5]}]})"));

  EXPECT_THAT(FiringsOf(engine, kList, 3, FaultKind::kReset), ::testing::IsEmpty());
  EXPECT_THAT(FiringsOf(engine, kGet, 10, FaultKind::kReset), ::testing::ElementsAre(2, 5));
}

TEST(FaultEngineTest, EveryFiresInStepsUpToItsLimit) {
  FaultEngine engine(Plan(R"({"rules":[{"kind":"stall","every":3,"limit":2}]})"));

  EXPECT_THAT(FiringsOf(engine, kGet, 20, FaultKind::kStall), ::testing::ElementsAre(3, 6));
}

TEST(FaultEngineTest, ARateIsTheSameForTheSameSeed) {
  constexpr auto kText = R"({"seed":9,"rules":[{"kind":"throttle","rate":0.25}]})";
  FaultEngine one(Plan(kText));
  FaultEngine two(Plan(kText));

  const auto fired = FiringsOf(one, kGet, 400, FaultKind::kThrottle);

  EXPECT_EQ(fired, FiringsOf(two, kGet, 400, FaultKind::kThrottle));
  EXPECT_GT(fired.size(), 60U);
  EXPECT_LT(fired.size(), 140U);
}

TEST(FaultEngineTest, ARateByRecordStaysWithTheRecord) {
  FaultEngine engine(Plan(R"({"rules":[{"kind":"bad_record","rate":0.5,"by":"record"}]})"));
  const FaultedCall other{Operation::kGetOpportunity, Catalog::kAws, "O1000000042"};

  const auto fired = FiringsOf(engine, kGet, 5, FaultKind::kBadRecord).size();
  const auto fired_other = FiringsOf(engine, other, 5, FaultKind::kBadRecord).size();

  EXPECT_THAT(fired, ::testing::AnyOf(0U, 5U));
  EXPECT_THAT(fired_other, ::testing::AnyOf(0U, 5U));
}

TEST(FaultEngineTest, NumbersByRecordCountRecordsNotCalls) {
  FaultEngine engine(Plan(R"({"rules":[{"kind":"access_denied","every":2,"by":"record"},
                        {"kind":"not_found","at":[3],"by":"record"}]})"));
  const auto get = [](std::string id) {
    return FaultedCall{Operation::kGetOpportunity, Catalog::kAws, std::move(id)};
  };

  for (int round = 0; round < 2; ++round) {
    EXPECT_TRUE(engine.Decide(get("O1")).empty());
    EXPECT_NE(engine.Decide(get("O2")).Find(FaultKind::kAccessDenied), nullptr);
    EXPECT_NE(engine.Decide(get("O2")).Find(FaultKind::kAccessDenied), nullptr);
    EXPECT_NE(engine.Decide(get("O3")).Find(FaultKind::kNotFound), nullptr);
    EXPECT_NE(engine.Decide(get("O4")).Find(FaultKind::kAccessDenied), nullptr);
  }
}

TEST(FaultEngineTest, IdentifierAndCatalogNarrowARule) {
  FaultEngine engine(
      Plan(R"({"rules":[{"kind":"not_found","identifier":"O1000000010","catalog":"Sandbox"}]})"));
  const FaultedCall sandbox{Operation::kGetOpportunity, Catalog::kSandbox, "O1000000010"};

  EXPECT_TRUE(engine.Decide(kGet).empty());
  EXPECT_FALSE(engine.Decide(sandbox).empty());
}

TEST(FaultEngineTest, ReplacingRulesStartsTheCountAnew) {
  FaultEngine engine(Plan(R"({"rules":[{"kind":"reset","at":[1]}]})"));
  engine.Decide(kGet);

  engine.Replace(Plan(R"({"rules":[{"kind":"reset","at":[1]}]})"));

  EXPECT_FALSE(engine.Decide(kGet).empty());
}

TEST(ParseFaultsTest, ParametersHaveDefaults) {
  const FaultPlan plan =
      Plan(R"({"rules":[{"kind":"error"},{"kind":"slow","bytes_per_second":9}]})");

  EXPECT_EQ(plan.rules[0].Number("status"), 500);
  EXPECT_EQ(plan.rules[0].Word("body"), "json");
  EXPECT_EQ(plan.rules[1].Number("bytes_per_second"), 9);
}

TEST(ParseFaultsTest, EveryKindIsKnownByItsName) {
  for (const FaultSpec& spec : FaultSpecs()) {
    const std::string text = R"({"rules":[{"kind":")" + std::string(spec.name) + R"("}]})";
    EXPECT_EQ(Plan(text).rules.at(0).kind, spec.kind);
    EXPECT_EQ(NameOf(spec.kind), spec.name);
  }
}

struct BadFile {
  std::string text;
  std::string message;
};

class ParseFaultsRefusalTest : public ::testing::TestWithParam<BadFile> {};

TEST_P(ParseFaultsRefusalTest, SaysWhereAndWhat) {
  const auto plan = ParseFaults(GetParam().text, "f.json");

  ASSERT_THAT(plan, FailsWith(ErrorCode::kConfig));
  EXPECT_THAT(plan.error().message(), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Files, ParseFaultsRefusalTest,
    ::testing::Values(
        BadFile{"[", "f.json: "}, BadFile{"[]", "f.json: is not an object"},
        BadFile{R"({"rule":[]})", R"(unknown key "rule"; did you mean "rules"?)"},
        BadFile{R"({"rules":[{}]})", R"(f.json: rule 1: "kind" is missing)"},
        BadFile{R"({"rules":[{"kind":"throtle"}]})", R"(did you mean "throttle"?)"},
        BadFile{R"({"rules":[{"kind":"stall"},{"kind":"reset","after_byte":1}]})",
                R"(f.json: rule 2: unknown key "after_byte"; did you mean "after_bytes"?)"},
        BadFile{R"({"rules":[{"kind":"stall","operation":"GetOportunity"}]})",
                R"(did you mean "GetOpportunity"?)"},
        BadFile{R"({"rules":[{"kind":"stall","operation":7}]})", "unknown operation"},
        BadFile{R"({"rules":[{"kind":"stall","rate":1.5}]})", "0 to 1"},
        BadFile{R"({"rules":[{"kind":"stall","rate":"often"}]})", "0 to 1"},
        BadFile{R"({"rules":[{"kind":"stall","rate":1,"every":2}]})", "only one of"},
        BadFile{R"({"rules":[{"kind":"stall","at":[0]}]})", "from 1"},
        BadFile{R"({"rules":[{"kind":"stall","every":0}]})", "\"every\""},
        BadFile{R"({"rules":[{"kind":"stall","by":"record"}]})", "needs \"rate\""},
        BadFile{R"({"rules":[{"kind":"error","status":200}]})", "from 400 to 599"},
        BadFile{R"({"rules":[{"kind":"error","body":"htm"}]})", R"(did you mean "html"?)"},
        BadFile{R"({"rules":[{"kind":"error","catalog":"aws"}]})", "AWS or Sandbox"}));

}  // namespace
}  // namespace pcw::sim
