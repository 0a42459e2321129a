#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "fakes/sim_service.h"
#include "pcw/base/time.h"
#include "pcw/sim/partner_central/service.h"

namespace pcw::sim {
namespace {

using namespace std::chrono_literals;
using net::server::AfterSend;
using net::server::RawReply;
using net::server::Reply;
using ::testing::HasSubstr;
using ::testing::StartsWith;

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

TEST_F(ServiceFaultTest, ThrottleFaultsCarryTheirHeaders) {
  Faults(R"({"kind":"throttle","retry_after_ms":1500,"retry_after_s":2})");

  const Reply reply = service->Handle(SignForSim(Parts("GetOpportunity", GetBody(1))));

  const std::string& bytes = std::get<RawReply>(reply).bytes;
  EXPECT_THAT(bytes, StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(bytes, HasSubstr("x-amz-retry-after: 1500\r\nRetry-After: 2\r\n"));
  EXPECT_EQ(LastCall().outcome, Outcome::kRefusedFault);
}

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
  EXPECT_THAT(bad("big_integer"), HasSubstr(":18446744073709551616"));
  EXPECT_THAT(bad("big_exponent"), HasSubstr(":1e400"));
  EXPECT_THAT(bad("long_integer"), HasSubstr(":" + std::string(200, '7')));
  EXPECT_THAT(bad("byte_order_mark"), StartsWith("\xEF\xBB\xBF{"));
  EXPECT_THAT(bad("deep"), HasSubstr(std::string(100'000, '[') + std::string(100'000, ']')));
  EXPECT_THAT(bad("number_id"), HasSubstr("\"Id\":12345"));
  EXPECT_THAT(bad("nul_in_id"), HasSubstr("\"Id\":\"O\\u00001\""));
  EXPECT_THAT(bad("long_id"), HasSubstr(std::string(9'000, 'i')));
  EXPECT_THAT(bad("invalid_utf8_id"), HasSubstr("\"Id\":\"O\xff\xfe\""));
  EXPECT_THAT(bad("duplicate_text"), HasSubstr(":\"the second\"}"));
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
