#include "pcw/connector/drift.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pcw::connector {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

const RateKey kStage{"GetOpportunity", true, "stage"};
const RateKey kCustomer{"GetOpportunity", false, "/Customer"};
const RateKey kAccount{"GetOpportunity", false, "/Customer/Account"};

RateVerdict Judge(const RateKey& key, RateTally run, RateTally baseline,
                  const std::set<DriftKey>& accepted = {}) {
  return JudgeRates({{key, run}}, {{key, baseline}}, accepted);
}

TEST(JudgeRatesTest, ANullRateFarAboveTheBaselineIsAFindingAndNotLearned) {
  const RateVerdict verdict = Judge(kStage, {20, 10}, {100, 95});

  ASSERT_THAT(verdict.findings, SizeIs(1));
  const auto& [key, count] = *verdict.findings.begin();
  EXPECT_EQ(key.kind, DriftKind::kNullRate);
  EXPECT_EQ(key.column, "stage");
  EXPECT_EQ(key.found, "about 50 % NULL");
  EXPECT_EQ(count.records, 10);
  EXPECT_DOUBLE_EQ(*count.observed_rate, 0.5);
  EXPECT_THAT(verdict.learned, IsEmpty());
}

TEST(JudgeRatesTest, LittleDataOrChanceIsNoFinding) {
  EXPECT_THAT(Judge(kStage, {19, 0}, {1000, 1000}).findings, IsEmpty());
  EXPECT_THAT(Judge(kStage, {20, 0}, {49, 49}).findings, IsEmpty());
  EXPECT_THAT(Judge(kStage, {100, 91}, {100, 100}).findings, IsEmpty());
  // 25 records, half of them NULL before: 3 sigmas are 30 points.
  EXPECT_THAT(Judge(kStage, {25, 6}, {1000, 500}).findings, IsEmpty());
  EXPECT_THAT(Judge(kStage, {25, 4}, {1000, 500}).findings, SizeIs(1));
}

TEST(JudgeRatesTest, WhatIsAcceptedIsLearnedUntilItIsQuiteAnotherRate) {
  const std::set<DriftKey> accepted{
      {DriftKind::kNullRate, "GetOpportunity", "", "stage", "about 50 % NULL"}};

  EXPECT_THAT(Judge(kStage, {20, 10}, {100, 95}, accepted).findings, IsEmpty());
  EXPECT_THAT(Judge(kStage, {20, 10}, {100, 95}, accepted).learned, SizeIs(1));
  EXPECT_THAT(Judge(kStage, {20, 0}, {100, 95}, accepted).findings, SizeIs(1));
}

TEST(JudgeRatesTest, AMissingStructureIsNamedOnce) {
  const RateVerdict verdict = JudgeRates({{kCustomer, {10, 0}}, {kAccount, {10, 0}}},
                                         {{kCustomer, {60, 60}}, {kAccount, {60, 60}}}, {});

  ASSERT_THAT(verdict.findings, SizeIs(1));
  EXPECT_EQ(verdict.findings.begin()->first.pointer, "/Customer");
  EXPECT_THAT(verdict.learned, IsEmpty());
}

TEST(JudgeRatesTest, AMemberThatWasSometimesAbsentIsNotMissing) {
  EXPECT_THAT(Judge(kCustomer, {10, 0}, {60, 59}).findings, IsEmpty());
  EXPECT_THAT(Judge(kCustomer, {2, 0}, {60, 60}).findings, IsEmpty());
  EXPECT_THAT(Judge(kCustomer, {3, 0}, {60, 60}).findings, SizeIs(1));
}

TEST(JudgeRatesTest, TheFirstRunIsLearnedWhole) {
  EXPECT_THAT(JudgeRates({{kStage, {1000, 3}}}, {}, {}).learned, SizeIs(1));
}

TEST(DriftKindTest, NamesAndBack) {
  for (const std::string& name : DriftKindNames()) {
    ASSERT_TRUE(ParseDriftKind(name).has_value()) << name;
    EXPECT_EQ(NameOf(*ParseDriftKind(name)), name);
  }
  EXPECT_FALSE(ParseDriftKind("other").has_value());
}

}  // namespace
}  // namespace pcw::connector
