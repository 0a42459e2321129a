// The one loop with a REST service: what is sent and signed, what is retried, what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/fake_http.h"
#include "fakes/fake_time.h"
#include "fakes/result_matchers.h"
#include "pcw/aws/caller.h"
#include "pcw/aws/s3.h"
#include "pcw/base/time.h"

namespace pcw::aws {
namespace {

using net::Reply;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RestCredentials final : public CredentialsProvider {
 public:
  RestCredentials() {
    auto keys = std::make_shared<Credentials>();
    keys->access_key_id = "AKID";
    keys->secret_access_key = Secret("secret");
    keys->session_token = Secret("token");
    current = keys;
  }
  Result<CredentialsPtr> Get(std::stop_token) override { return current; }
  void Invalidate(const CredentialsPtr& refused) override {
    current = std::make_shared<Credentials>(*refused);
  }
  CredentialsPtr current;
};

class CallerRestTest : public ::testing::Test {
 protected:
  static CallerOptions Options() {
    CallerOptions options;
    options.endpoint = "https://lake.s3.us-east-1.amazonaws.com";
    options.user_agent = "pcw/test";
    return options;
  }
  Result<CallResult> Put(std::string_view body = "{}") {
    RestRequest request{
        .method = "PUT", .path = "/a%20b//../c", .headers = {{"If-None-Match", "*"}}, .body = body};
    return caller.Call(s3::kPutObject, request, {});
  }
  std::string HeaderOf(std::size_t sent, std::string_view name) const {
    return std::string(net::FindHeader(http.sent.at(sent).headers, name).value_or(""));
  }

  net::FakeHttpClient http;
  RestCredentials credentials;
  OpenQuotaGate gate;
  FakeClock clock;
  FakeSleeper sleeper{clock};
  FakeRng rng;
  Caller caller{s3::kService, {http, credentials, gate, clock, sleeper, rng}, Options()};
};

TEST_F(CallerRestTest, SendsThePathAsItIsAndSignsThePayload) {
  http.script = {Reply(200, "", {{"ETag", "\"e\""}, {"x-amz-request-id", "R1"}})};

  const auto got = Put("bytes");

  ASSERT_THAT(got, Succeeds());
  EXPECT_EQ(got->Header("etag"), "\"e\"");
  EXPECT_EQ(got->request_id, "R1");
  EXPECT_EQ(http.sent[0].method, "PUT");
  EXPECT_EQ(http.sent[0].url, "https://lake.s3.us-east-1.amazonaws.com/a%20b//../c");
  EXPECT_EQ(http.sent[0].body, "bytes");
  EXPECT_EQ(HeaderOf(0, "x-amz-content-sha256"), Sha256Hex("bytes"));
  EXPECT_EQ(HeaderOf(0, "X-Amz-Target"), "");
  EXPECT_THAT(HeaderOf(0, "Authorization"), HasSubstr("/us-east-1/s3/aws4_request"));
  EXPECT_THAT(HeaderOf(0, "Authorization"),
              HasSubstr("host;if-none-match;x-amz-content-sha256;x-amz-date;x-amz-security-token"));
}

TEST_F(CallerRestTest, AGivenPayloadHashIsTheOneThatIsSigned) {
  http.script = {Reply(200)};
  const std::string hash(64, 'a');

  ASSERT_THAT(
      caller.Call(s3::kPutObject, {.method = "PUT", .body = "x", .payload_sha256 = hash}, {}),
      Succeeds());

  EXPECT_EQ(HeaderOf(0, "x-amz-content-sha256"), hash);
}

TEST_F(CallerRestTest, RetriesWhatS3AsksToRetry) {
  for (const char* code : {"SlowDown", "RequestTimeout", "ConditionalRequestConflict",
                           "InternalError", "BadDigest", "OperationAborted"}) {
    http.sent.clear();
    http.script = {Reply(400, std::string("<Error><Code>") + code + "</Code></Error>"), Reply(200)};
    EXPECT_THAT(Put(), Succeeds()) << code;
    EXPECT_EQ(http.sent.size(), 2U) << code;
    EXPECT_EQ(http.sent[1].body, "{}") << code;
  }
}

TEST_F(CallerRestTest, SlowDownBacksOffAsAThrottle) {
  http.script = {Reply(503, "<Error><Code>SlowDown</Code></Error>"), Reply(503), Reply(200)};

  ASSERT_THAT(Put(), Succeeds());

  EXPECT_THAT(sleeper.slept, ElementsAre(milliseconds(500), milliseconds(1000)));
  EXPECT_EQ(caller.counters().throttles, 2U);
}

TEST_F(CallerRestTest, DoesNotRetryWhatStaysSo) {
  for (const auto& [status, code] :
       {std::pair{403, "AccessDenied"}, std::pair{404, "NoSuchKey"}, std::pair{404, "NoSuchBucket"},
        std::pair{412, "PreconditionFailed"}, std::pair{301, "PermanentRedirect"}}) {
    http.sent.clear();
    http.script = {Reply(status, std::string("<Error><Code>") + code + "</Code></Error>")};
    EXPECT_FALSE(Put()) << code;
    EXPECT_EQ(http.sent.size(), 1U) << code;
  }
}

TEST_F(CallerRestTest, AnErrorInsideA200IsRetriedAsThatError) {
  http.script = {Reply(200, "\n<?xml version=\"1.0\"?><Error><Code>InternalError</Code></Error>"),
                 Reply(200, "<CompleteMultipartUploadResult></CompleteMultipartUploadResult>")};

  EXPECT_THAT(caller.Call(s3::kCompleteMultipartUpload, {.method = "POST"}, {}), Succeeds());
  EXPECT_EQ(http.sent.size(), 2U);

  http.script = {Reply(200, "<Error><Code>AccessDenied</Code></Error>")};
  EXPECT_THAT(caller.Call(s3::kCompleteMultipartUpload, {.method = "POST"}, {}),
              FailsWith(ErrorCode::kPermissionDenied));
}

TEST_F(CallerRestTest, AnEmptyOrCut200OfAListIsNoList) {
  for (const char* body : {"", "<ListBucketResult>", "<html></html>"}) {
    http.script = {Reply(200, body)};
    EXPECT_THAT(caller.Call(s3::kListObjectsV2, {.query = "list-type=2"}, {}),
                FailsWith(ErrorCode::kUnavailable))
        << body;
  }
}

TEST_F(CallerRestTest, AnExpiredTokenIsRefreshedOnceAlsoWhenAHeadCannotSaySo) {
  http.script = {Reply(400, "<Error><Code>ExpiredToken</Code></Error>"), Reply(200)};
  EXPECT_THAT(Put(), Succeeds());

  http.script = {Reply(400), Reply(200)};
  EXPECT_THAT(caller.Call(s3::kHeadObject, {.method = "HEAD"}, {}), Succeeds());
}

TEST_F(CallerRestTest, KeysThatWereReplacedAtTheirSourceAreFollowed) {
  for (const char* refused : {"InvalidAccessKeyId", "InvalidToken", "SignatureDoesNotMatch"}) {
    http.sent.clear();
    http.script = {Reply(403, std::string("<Error><Code>") + refused + "</Code></Error>"),
                   Reply(200)};
    EXPECT_THAT(Put(), Succeeds()) << refused;
    EXPECT_EQ(http.sent.size(), 2U);
  }
  http.script = {Reply(403), Reply(200)};
  EXPECT_THAT(caller.Call(s3::kHeadObject, {.method = "HEAD"}, {}), Succeeds());

  http.sent.clear();
  http.script = {Reply(403, "<Error><Code>InvalidAccessKeyId</Code></Error>")};
  EXPECT_THAT(Put(), FailsWith(ErrorCode::kUnauthenticated));
  EXPECT_EQ(http.sent.size(), 2U) << "asked once";
}

TEST_F(CallerRestTest, AClockThatIsOffIsCorrectedAlsoWhenAHeadCannotSaySo) {
  const net::Headers date{{"Date", FormatHttpDate(clock.Now() + std::chrono::minutes(20))}};
  http.script = {Reply(403, "", date), Reply(200, "", date)};

  EXPECT_THAT(caller.Call(s3::kHeadObject, {.method = "HEAD"}, {}), Succeeds());

  http.script = {Reply(403)};
  EXPECT_THAT(caller.Call(s3::kHeadObject, {.method = "HEAD"}, {}),
              FailsWith(ErrorCode::kPermissionDenied));
}

}  // namespace
}  // namespace pcw::aws
