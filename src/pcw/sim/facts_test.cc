#include "pcw/sim/facts.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "fakes/result_matchers.h"

namespace pcw::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class FactsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto loaded = Facts::Load();
    ASSERT_THAT(loaded, Succeeds());
    facts = std::move(*loaded);
  }

  Facts facts;
};

class CheckRequestTest : public FactsTest {
 protected:
  Findings Check(Operation operation, const std::string& text) const {
    return CheckRequest(facts.Find(operation)->request, *ParseJson(text));
  }
  /// "Field CODE" of each violation of a ListOpportunities request.
  std::vector<std::string> CodesOf(const std::string& text) const {
    std::vector<std::string> codes;
    for (const FieldError& error : Check(Operation::kListOpportunities, text).violations) {
      codes.push_back(error.field + " " + error.code);
    }
    return codes;
  }
};

TEST_F(CheckRequestTest, AnOrdinaryRequestIsFine) {
  EXPECT_THAT(CodesOf(R"({"Catalog":"AWS","MaxResults":100,"NextToken":null,
                          "Sort":{"SortBy":"Identifier","SortOrder":"ASCENDING"},
                          "LastModifiedDate":{"AfterLastModifiedDate":"2026-11-20T08:15:30.123Z"},
                          "TargetCloseDate":{"AfterTargetCloseDate":"2027-02-26"},
                          "Identifier":["O1000234567"]})"),
              IsEmpty());
}

TEST_F(CheckRequestTest, MissingMembersAreNamed) {
  EXPECT_THAT(CodesOf("{}"), ElementsAre("Catalog REQUIRED_FIELD_MISSING"));
  EXPECT_THAT(CodesOf(R"({"Catalog":"AWS","Sort":{"SortBy":"Identifier"}})"),
              ElementsAre("Sort.SortOrder REQUIRED_FIELD_MISSING"));
}

TEST_F(CheckRequestTest, BoundsEnumsAndPatternsHaveTheirCodes) {
  EXPECT_THAT(CodesOf(R"({"Catalog":"AWS","MaxResults":101})"),
              ElementsAre("MaxResults VALUE_OUT_OF_RANGE"));
  EXPECT_THAT(CodesOf(R"({"Catalog":"AWS","MaxResults":0})"),
              ElementsAre("MaxResults VALUE_OUT_OF_RANGE"));
  EXPECT_THAT(CodesOf(R"({"Catalog":"AWS 2"})"), ElementsAre("Catalog INVALID_STRING_FORMAT"));
  EXPECT_THAT(CodesOf(R"({"Catalog":"AWS","LifeCycleStage":["Won"]})"),
              ElementsAre("LifeCycleStage[0] INVALID_ENUM_VALUE"));
  EXPECT_THAT(CodesOf(R"({"Catalog":"AWS","Identifier":["O1","X2"]})"),
              ElementsAre("Identifier[1] INVALID_STRING_FORMAT"));
}

TEST_F(CheckRequestTest, TooManyValuesAreCounted) {
  Json request{{"Catalog", "AWS"}};
  for (int i = 0; i < 21; ++i) request["Identifier"].push_back("O1");

  EXPECT_THAT(CodesOf(request.dump()), ElementsAre("Identifier TOO_MANY_VALUES"));
}

TEST_F(CheckRequestTest, SeveralViolationsAreAllReported) {
  EXPECT_THAT(CodesOf(R"({"MaxResults":0,"Sort":{"SortBy":"Age","SortOrder":"UP"}})"),
              testing::SizeIs(4));
}

TEST_F(CheckRequestTest, WrongTypesStopTheCheck) {
  for (const auto* text :
       {R"({"Catalog":7})", R"({"Catalog":"AWS","MaxResults":"10"})",
        R"({"Catalog":"AWS","MaxResults":1.5})", R"({"Catalog":"AWS","Sort":[]})",
        R"({"Catalog":"AWS","Identifier":"O1"})", R"([])",
        R"({"Catalog":"AWS","LastModifiedDate":{"AfterLastModifiedDate":1700000000}})",
        R"({"Catalog":"AWS","LastModifiedDate":{"AfterLastModifiedDate":"yesterday"}})"}) {
    EXPECT_TRUE(Check(Operation::kListOpportunities, text).wrong_type) << text;
  }
}

TEST_F(CheckRequestTest, UnknownMembersAreOnlyCounted) {
  const Findings findings =
      Check(Operation::kGetOpportunity, R"({"Catalog":"AWS","Identifier":"O1","Foo":1,"Bar":[]})");

  EXPECT_THAT(findings.violations, IsEmpty());
  EXPECT_EQ(findings.unknown_members, 2U);
}

TEST_F(CheckRequestTest, AVeryLongTextDoesNotReachTheRegularExpression) {
  const Json request{{"Catalog", std::string(200'000, 'a')}};

  EXPECT_THAT(CodesOf(request.dump()), ElementsAre("Catalog INVALID_STRING_FORMAT"));
}

TEST_F(CheckRequestTest, LengthsCountCharactersNotBytes) {
  const Json two{{"RoleArn", "arn:aws:iam::123456789012:role/x"}, {"RoleSessionName", "ab"}};
  const Json one{{"RoleArn", "arn:aws:iam::123456789012:role/x"}, {"RoleSessionName", "é"}};

  EXPECT_THAT(Check(Operation::kAssumeRole, two.dump()).violations, IsEmpty());
  EXPECT_FALSE(Check(Operation::kAssumeRole, one.dump()).violations.empty());
}

TEST_F(FactsTest, AnOperationIsFoundByItsWholeTarget) {
  const OperationFacts* found = facts.FindTarget("PartnerCentralAccount.ListPartners");

  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->operation, Operation::kListPartners);
  EXPECT_EQ(found->signing_name, "partnercentral-account");
  EXPECT_EQ(facts.FindTarget("AWSPartnerCentralSelling.ListPartners"), nullptr);
  EXPECT_EQ(facts.FindTarget(""), nullptr);
}

TEST_F(FactsTest, EveryOperationButWhoAmINeedsAPermission) {
  EXPECT_THAT(
      facts.Actions(),
      ElementsAre(
          "partnercentral:ListOpportunities", "partnercentral:GetOpportunity",
          "partnercentral:ListPartners", "sts:AssumeRole", "sts:AssumeRoleWithWebIdentity",
          "partnercentral:ListSolutions", "partnercentral:ListEngagements",
          "partnercentral:GetEngagement", "partnercentral:ListEngagementInvitations",
          "partnercentral:GetEngagementInvitation", "partnercentral:AcceptEngagementInvitation",
          "partnercentral:RejectEngagementInvitation", "partnercentral:GetAwsOpportunitySummary",
          "partnercentral:GetPartner", "partnercentral:GetProfileVisibility"));
}

TEST_F(FactsTest, OnlyAWebIdentityComesUnsigned) {
  EXPECT_TRUE(facts.Find(Operation::kAssumeRole)->is_signed);
  EXPECT_FALSE(facts.Find(Operation::kAssumeRoleWithWebIdentity)->is_signed);
}

}  // namespace
}  // namespace pcw::sim
