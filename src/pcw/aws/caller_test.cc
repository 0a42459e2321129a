#include "pcw/aws/caller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/fake_http.h"
#include "fakes/fake_time.h"
#include "fakes/result_matchers.h"
#include "pcw/aws/partner_central_selling.h"
#include "pcw/base/time.h"

namespace pcw::aws {
namespace {

using net::Reply;
using partner_central_selling::kListOpportunities;
using partner_central_selling::kService;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kGoodBody = R"({"OpportunitySummaries":[]})";
constexpr Operation kWrite{&kService, "AssociateOpportunity", Idempotency::kNonIdempotent,
                           QuotaClass::kWrite, ""};

std::string AwsError(const char* type) {
  return std::string(R"({"__type":"com.amazonaws.partnercentralselling#)") + type +
         R"(","Message":"no"})";
}

CredentialsPtr Keys(const char* id) {
  auto keys = std::make_shared<Credentials>();
  keys->access_key_id = id;
  keys->secret_access_key = Secret("secret");
  return keys;
}

// Hands out `next` after an Invalidate.
class FakeCredentials final : public CredentialsProvider {
 public:
  Result<CredentialsPtr> Get(std::stop_token) override { return current; }
  void Invalidate(const CredentialsPtr& /*refused*/) override {
    ++invalidated;
    current = next;
  }
  CredentialsPtr current = Keys("AKIAOLD");
  CredentialsPtr next = current;
  int invalidated = 0;
};

class FakeQuota final : public QuotaGate {
 public:
  Status Acquire(const Operation&, std::stop_token) override {
    ++acquired;
    if (refusal) return *refusal;
    return Ok{};
  }
  void OnThrottled(const Operation&, milliseconds delay) override { pauses.push_back(delay); }
  void OnEnded(const Operation&, const Error* error) override {
    ended.push_back(error == nullptr ? "ok" : std::string(NameOf(error->code())));
  }
  int acquired = 0;
  std::optional<Error> refusal;
  std::vector<milliseconds> pauses;
  std::vector<std::string> ended;
};

class CallerTest : public ::testing::Test {
 protected:
  static CallerOptions Options() {
    CallerOptions options;
    options.endpoint = "http://127.0.0.1:8000";
    options.user_agent = "pcw/test";
    return options;
  }
  Result<CallResult> List() { return caller.Call(kListOpportunities, "{}", stop.get_token()); }

  std::stop_source stop;
  net::FakeHttpClient http;
  FakeCredentials credentials;
  FakeQuota quota;
  FakeClock clock;
  FakeSleeper sleeper{clock};
  FakeRng rng;  // half of every ceiling
  Caller caller{kService, {http, credentials, quota, clock, sleeper, rng}, Options()};
};

TEST_F(CallerTest, BytesThatNoParserReadsAreAnAnswerAndOnlyACutOneIsAnOutage) {
  for (const std::string& body :
       {std::string(R"({"OpportunitySummaries":[{"Id":"Caf\ud83d"}]})"),
        std::string("{\"OpportunitySummaries\":[\"\xff\"]}"),
        "\xEF\xBB\xBF" + std::string(kGoodBody),
        "{\"OpportunitySummaries\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}",
        std::string(R"({"a":nonsense,"OpportunitySummaries":[1e400,18446744073709551616]})")}) {
    http.script = {Reply(200, body)};
    http.sent.clear();
    const auto answer = List();
    ASSERT_THAT(answer, Succeeds());
    EXPECT_EQ(answer->body, body);
    EXPECT_EQ(http.sent.size(), 1U);
  }
  const std::string whole = R"({"OpportunitySummaries":[{"Id":"O\"1"}]})";
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{30}, whole.size() - 1}) {
    http.script = {Reply(200, whole.substr(0, size)), Reply(200, whole)};
    http.sent.clear();
    EXPECT_THAT(List(), Succeeds());
    EXPECT_EQ(http.sent.size(), 2U) << size;
  }
}

TEST_F(CallerTest, ARequestIdIsAsciiWhateverTheHeaderHolds) {
  http.script = {Reply(200, kGoodBody, {{"x-amzn-RequestId", "r\xff\"" + std::string(500, 'x')}})};

  const auto answer = List();

  ASSERT_THAT(answer, Succeeds());
  EXPECT_THAT(answer->request_id, testing::StartsWith("r\\xff\"xxx"));
  EXPECT_LE(answer->request_id.size(), 128U);
}

TEST_F(CallerTest, SendsASignedJsonCall) {
  http.script = {Reply(200, kGoodBody,
                       {{"x-amzn-RequestId", "r-1"}, {"Date", "Sun, 06 Nov 1994 08:49:37 GMT"}})};

  const auto got = List();

  ASSERT_THAT(got, Succeeds());
  EXPECT_EQ(got->request_id, "r-1");
  EXPECT_EQ(got->server_date, *ParseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT"));
  std::map<std::string, std::string> headers(http.sent[0].headers.begin(),
                                             http.sent[0].headers.end());
  EXPECT_EQ(headers["X-Amz-Target"], "AWSPartnerCentralSelling.ListOpportunities");
  EXPECT_EQ(headers["Content-Type"], "application/x-amz-json-1.0");
  EXPECT_EQ(headers["Host"], "127.0.0.1:8000");
  EXPECT_THAT(headers["Authorization"],
              HasSubstr("/us-east-1/partnercentral-selling/aws4_request, SignedHeaders="));
  EXPECT_THAT(headers["Authorization"], HasSubstr("host;"));
  EXPECT_EQ(headers["amz-sdk-request"], "attempt=1; max=3");
}

TEST_F(CallerTest, TransientFailuresBackOffWithJitterThenSucceed) {
  http.script = {Reply(503), Reply(500), Reply(200, kGoodBody)};

  ASSERT_THAT(List(), Succeeds());

  EXPECT_THAT(sleeper.slept, ElementsAre(milliseconds(25), milliseconds(50)));
  EXPECT_EQ(quota.acquired, 3) << "every attempt spends quota";
  EXPECT_THAT(quota.ended, ElementsAre("unavailable", "unavailable", "ok"));
  EXPECT_EQ(caller.counters().retries, 2U);
}

TEST_F(CallerTest, AThrottlePausesTheAccountEvenWhenItCameAs400) {
  http.script = {Reply(400, AwsError("ThrottlingException")), Reply(200, kGoodBody)};

  ASSERT_THAT(List(), Succeeds());

  EXPECT_THAT(quota.pauses, ElementsAre(milliseconds(500)));
  EXPECT_THAT(sleeper.slept, ElementsAre(milliseconds(500)));
  EXPECT_EQ(caller.counters().throttles, 1U);
}

TEST_F(CallerTest, TheServersRetryAfterRaisesTheDelayByAtMostFiveSeconds) {
  http.script = {Reply(503, "", {{"x-amz-retry-after", "60000"}}), Reply(200, kGoodBody)};

  ASSERT_THAT(List(), Succeeds());

  EXPECT_THAT(sleeper.slept, ElementsAre(milliseconds(5025)));
}

TEST_F(CallerTest, GivesUpAfterThreeAttemptsAndSaysSo) {
  http.script = {Reply(500, R"({"__type":"InternalServerException","Message":"x"})",
                       {{"x-amzn-requestid", "r-9"}})};

  const auto got = List();

  ASSERT_THAT(got, FailsWith(ErrorCode::kUnavailable));
  EXPECT_EQ(http.sent.size(), 3U);
  EXPECT_EQ(got.error().Find("attempts"), "3");
  EXPECT_EQ(got.error().Find("stopped_by"), "attempts");
  EXPECT_EQ(got.error().Find("operation"), "ListOpportunities");
  EXPECT_EQ(got.error().Find("request_id"), "r-9");
}

TEST_F(CallerTest, TheRetryBudgetKeepsAnOutageFromBeingMultiplied) {
  http.script = {Reply(503)};

  for (int i = 0; i < 100; ++i) EXPECT_FALSE(List());

  EXPECT_EQ(caller.counters().retries, 35U) << "500 tokens at 14 each";
  EXPECT_EQ(List().error().Find("stopped_by"), "budget");
}

TEST_F(CallerTest, ADeniedCallFailsAtOnce) {
  http.script = {Reply(400, AwsError("AccessDeniedException"))};

  const auto got = List();

  ASSERT_THAT(got, FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_EQ(http.sent.size(), 1U);
  EXPECT_EQ(got.error().Find("stopped_by"), "permanent");
}

TEST_F(CallerTest, ATruncatedOrForeign200IsRetriedAndNeverData) {
  for (const char* body :
       {"", "<html>busy</html>", R"({"OpportunitySummaries":[)", R"({"Other":1})"}) {
    http.script = {Reply(200, body)};
    EXPECT_THAT(List(), FailsWith(ErrorCode::kUnavailable)) << body;
    EXPECT_EQ(http.sent.size(), 3U) << body;
    http.sent.clear();
  }
}

TEST_F(CallerTest, AWriteWithoutTokenIsNotRepeatedOnceItMayHaveArrived) {
  http.script = {Reply(503)};

  const auto got = caller.Call(kWrite, "{}", {});

  ASSERT_THAT(got, FailsWith(ErrorCode::kUnavailable));
  EXPECT_EQ(http.sent.size(), 1U);
  EXPECT_EQ(got.error().Find("stopped_by"), "non_idempotent");
}

TEST_F(CallerTest, AWriteThatWasNotSentOrWasThrottledIsRepeated) {
  http.script = {Error(ErrorCode::kUnavailable, "refused").At(NetStep::kConnect), Reply(429),
                 Reply(200)};

  EXPECT_THAT(caller.Call(kWrite, "{}", {}), Succeeds());
  EXPECT_EQ(http.sent.size(), 3U);
}

TEST_F(CallerTest, ExpiredCredentialsAreRefreshedOnceInsideTheCall) {
  http.script = {Reply(400, AwsError("ExpiredTokenException")), Reply(200, kGoodBody)};
  credentials.next = Keys("AKIANEW");

  ASSERT_THAT(List(), Succeeds());

  EXPECT_EQ(credentials.invalidated, 1);
  EXPECT_THAT(http.sent[1].headers.back().second, HasSubstr("AKIANEW"));
}

TEST_F(CallerTest, ATokenThatIsCalledExpiredIsTriedOnceMoreAlthoughItDoesNotChange) {
  http.script = {Reply(400, AwsError("ExpiredTokenException")),
                 Reply(400, AwsError("ExpiredTokenException"))};

  ASSERT_THAT(List(), FailsWith(ErrorCode::kUnauthenticated));
  EXPECT_EQ(http.sent.size(), 2U);
}

TEST_F(CallerTest, AnUnknownKeyThatDoesNotChangeIsNotSentAgain) {
  http.script = {Reply(400, AwsError("UnrecognizedClientException"))};

  ASSERT_THAT(List(), FailsWith(ErrorCode::kUnauthenticated));
  EXPECT_EQ(http.sent.size(), 1U);
}

TEST_F(CallerTest, AClockThatIsOffIsCorrectedOnceFromTheServersDate) {
  const WallTime server = clock.Now() + std::chrono::minutes(10);
  const net::Headers date{{"Date", FormatHttpDate(server)}};
  http.script = {Reply(403, AwsError("InvalidSignatureException"), date),
                 Reply(200, kGoodBody, date)};

  ASSERT_THAT(List(), Succeeds());

  std::map<std::string, std::string> headers(http.sent[1].headers.begin(),
                                             http.sent[1].headers.end());
  EXPECT_EQ(headers["X-Amz-Date"],
            FormatIso8601Basic(std::chrono::floor<std::chrono::seconds>(server)));
}

TEST_F(CallerTest, AWrongSecretIsNotMistakenForAWrongClock) {
  http.script = {
      Reply(403, AwsError("InvalidSignatureException"), {{"Date", FormatHttpDate(clock.Now())}})};

  ASSERT_THAT(List(), FailsWith(ErrorCode::kUnauthenticated));
  EXPECT_EQ(http.sent.size(), 1U);
}

TEST_F(CallerTest, ASpentDayIsNotWaitedForAndNothingIsSent) {
  quota.refusal = Error(ErrorCode::kThrottled, "spent").Because(Reason::kQuotaSpent);

  const auto got = List();

  ASSERT_THAT(got, FailsWith(ErrorCode::kThrottled));
  EXPECT_TRUE(http.sent.empty());
  EXPECT_TRUE(sleeper.slept.empty());
}

TEST_F(CallerTest, AStopEndsTheCall) {
  http.script = {Reply(503)};
  stop.request_stop();

  EXPECT_THAT(List(), FailsWith(ErrorCode::kCancelled));
}

}  // namespace
}  // namespace pcw::aws
