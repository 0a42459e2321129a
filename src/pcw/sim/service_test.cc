#include "pcw/sim/service.h"

#include <set>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "fakes/fake_time.h"
#include "fakes/result_matchers.h"
#include "fakes/sim_signer.h"
#include "pcw/base/time.h"

namespace pcw::sim {
namespace {

using namespace std::chrono_literals;
using net::server::AfterSend;
using net::server::RawReply;
using net::server::Reply;
using net::server::Request;
using net::server::Response;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr auto kPrefix = "AWSPartnerCentralSelling.";

class ServiceTest : public ::testing::Test {
 protected:
  void Start(SimOptions options = {}) {
    auto created = Service::Create(options, clock);
    ASSERT_THAT(created, Succeeds());
    service = std::move(*created);
  }
  void SetUp() override { Start(); }

  SignedParts Parts(const std::string& operation, const std::string& body) const {
    SignedParts parts;
    parts.target = kPrefix + operation;
    parts.body = body;
    parts.at = clock.Now();
    return parts;
  }
  SignedParts StsParts(const std::string& form) const {
    SignedParts parts;
    parts.service = "sts";
    parts.content_type = "application/x-www-form-urlencoded; charset=utf-8";
    parts.body = form + "&Version=2011-06-15";
    parts.at = clock.Now();
    return parts;
  }
  Response Send(const SignedParts& parts) { return Plain(service->Handle(SignForSim(parts))); }
  Response Call(const std::string& operation, const std::string& body) {
    return Send(Parts(operation, body));
  }
  static Response Plain(Reply reply) {
    const auto* response = std::get_if<Response>(&reply);
    EXPECT_NE(response, nullptr) << "a raw reply";
    return response != nullptr ? *response : Response{};
  }
  static Json Body(const Response& response) {
    auto parsed = ParseJson(response.body);
    EXPECT_THAT(parsed, Succeeds()) << response.body;
    return parsed ? *parsed : Json();
  }
  std::string Id(std::uint64_t index) { return service->collection(Catalog::kAws).IdOf(index); }
  std::string GetBody(std::uint64_t index) {
    return Json{{"Catalog", "AWS"}, {"Identifier", Id(index)}}.dump();
  }
  void Faults(const std::string& rules) {
    auto plan = ParseFaults(R"({"rules":[)" + rules + "]}", "test");
    ASSERT_THAT(plan, Succeeds());
    service->faults().Replace(std::move(*plan));
  }
  CallRecord LastCall() {
    CallRecord last;
    service->ledger().ForEach([&](const CallRecord& call) { last = call; });
    return last;
  }

  FakeClock clock;
  std::unique_ptr<Service> service;
};

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
  unsigned_target.headers.emplace_back("X-Amz-Target", std::string(kPrefix) + "GetOpportunity");
  Request missing = SignForSim(Parts("GetOpportunity", GetBody(1)));
  missing.headers.pop_back();

  EXPECT_THAT(Plain(service->Handle(bent)).body, HasSubstr("InvalidSignatureException"));
  EXPECT_THAT(Plain(service->Handle(missing)).body,
              HasSubstr("MissingAuthenticationTokenException"));
  SignedParts no_target = Parts("GetOpportunity", GetBody(1));
  no_target.target.clear();
  Request added = SignForSim(no_target);
  added.headers.emplace_back("X-Amz-Target", std::string(kPrefix) + "GetOpportunity");
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

TEST_F(ServiceTest, StsSaysWhoCalls) {
  const Response response = Send(StsParts("Action=GetCallerIdentity"));

  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, HasSubstr("<Account>123456789012</Account>"));
  EXPECT_THAT(response.body, testing::Not(HasSubstr("@REQUEST_ID@")));
}

std::string Tag(const std::string& xml, const std::string& name) {
  const auto begin = xml.find("<" + name + ">") + name.size() + 2;
  return xml.substr(begin, xml.find("</" + name + ">") - begin);
}

constexpr auto kAssume =
    "Action=AssumeRole&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2FReader"
    "&RoleSessionName=test&DurationSeconds=900";

TEST_F(ServiceTest, AnAssumedSessionCanReadUntilItExpires) {
  const Response assumed = Send(StsParts(kAssume));
  ASSERT_EQ(assumed.status, 200) << assumed.body;
  SignedParts parts = Parts("GetOpportunity", GetBody(1));
  parts.access_key_id = Tag(assumed.body, "AccessKeyId");
  parts.secret = Tag(assumed.body, "SecretAccessKey");
  parts.session_token = Tag(assumed.body, "SessionToken");

  EXPECT_EQ(Send(parts).status, 200);
  clock.Advance(900s);
  parts.at = clock.Now();
  const Response expired = Send(parts);

  EXPECT_THAT(expired.body, HasSubstr("#ExpiredTokenException"));
  EXPECT_EQ(Tag(assumed.body, "Arn"), "arn:aws:sts::123456789012:assumed-role/Reader/test");
}

TEST_F(ServiceTest, StsRefusesBadRolesDurationsAndSignatures) {
  SignedParts wrong = StsParts("Action=GetCallerIdentity");
  wrong.secret = "x";

  EXPECT_THAT(Send(wrong).body, HasSubstr("<Code>SignatureDoesNotMatch</Code>"));
  EXPECT_THAT(Send(StsParts("Action=Nothing")).body, HasSubstr("<Code>InvalidAction</Code>"));
  EXPECT_THAT(Send(StsParts("Action=AssumeRole&RoleSessionName=ab")).body,
              HasSubstr("<Code>ValidationError</Code>"));
  EXPECT_THAT(Send(StsParts(std::string(kAssume) + "0000")).body,
              HasSubstr("<Code>ValidationError</Code>"));
  EXPECT_EQ(Send(StsParts("Action=AssumeRole&RoleSessionName=ab&RoleArn="
                          "arn:aws:iam::999999999999:role/Other"))
                .status,
            403);
}

TEST_F(ServiceTest, ADemandedExternalIdMustBeGiven) {
  Start({.external_id = "pcw-7"});

  EXPECT_EQ(Send(StsParts(kAssume)).status, 403);
  EXPECT_EQ(Send(StsParts(std::string(kAssume) + "&ExternalId=pcw-7")).status, 200);
}

TEST_F(ServiceTest, ThrottleFaultsCarryTheirHeaders) {
  Faults(R"({"kind":"throttle","retry_after_ms":1500,"retry_after_s":2})");

  const Reply reply = service->Handle(SignForSim(Parts("GetOpportunity", GetBody(1))));

  const std::string& bytes = std::get<RawReply>(reply).bytes;
  EXPECT_THAT(bytes, StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(bytes, HasSubstr("x-amz-retry-after: 1500\r\nRetry-After: 2\r\n"));
  EXPECT_EQ(LastCall().outcome, Outcome::kRefusedFault);
}

class ServiceFaultTest : public ServiceTest {
 protected:
  RawReply Faulty(const std::string& rule, const std::string& operation, const std::string& body) {
    Faults(rule);
    const Reply reply = service->Handle(SignForSim(Parts(operation, body)));
    const auto* raw = std::get_if<RawReply>(&reply);
    EXPECT_NE(raw, nullptr);
    return raw != nullptr ? *raw : RawReply{};
  }
  RawReply FaultyGet(const std::string& rule) { return Faulty(rule, "GetOpportunity", GetBody(3)); }
  static std::string BodyOf(const RawReply& reply) {
    return reply.bytes.substr(reply.bytes.find("\r\n\r\n") + 4);
  }
};

TEST_F(ServiceFaultTest, ErrorsHaveTheirStatusAndBody) {
  EXPECT_THAT(FaultyGet(R"({"kind":"error"})").bytes, StartsWith("HTTP/1.1 500"));
  EXPECT_THAT(FaultyGet(R"({"kind":"error","status":503,"body":"html"})").bytes,
              HasSubstr("Content-Type: text/html"));
  EXPECT_EQ(BodyOf(FaultyGet(R"({"kind":"error","status":502,"body":"empty"})")), "");
  EXPECT_EQ(LastCall().outcome, Outcome::kFailed);
}

TEST_F(ServiceFaultTest, ResetsSendSoManyBytesFirst) {
  const RawReply reply = FaultyGet(R"({"kind":"reset","after_bytes":20})");

  EXPECT_EQ(reply.bytes.size(), 20U);
  EXPECT_EQ(reply.after, AfterSend::kReset);
}

TEST_F(ServiceFaultTest, ALostAnswerWasExecuted) {
  const RawReply reply = FaultyGet(R"({"kind":"lost_answer"})");

  EXPECT_EQ(reply.bytes, "");
  EXPECT_EQ(reply.after, AfterSend::kReset);
  EXPECT_EQ(LastCall().outcome, Outcome::kOk);
}

TEST_F(ServiceFaultTest, TruncationCutsBelowOrWithTheLength) {
  const RawReply cut = FaultyGet(R"({"kind":"truncate"})");
  const RawReply matched = FaultyGet(R"({"kind":"truncate","length":"matched","keep_percent":10})");

  EXPECT_EQ(cut.after, AfterSend::kClose);
  EXPECT_THAT(matched.bytes,
              HasSubstr("Content-Length: " + std::to_string(BodyOf(matched).size()) + "\r\n"));
  EXPECT_FALSE(ParseJson(BodyOf(cut)).has_value());
  EXPECT_FALSE(ParseJson(BodyOf(matched)).has_value());
}

TEST_F(ServiceFaultTest, DelayHoldsSlowDripsStallStalls) {
  EXPECT_EQ(FaultyGet(R"({"kind":"delay","ms":250})").hold, 250ms);
  EXPECT_EQ(FaultyGet(R"({"kind":"slow","bytes_per_second":7})").bytes_per_second, 7U);
  EXPECT_EQ(FaultyGet(R"({"kind":"stall"})").after, AfterSend::kStall);
}

TEST_F(ServiceFaultTest, MalformedAnswersAre200) {
  for (const auto* body : {"html", "invalid_json", "empty", "depth_bomb"}) {
    const RawReply reply = FaultyGet(R"({"kind":"malformed","body":")" + std::string(body) + "\"}");
    EXPECT_THAT(reply.bytes, StartsWith("HTTP/1.1 200"));
    EXPECT_FALSE(ParseJson(BodyOf(reply)).has_value()) << body;
  }
}

TEST_F(ServiceFaultTest, SkewMovesDateAndAcceptance) {
  Faults(R"({"kind":"skew","minutes":10})");

  const Reply refused = service->Handle(SignForSim(Parts("GetOpportunity", GetBody(1))));
  SignedParts adjusted = Parts("GetOpportunity", GetBody(1));
  adjusted.at += 10min;
  const Reply accepted = service->Handle(SignForSim(adjusted));

  EXPECT_THAT(std::get<RawReply>(refused).bytes, HasSubstr("Signature expired"));
  EXPECT_THAT(std::get<RawReply>(refused).bytes,
              HasSubstr("Date: " + FormatHttpDate(clock.Now() + 10min)));
  EXPECT_THAT(std::get<RawReply>(accepted).bytes, StartsWith("HTTP/1.1 200"));
}

TEST_F(ServiceFaultTest, IdentityFaultsAreAsAwsSpellsThem) {
  EXPECT_THAT(FaultyGet(R"({"kind":"expired_token"})").bytes, HasSubstr("#ExpiredTokenException"));
  EXPECT_THAT(FaultyGet(R"({"kind":"access_denied"})").bytes, HasSubstr("#AccessDeniedException"));
  EXPECT_THAT(FaultyGet(R"({"kind":"not_found"})").bytes, HasSubstr("#ResourceNotFoundException"));
}

TEST_F(ServiceFaultTest, BadRecordsAreBadInTheWayAskedFor) {
  const auto bad = [&](const std::string& how) {
    clock.Advance(1s);
    return BodyOf(FaultyGet(R"({"kind":"bad_record","variant":")" + how + "\",\"bytes\":100000}"));
  };

  EXPECT_FALSE(ParseJson(bad("missing_modified"))->contains("LastModifiedDate"));
  EXPECT_FALSE(ParseJson(bad("missing_id"))->contains("Id"));
  EXPECT_TRUE((*ParseJson(bad("wrong_type")))["LastModifiedDate"].is_number());
  EXPECT_EQ((*ParseJson(bad("other_id")))["Id"], "O1");
  EXPECT_THAT(bad("nul_in_string"), HasSubstr("\\u0000"));
  EXPECT_THAT(bad("lone_surrogate"), HasSubstr("\\ud83d alone"));
  EXPECT_FALSE(ParseJson(bad("invalid_utf8")).has_value());
  EXPECT_GT(bad("huge_field").size(), 100'000U);
  EXPECT_THAT(bad("bad_date"), HasSubstr("2026-02-30"));
}

TEST_F(ServiceFaultTest, UnknownMembersAndValuesKeepTheAnswerValid) {
  const auto member = ParseJson(BodyOf(FaultyGet(R"({"kind":"unknown_member"})")));
  const auto value = ParseJson(BodyOf(FaultyGet(R"({"kind":"unknown_enum"})")));

  EXPECT_TRUE(member->contains("FutureMember"));
  EXPECT_EQ((*value)["LifeCycle"]["Stage"], "Nurturing (new)");
}

TEST_F(ServiceFaultTest, ListFaultsBendThePage) {
  const std::string first = R"({"Catalog":"AWS","MaxResults":5})";
  const auto list = [&](const std::string& rule, const std::string& body) {
    clock.Advance(1s);
    return *ParseJson(BodyOf(Faulty(rule, "ListOpportunities", body)));
  };
  const Json plain = Body(Call("ListOpportunities", first));
  Json next = *ParseJson(first);
  next["NextToken"] = plain["NextToken"];

  const Json empty = list(R"({"kind":"empty_page_with_token"})", first);
  const Json repeated = list(R"({"kind":"repeated_token"})", next.dump());
  const Json doubled = list(R"({"kind":"duplicate_in_page"})", first);

  EXPECT_THAT(empty["OpportunitySummaries"], testing::IsEmpty());
  EXPECT_TRUE(empty.contains("NextToken"));
  EXPECT_EQ(repeated["NextToken"], next["NextToken"]);
  EXPECT_EQ(doubled["OpportunitySummaries"][0], doubled["OpportunitySummaries"][5]);
  Json go_on = *ParseJson(first);
  go_on["NextToken"] = empty["NextToken"];
  Faults("");
  EXPECT_EQ(Body(Call("ListOpportunities", go_on.dump()))["OpportunitySummaries"],
            plain["OpportunitySummaries"]);
}

TEST_F(ServiceFaultTest, RecordsChangeBetweenPages) {
  const Json plain = Body(Call("ListOpportunities", R"({"Catalog":"AWS","MaxResults":5})"));
  const Json next{{"Catalog", "AWS"}, {"MaxResults", 5}, {"NextToken", plain["NextToken"]}};

  Faulty(R"({"kind":"modify_between_pages","n":3},{"kind":"insert_between_pages","n":2},
            {"kind":"remove_between_pages","n":1})",
         "ListOpportunities", next.dump());

  std::uint64_t changed = 0;
  std::uint64_t live = 0;
  service->collection(Catalog::kAws).ForEach([&](const RecordVersion& record) {
    ++live;
    changed += record.modified >= clock.Now() - 1s ? 1 : 0;
  });
  EXPECT_EQ(live, 1'001U);
  EXPECT_GE(changed, 4U);
}

TEST_F(ServiceFaultTest, AListLagHidesFreshChanges) {
  service->collection(Catalog::kAws).Insert(1, clock.Now());
  const std::string after =
      Json{{"Catalog", "AWS"},
           {"LastModifiedDate", {{"AfterLastModifiedDate", FormatRfc3339(clock.Now() - 1min)}}}}
          .dump();

  EXPECT_THAT(Body(Call("ListOpportunities", after))["OpportunitySummaries"], testing::SizeIs(1));
  const RawReply lagging =
      Faulty(R"({"kind":"list_lag","seconds":600})", "ListOpportunities", after);

  EXPECT_THAT((*ParseJson(BodyOf(lagging)))["OpportunitySummaries"], testing::IsEmpty());
}

}  // namespace
}  // namespace pcw::sim
