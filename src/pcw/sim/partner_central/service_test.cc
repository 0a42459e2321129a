#include "pcw/sim/partner_central/service.h"

#include <set>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "fakes/sim_service.h"

namespace pcw::sim {
namespace {

using namespace std::chrono_literals;
using net::server::Request;
using net::server::Response;
using ::testing::EndsWith;
using ::testing::HasSubstr;

TEST_F(ServiceTest, UnsignedGetOfTheRootIsHealthy) {
  EXPECT_EQ(Plain(service->Handle({"GET", "/", {}, "", ""})).status, 200);
}

TEST_F(ServiceTest, GetOpportunityAnswersTheExactBody) {
  const Response response = Call("GetOpportunity", GetBody(7));

  const auto record = service->collection(Catalog::kAws).Get(Id(7));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, service->collection(Catalog::kAws).writer().Body(*record));
  EXPECT_EQ(net::server::FindHeader(response.headers, "Content-Type"),
            "application/x-amz-json-1.0");
  EXPECT_TRUE(net::server::FindHeader(response.headers, "x-amzn-requestid"));
  EXPECT_EQ(LastCall().outcome, Outcome::kOk);
  EXPECT_EQ("O" + std::to_string(LastCall().identifier), Id(7));
}

TEST_F(ServiceTest, ListPagesThroughAllRecords) {
  Start({.opportunities = 45});
  std::set<std::string> ids;
  Json request{{"Catalog", "AWS"}, {"MaxResults", 20}};
  for (;;) {
    const Json page = Body(Call("ListOpportunities", request.dump()));
    for (const Json& summary : page["OpportunitySummaries"]) ids.insert(summary["Id"]);
    if (!page.contains("NextToken")) break;
    request["NextToken"] = page["NextToken"];
  }

  EXPECT_THAT(ids, testing::SizeIs(45));
}

TEST_F(ServiceTest, ListDefaultsToTwentyNewestFirst) {
  const Json page = Body(Call("ListOpportunities", R"({"Catalog":"AWS"})"));

  EXPECT_THAT(page["OpportunitySummaries"], testing::SizeIs(20));
  EXPECT_GE(page["OpportunitySummaries"][0]["LastModifiedDate"],
            page["OpportunitySummaries"][19]["LastModifiedDate"]);
}

TEST_F(ServiceTest, TheCatalogsHoldDifferentRecords) {
  const Json aws = Body(Call("ListOpportunities", R"({"Catalog":"AWS"})"));
  const Json sandbox = Body(Call("ListOpportunities", R"({"Catalog":"Sandbox","MaxResults":100})"));

  EXPECT_THAT(sandbox["OpportunitySummaries"], testing::SizeIs(25));
  EXPECT_NE(aws["OpportunitySummaries"][0]["Id"], sandbox["OpportunitySummaries"][0]["Id"]);
  EXPECT_EQ(sandbox["OpportunitySummaries"][0]["Catalog"], "Sandbox");
}

TEST_F(ServiceTest, ATokenWithOtherFiltersIsInvalid) {
  const Json page = Body(Call("ListOpportunities", R"({"Catalog":"AWS"})"));
  const Json other{
      {"Catalog", "AWS"}, {"LifeCycleStage", {"Launched"}}, {"NextToken", page["NextToken"]}};

  const Json error = Body(Call("ListOpportunities", other.dump()));

  EXPECT_THAT(error["__type"], EndsWith("#ValidationException"));
  EXPECT_EQ(error["ErrorList"][0]["FieldName"], "NextToken");
}

TEST_F(ServiceTest, ValidationErrorsHaveReasonAndList) {
  const Response response = Call("ListOpportunities", R"({"Catalog":"AWS","MaxResults":500})");

  const Json error = Body(response);
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(error["__type"], "com.amazonaws.partnercentralselling#ValidationException");
  EXPECT_EQ(error["Reason"], "REQUEST_VALIDATION_FAILED");
  EXPECT_EQ(error["ErrorList"][0]["Code"], "VALUE_OUT_OF_RANGE");
}

TEST_F(ServiceTest, UnknownIdsAreNotFound) {
  const Response response = Call("GetOpportunity", R"({"Catalog":"AWS","Identifier":"O1"})");

  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(response.body, HasSubstr("partnercentralselling#ResourceNotFoundException"));
  EXPECT_EQ(LastCall().outcome, Outcome::kNotFound);
}

TEST_F(ServiceTest, BrokenJsonAndWrongTypesAreSerializationErrors) {
  EXPECT_THAT(Call("GetOpportunity", "{").body, HasSubstr("#SerializationException"));
  EXPECT_THAT(Call("GetOpportunity", R"({"Catalog":["AWS"],"Identifier":"O1"})").body,
              HasSubstr("#SerializationException"));
}

TEST_F(ServiceTest, UnknownTargetsTypesAndPathsAreUnknownOperations) {
  SignedParts type = Parts("GetOpportunity", "{}");
  type.content_type = "application/json";
  SignedParts prefix = Parts("GetOpportunity", "{}");
  prefix.target = "Other.GetOpportunity";
  Request path = SignForSim(Parts("GetOpportunity", "{}"));
  path.target = "/x";

  EXPECT_EQ(Call("DeleteOpportunity", "{}").status, 400);
  EXPECT_EQ(Send(prefix).status, 400);
  EXPECT_EQ(Send(type).status, 404);
  EXPECT_EQ(Plain(service->Handle(path)).status, 404);
}

struct BadSignature {
  std::string name;
  std::function<void(SignedParts&)> bend;
  int status;
  std::string error;
};

class ServiceSignatureTest : public ServiceTest,
                             public ::testing::WithParamInterface<BadSignature> {};

TEST_P(ServiceSignatureTest, IsRefusedAsAwsDoes) {
  SignedParts parts = Parts("GetOpportunity", GetBody(1));
  GetParam().bend(parts);

  const Response response = Send(parts);

  EXPECT_EQ(response.status, GetParam().status);
  EXPECT_THAT(response.body, HasSubstr("#" + GetParam().error + "\""));
  EXPECT_EQ(LastCall().outcome, Outcome::kUnauthenticated);
}

INSTANTIATE_TEST_SUITE_P(
    Requests, ServiceSignatureTest,
    ::testing::Values(BadSignature{"WrongSecret", [](SignedParts& p) { p.secret = "x"; }, 403,
                                   "InvalidSignatureException"},
                      BadSignature{"UnknownKey", [](SignedParts& p) { p.access_key_id = "AKIAX"; },
                                   400, "UnrecognizedClientException"},
                      BadSignature{"TokenWithoutSession",
                                   [](SignedParts& p) { p.session_token = "t"; }, 400,
                                   "UnrecognizedClientException"},
                      BadSignature{"WrongRegion", [](SignedParts& p) { p.region = "eu-west-1"; },
                                   403, "InvalidSignatureException"},
                      BadSignature{"WrongService",
                                   [](SignedParts& p) { p.service = "partnercentral"; }, 403,
                                   "InvalidSignatureException"},
                      BadSignature{"TooOld", [](SignedParts& p) { p.at -= 301s; }, 403,
                                   "InvalidSignatureException"},
                      BadSignature{"FromTheFuture", [](SignedParts& p) { p.at += 301s; }, 403,
                                   "InvalidSignatureException"}),
    [](const auto& test) { return test.param.name; });

TEST_F(ServiceTest, SkewWithinFiveMinutesIsAccepted) {
  SignedParts parts = Parts("GetOpportunity", GetBody(1));
  parts.at -= 299s;

  EXPECT_EQ(Send(parts).status, 200);
}

TEST_F(ServiceTest, TheSignatureCoversTheBodyAndNeedsItsHeaders) {
  Request bent = SignForSim(Parts("GetOpportunity", GetBody(1)));
  bent.body += " ";
  Request unsigned_target = SignForSim(Parts("", "{}"));
  unsigned_target.headers.emplace_back("X-Amz-Target",
                                       std::string(kSellingTarget) + "GetOpportunity");
  Request missing = SignForSim(Parts("GetOpportunity", GetBody(1)));
  missing.headers.pop_back();

  EXPECT_THAT(Plain(service->Handle(bent)).body, HasSubstr("InvalidSignatureException"));
  EXPECT_THAT(Plain(service->Handle(missing)).body,
              HasSubstr("MissingAuthenticationTokenException"));
  SignedParts no_target = Parts("GetOpportunity", GetBody(1));
  no_target.target.clear();
  Request added = SignForSim(no_target);
  added.headers.emplace_back("X-Amz-Target", std::string(kSellingTarget) + "GetOpportunity");
  EXPECT_THAT(Plain(service->Handle(added)).body, HasSubstr("must be a 'SignedHeader'"));
}

TEST_F(ServiceTest, TheEleventhReadOfAMomentIsThrottled) {
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Call("GetOpportunity", GetBody(1)).status, 200);

  const Response eleventh = Call("GetOpportunity", GetBody(1));

  EXPECT_EQ(eleventh.status, 400);
  EXPECT_EQ(
      eleventh.body,
      R"({"__type":"com.amazonaws.partnercentralselling#ThrottlingException","Message":"Rate exceeded"})");
  EXPECT_EQ(LastCall().outcome, Outcome::kRefusedSecond);
  clock.Advance(100ms);
  EXPECT_EQ(Call("GetOpportunity", GetBody(1)).status, 200);
}

}  // namespace
}  // namespace pcw::sim
