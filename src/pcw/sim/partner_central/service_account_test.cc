#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "fakes/sim_service.h"
#include "pcw/sim/partner_central/service.h"

namespace pcw::sim {
namespace {

using net::server::RawReply;
using net::server::Response;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

class ServiceAccountTest : public ServiceTest {
 protected:
  static constexpr auto kAssumeReader =
      "Action=AssumeRole&RoleSessionName=test&RoleArn=arn:aws:iam::123456789012:role/Reader";

  SignedParts PartnersParts(const std::string& body = R"({"Catalog":"AWS"})") const {
    SignedParts parts = Parts("", body);
    parts.target = "PartnerCentralAccount.ListPartners";
    parts.service = "partnercentral-account";
    return parts;
  }
  void State(const std::string& text) {
    auto state = ParseAccountState(text, service->facts().Actions());
    ASSERT_THAT(state, Succeeds());
    service->account().Replace(std::move(*state));
  }
  static SignedParts With(SignedParts parts, const std::string& id, const std::string& secret) {
    parts.access_key_id = id;
    parts.secret = secret;
    return parts;
  }
};

TEST_F(ServiceAccountTest, ListPartnersNamesThePartnersOfTheAccount) {
  const Response response = Send(PartnersParts());

  const Json page = Body(response);
  ASSERT_EQ(page["PartnerSummaryList"].size(), 2U) << response.body;
  const Json& partner = page["PartnerSummaryList"][0];
  const auto id = partner["Id"].get<std::string>();
  EXPECT_THAT(id, MatchesRegex("partner-[a-z0-9]+"));
  EXPECT_EQ(id.size(), 8U + 13U);
  EXPECT_EQ(partner["Arn"],
            "arn:aws:partnercentral:us-east-1:123456789012:catalog/AWS/partner/" + id);
  EXPECT_EQ(partner["Catalog"], "AWS");
  EXPECT_FALSE(partner["LegalName"].get<std::string>().empty());
  EXPECT_EQ(partner["CreatedAt"], "2024-03-11T09:26:53.589Z");
  EXPECT_FALSE(page.contains("NextToken"));
  EXPECT_EQ(LastCall().operation, Operation::kListPartners);
  EXPECT_EQ(LastCall().catalog, Catalog::kAws);
  EXPECT_EQ(LastCall().outcome, Outcome::kOk);
}

TEST_F(ServiceAccountTest, TheSandboxHasAPartnerOfItsOwn) {
  const Json aws = Body(Send(PartnersParts()));
  const Json sandbox = Body(Send(PartnersParts(R"({"Catalog":"Sandbox"})")));

  EXPECT_NE(aws["PartnerSummaryList"][0]["Id"], sandbox["PartnerSummaryList"][0]["Id"]);
  EXPECT_THAT(sandbox["PartnerSummaryList"][0]["Arn"].get<std::string>(),
              HasSubstr(":catalog/Sandbox/partner/"));
}

TEST_F(ServiceAccountTest, ListPartnersCostsNoneOfTheReadsOfSelling) {
  for (int i = 0; i < 30; ++i) EXPECT_EQ(Send(PartnersParts()).status, 200);

  for (int i = 0; i < 10; ++i) EXPECT_EQ(Call("GetOpportunity", GetBody(1)).status, 200);
  EXPECT_EQ(Send(PartnersParts()).status, 200);
  EXPECT_EQ(service->ledger().totals().arrivals, 41U);
}

TEST_F(ServiceAccountTest, ListPartnersRefusesInTheWordsOfItsOwnModel) {
  const Response missing = Send(PartnersParts("{}"));
  const Response catalog = Send(PartnersParts(R"({"Catalog":"Other-1"})"));
  const Response token = Send(PartnersParts(R"({"Catalog":"AWS","NextToken":"made-up"})"));

  EXPECT_EQ(missing.status, 400);
  EXPECT_EQ(
      missing.body,
      R"({"__type":"com.amazonaws.partnercentralaccount#ValidationException",)"
      R"("Message":"The request failed validation.","Reason":"REQUEST_VALIDATION_FAILED",)"
      R"("ErrorDetails":[{"FieldValidationError":{"Name":"Catalog","Message":"This field is required.",)"
      R"("Code":"REQUIRED_FIELD_MISSING"}}]})");
  EXPECT_THAT(catalog.body, HasSubstr(R"("Name":"Catalog")"));
  EXPECT_THAT(token.body, HasSubstr(R"("Name":"NextToken")"));
}

TEST_F(ServiceAccountTest, EachTargetHasItsOwnSigningNameAndOperations) {
  SignedParts as_selling = PartnersParts();
  as_selling.service = "partnercentral-selling";
  SignedParts other = PartnersParts();
  other.target = "PartnerCentralAccount.GetOpportunity";

  EXPECT_THAT(Send(as_selling).body, HasSubstr("correct service: 'partnercentral-account'"));
  EXPECT_THAT(Send(other).body, HasSubstr("UnknownOperationException"));
}

TEST_F(ServiceAccountTest, FaultsOfListPartnersAreThoseOfItsService) {
  const auto bytes = [&](const std::string& rule) {
    Faults(rule);
    return std::get<RawReply>(service->Handle(SignForSim(PartnersParts()))).bytes;
  };

  EXPECT_THAT(bytes(R"({"operation":"ListPartners","kind":"throttle"})"),
              HasSubstr("partnercentralaccount#ThrottlingException"));
  EXPECT_THAT(bytes(R"({"operation":"ListPartners","kind":"error"})"),
              HasSubstr("partnercentralaccount#InternalServerException"));
  EXPECT_THAT(bytes(R"({"operation":"ListPartners","kind":"access_denied"})"),
              HasSubstr("partnercentralaccount#AccessDeniedException"));
}

TEST_F(ServiceAccountTest, AnUnlinkedAccountIsDeniedAllOfPartnerCentralButNotSts) {
  State(R"({"linked":false})");

  const Response read = Call("GetOpportunity", GetBody(1));
  const Response listed = Call("ListOpportunities", R"({"Catalog":"AWS"})");
  const Response partners = Send(PartnersParts());

  EXPECT_EQ(read.status, 400);
  EXPECT_EQ(read.body, R"({"__type":"com.amazonaws.partnercentralselling#AccessDeniedException",)"
                       R"("Message":"Unable to handle request due to access denied"})");
  EXPECT_EQ(listed.body, read.body);
  EXPECT_EQ(partners.status, 400);
  EXPECT_EQ(partners.body,
            R"({"__type":"com.amazonaws.partnercentralaccount#AccessDeniedException",)"
            R"("Message":"Unable to handle request due to access denied",)"
            R"("Reason":"ACCESS_DENIED"})");
  EXPECT_EQ(LastCall().outcome, Outcome::kInvalid);
  EXPECT_EQ(Send(StsParts("Action=GetCallerIdentity")).status, 200);
  EXPECT_EQ(Send(StsParts(kAssumeReader)).status, 200);
}

TEST_F(ServiceAccountTest, ADeniedActionNamesTheCallerAndItself) {
  State(R"({"denied_actions":["partnercentral:GetOpportunity"]})");

  const Response denied = Call("GetOpportunity", GetBody(1));

  EXPECT_EQ(denied.status, 400);
  EXPECT_EQ(Body(denied)["Message"],
            "User: arn:aws:iam::123456789012:user/pcw-example is not authorized to perform: "
            "partnercentral:GetOpportunity on resource: * because no identity-based policy allows "
            "the partnercentral:GetOpportunity action");
  EXPECT_THAT(denied.body, HasSubstr("#AccessDeniedException"));
  EXPECT_EQ(Call("ListOpportunities", R"({"Catalog":"AWS"})").status, 200);
  EXPECT_EQ(Send(PartnersParts()).status, 200);
}

TEST_F(ServiceAccountTest, EachRoleActionIsDeniedByItself) {
  const auto by_web_identity = [&] {
    return Plain(service->Handle(
        {"POST",
         "/",
         {{"Content-Type", "application/x-www-form-urlencoded"}},
         "Action=AssumeRoleWithWebIdentity&WebIdentityToken=abcd&RoleSessionName=test"
         "&RoleArn=arn:aws:iam::123456789012:role/Reader&Version=2011-06-15",
         "127.0.0.1"}));
  };

  State(R"({"denied_actions":["sts:AssumeRole"]})");
  EXPECT_EQ(Send(StsParts(kAssumeReader)).status, 403);
  EXPECT_THAT(Send(StsParts(kAssumeReader)).body, HasSubstr("<Code>AccessDenied</Code>"));
  EXPECT_EQ(by_web_identity().status, 200);

  State(R"({"denied_actions":["sts:AssumeRoleWithWebIdentity"]})");
  EXPECT_EQ(Send(StsParts(kAssumeReader)).status, 200);
  EXPECT_EQ(by_web_identity().status, 403);
  EXPECT_THAT(by_web_identity().body,
              HasSubstr("Not authorized to perform sts:AssumeRoleWithWebIdentity"));
}

TEST_F(ServiceAccountTest, ARevokedKeyIsAsGoodAsUnknown) {
  State(R"({"revoked_keys":["AKIAIOSFODNN7EXAMPLE"]})");

  const Response read = Call("GetOpportunity", GetBody(1));
  const Response who = Send(StsParts("Action=GetCallerIdentity"));

  EXPECT_EQ(read.status, 400);
  EXPECT_EQ(Body(read)["message"], "The security token included in the request is invalid.");
  EXPECT_THAT(read.body, HasSubstr("#UnrecognizedClientException"));
  EXPECT_EQ(who.status, 403);
  EXPECT_THAT(who.body, HasSubstr("<Code>InvalidClientTokenId</Code>"));
  EXPECT_EQ(LastCall().outcome, Outcome::kUnauthenticated);
}

TEST_F(ServiceAccountTest, AnAddedKeyWorksWhileTheOldOneIsRevoked) {
  State(R"({"revoked_keys":["AKIAIOSFODNN7EXAMPLE"],
            "keys":[{"access_key_id":"AKIA000000000001","secret_access_key":"next"}]})");

  EXPECT_EQ(Send(With(Parts("GetOpportunity", GetBody(1)), "AKIA000000000001", "next")).status,
            200);
  EXPECT_EQ(Send(With(Parts("GetOpportunity", GetBody(1)), "AKIA000000000001", "old")).status, 403);
  EXPECT_EQ(Call("GetOpportunity", GetBody(1)).status, 400);
}

TEST_F(ServiceAccountTest, AKeyMayGetAnotherSecretUnderTheSameId) {
  const auto read = [&](const std::string& secret) {
    return Send(With(Parts("GetOpportunity", GetBody(1)), "AKIA000000000001", secret)).status;
  };

  State(R"({"keys":[{"access_key_id":"AKIA000000000001","secret_access_key":"one"}]})");
  EXPECT_EQ(read("one"), 200);
  State(R"({"keys":[{"access_key_id":"AKIA000000000001","secret_access_key":"two"}]})");
  EXPECT_EQ(read("one"), 403);
  EXPECT_EQ(read("two"), 200);
}

TEST_F(ServiceAccountTest, AKeyOfAnotherAccountSaysSo) {
  State(R"({"keys":[{"access_key_id":"AKIA000000000001","secret_access_key":"s",
                     "user":"stranger","account_id":"210987654321"}]})");

  const Response who = Send(With(StsParts("Action=GetCallerIdentity"), "AKIA000000000001", "s"));

  EXPECT_THAT(who.body, HasSubstr("<Account>210987654321</Account>"));
  EXPECT_THAT(who.body, HasSubstr("<Arn>arn:aws:iam::210987654321:user/stranger</Arn>"));
}

TEST_F(ServiceAccountTest, AnotherStateReplacesTheWholeOfTheFormer) {
  State(R"({"linked":false,"denied_actions":["partnercentral:GetOpportunity"],
            "revoked_keys":["AKIAIOSFODNN7EXAMPLE"],
            "keys":[{"access_key_id":"AKIA000000000001","secret_access_key":"s"}]})");
  State("{}");

  EXPECT_EQ(Call("GetOpportunity", GetBody(1)).status, 200);
  EXPECT_THAT(Send(With(Parts("GetOpportunity", GetBody(1)), "AKIA000000000001", "s")).body,
              HasSubstr("UnrecognizedClientException"));
}

}  // namespace
}  // namespace pcw::sim
