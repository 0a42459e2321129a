#include "pcw/sim/s3/objects.h"

#include <gmock/gmock.h>

#include "fakes/sim_s3.h"

namespace pcw::sim {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

using S3ObjectsTest = S3Test;

TEST_F(S3ObjectsTest, AnswersWhatWasPut) {
  const auto made = Put("/pcw-lake-dev/dir/key", "body", {{"x-amz-meta-run", "7"}});
  clock.Advance(std::chrono::minutes(1));
  const auto got = Get("/pcw-lake-dev/dir/key", {{"x-amz-checksum-mode", "ENABLED"}});

  EXPECT_EQ(got.body, "body");
  EXPECT_EQ(HeaderOf(made, "ETag"), "\"841a2d689ad86bd1611447453c22c6fc\"");
  EXPECT_EQ(HeaderOf(got, "ETag"), HeaderOf(made, "ETag"));
  EXPECT_EQ(HeaderOf(got, "x-amz-meta-run"), "7");
  EXPECT_EQ(HeaderOf(got, "x-amz-server-side-encryption"), "AES256");
  // Without one of the client's, S3 keeps a CRC64NVME of its own.
  EXPECT_EQ(HeaderOf(got, "x-amz-checksum-crc64nvme"), HeaderOf(made, "x-amz-checksum-crc64nvme"));
  EXPECT_EQ(HeaderOf(got, "x-amz-checksum-type"), "FULL_OBJECT");
  EXPECT_THAT(HeaderOf(got, "x-amz-request-id"), MatchesRegex("[0-9A-F]{16}"));
  EXPECT_EQ(LastCall().operation, Operation::kGetObject);
  EXPECT_EQ(LastCall().outcome, Outcome::kOk);
}

TEST_F(S3ObjectsTest, ErrorsHaveTheFormOfS3) {
  const auto answer = Get("/pcw-lake-dev/a%26b");

  EXPECT_EQ(answer.status, 404);
  EXPECT_THAT(answer.body, MatchesRegex("<\\?xml version=\"1.0\" encoding=\"UTF-8\"\\?>\n"
                                        "<Error><Code>NoSuchKey</Code><Message>The specified key "
                                        "does not exist.</Message><Key>a&amp;b</Key>"
                                        "<RequestId>[0-9A-F]{16}</RequestId><HostId>.+</HostId>"
                                        "</Error>"));
  EXPECT_EQ(Xml(answer, "RequestId"), HeaderOf(answer, "x-amz-request-id"));
  EXPECT_EQ(Xml(answer, "HostId"), HeaderOf(answer, "x-amz-id-2"));
  EXPECT_EQ(LastCall().outcome, Outcome::kNotFound);
}

TEST_F(S3ObjectsTest, RangesFollowTheirForm) {
  Put("/pcw-lake-dev/r", "0123456789");
  const auto range = [&](const std::string& text) {
    const auto answer =
        Get("/pcw-lake-dev/r", {{"range", text}, {"x-amz-checksum-mode", "ENABLED"}});
    EXPECT_EQ(HeaderOf(answer, "x-amz-checksum-type") == "(none)", answer.status != 200) << text;
    return std::to_string(answer.status) + " " +
           (answer.status < 300 ? answer.body : Xml(answer, "Code"));
  };
  EXPECT_EQ(range("bytes=2-4"), "206 234");
  EXPECT_EQ(range("bytes=8-99"), "206 89");
  EXPECT_EQ(range("bytes=-3"), "206 789");
  EXPECT_EQ(range("bytes=9-"), "206 9");
  EXPECT_EQ(range("bytes=10-"), "416 InvalidRange");
  EXPECT_EQ(range("bytes=-0"), "416 InvalidRange");
  EXPECT_EQ(range("bytes=4-2"), "200 0123456789");
  EXPECT_EQ(range("lines=1-2"), "200 0123456789");
  EXPECT_EQ(HeaderOf(Get("/pcw-lake-dev/r", {{"range", "bytes=2-4"}}), "Content-Range"),
            "bytes 2-4/10");
}

TEST_F(S3ObjectsTest, ConditionsOfWritesAndReads) {
  EXPECT_EQ(Verdict(Put("/pcw-lake-dev/k", "1", {{"if-match", "\"x\""}})), "404 NoSuchKey");
  const auto made = Put("/pcw-lake-dev/k", "1", {{"if-none-match", "*"}});
  const std::string etag = HeaderOf(made, "ETag");

  EXPECT_EQ(Verdict(Put("/pcw-lake-dev/k", "2", {{"if-none-match", "*"}})),
            "412 PreconditionFailed");
  EXPECT_EQ(Verdict(Put("/pcw-lake-dev/k", "2", {{"if-match", "\"x\""}})),
            "412 PreconditionFailed");
  EXPECT_EQ(Verdict(Put("/pcw-lake-dev/k", "2", {{"if-none-match", etag}})), "501 NotImplemented");
  EXPECT_EQ(Get("/pcw-lake-dev/k").body, "1");
  EXPECT_EQ(Get("/pcw-lake-dev/k", {{"if-none-match", etag}}).status, 304);
  EXPECT_EQ(Verdict(Get("/pcw-lake-dev/k", {{"if-match", "\"x\""}})), "412 PreconditionFailed");
  EXPECT_EQ(Verdict(Put("/pcw-lake-dev/k", "2", {{"if-match", etag}})), "200");
  EXPECT_EQ(Get("/pcw-lake-dev/k").body, "2");
}

struct ChecksumCase {
  std::string header;
  std::string right;
  std::string wrong;
};

// For "123456789": the CRC catalogue's check values, and digests by OpenSSL.
TEST_F(S3ObjectsTest, ChecksumsOfEveryKindAreVerifiedAndKept) {
  const std::vector<ChecksumCase> cases{
      {"x-amz-checksum-crc32", "y/Q5Jg==", "AAAAAA=="},
      {"x-amz-checksum-crc32c", "4waSgw==", "AAAAAA=="},
      {"x-amz-checksum-crc64nvme", "rosUhgp5mIg=", "AAAAAAAAAAA="},
      {"x-amz-checksum-sha1", "98O8HYCOBHMq32eZZczDTKeuNEE=", "2jmj7l5rSw0yVb/vlWAYkK/YBwk="},
      {"x-amz-checksum-sha256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=",
       "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},
      {"content-md5", "JfnnlDI7RTiF9RgfG2JNCw==", "1B2M2Y8AsgTpgAmY7PhCfg=="}};
  for (const ChecksumCase& each : cases) {
    EXPECT_EQ(Verdict(Put("/pcw-lake-dev/bad", "123456789", {{each.header, each.wrong}})),
              "400 BadDigest")
        << each.header;
    const auto made = Put("/pcw-lake-dev/good", "123456789", {{each.header, each.right}});
    EXPECT_EQ(Verdict(made), "200") << each.header;
    if (each.header == "content-md5") continue;
    EXPECT_EQ(HeaderOf(made, each.header), each.right);
    EXPECT_EQ(
        HeaderOf(Get("/pcw-lake-dev/good", {{"x-amz-checksum-mode", "ENABLED"}}), each.header),
        each.right);
    EXPECT_EQ(HeaderOf(Get("/pcw-lake-dev/good"), each.header), "(none)");
  }
  EXPECT_EQ(Verdict(Get("/pcw-lake-dev/bad")), "404 NoSuchKey");
}

TEST_F(S3ObjectsTest, ChecksumHeadersMustMakeSense) {
  const auto put = [&](net::server::Headers headers) {
    return Verdict(Put("/pcw-lake-dev/k", "123456789", std::move(headers)));
  };
  EXPECT_EQ(put({{"x-amz-checksum-crc32", "y/Q5Jg=="}, {"x-amz-checksum-crc32c", "4waSgw=="}}),
            "400 InvalidRequest");
  EXPECT_EQ(put({{"x-amz-checksum-sha256", "y/Q5Jg=="}}), "400 InvalidRequest");
  EXPECT_EQ(put({{"x-amz-checksum-crc32", "no base64"}}), "400 InvalidRequest");
  EXPECT_EQ(put({{"x-amz-sdk-checksum-algorithm", "CRC32"}}), "400 InvalidRequest");
  EXPECT_EQ(put({{"x-amz-sdk-checksum-algorithm", "SHA256"}, {"x-amz-checksum-crc32", "y/Q5Jg=="}}),
            "400 InvalidRequest");
  EXPECT_EQ(put({{"content-md5", "short"}}), "400 InvalidDigest");
  EXPECT_EQ(put({{"x-amz-checksum-sha512", "y/Q5Jg=="}}), "501 NotImplemented");
}

TEST_F(S3ObjectsTest, EncryptionIsEchoedAndChecked) {
  const std::string key = "arn:aws:kms:us-east-1:123456789012:key/k";
  const auto made = Put("/pcw-lake-dev/k", "body",
                        {{"x-amz-server-side-encryption", "aws:kms"},
                         {"x-amz-server-side-encryption-aws-kms-key-id", key}});

  EXPECT_EQ(HeaderOf(made, "x-amz-server-side-encryption"), "aws:kms");
  EXPECT_EQ(HeaderOf(Get("/pcw-lake-dev/k"), "x-amz-server-side-encryption-aws-kms-key-id"), key);
  EXPECT_NE(HeaderOf(made, "ETag"), "\"841a2d689ad86bd1611447453c22c6fc\"");
  EXPECT_EQ(Verdict(Put("/pcw-lake-dev/k", "", {{"x-amz-server-side-encryption", "x"}})),
            "400 InvalidArgument");
  EXPECT_EQ(
      Verdict(Put("/pcw-lake-dev/k", "", {{"x-amz-server-side-encryption-aws-kms-key-id", key}})),
      "400 InvalidArgument");
}

TEST_F(S3ObjectsTest, NamesAreChecked) {
  EXPECT_EQ(Verdict(Put("/UPPER/k", "")), "400 InvalidBucketName");
  EXPECT_EQ(Verdict(Put("/127.0.0.1/k", "")), "400 InvalidBucketName");
  EXPECT_EQ(Verdict(Put("//k", "")), "400 InvalidBucketName");
  EXPECT_EQ(Verdict(Put("/not-there/k", "")), "404 NoSuchBucket");
  EXPECT_EQ(Verdict(Put("/pcw-lake-dev/" + std::string(1'024, 'k'), "")), "200");
  EXPECT_EQ(Verdict(Put("/pcw-lake-dev/" + std::string(1'025, 'k'), "")), "400 KeyTooLongError");
  EXPECT_EQ(Verdict(Put("/pcw-lake-dev/%FF", "")), "400 InvalidURI");
  EXPECT_EQ(Verdict(Put("/pcw-lake-dev/%C3%A9%F0%9F%98%80", "")), "200");
}

TEST_F(S3ObjectsTest, VirtualHostStyleNamesTheSameObject) {
  for (const char* host : {"pcw-lake-dev.localhost:8000", "pcw-lake-dev.s3.us-east-1.amazonaws.com",
                           "pcw-lake-dev.s3.amazonaws.com"}) {
    S3Parts parts = Parts("PUT", "/dir/k", "", host);
    parts.host = host;
    EXPECT_EQ(Verdict(Send(parts)), "200") << host;
    EXPECT_EQ(Get("/pcw-lake-dev/dir/k").body, host);
  }
  S3Parts parts = Parts("GET", "/pcw-lake-dev/dir/k");
  parts.host = "s3.us-east-1.amazonaws.com";
  EXPECT_EQ(Verdict(Send(parts)), "200");
}

TEST_F(S3ObjectsTest, WhatIsNotSimulatedIsRefusedAndNotGuessed) {
  EXPECT_EQ(Verdict(Send(Parts("PUT", "/pcw-lake-dev/k", "tagging="))), "501 NotImplemented");
  EXPECT_EQ(Verdict(Send(Parts("GET", "/pcw-lake-dev"))), "501 NotImplemented");
  EXPECT_EQ(Verdict(Send(Parts("DELETE", "/"))), "405 MethodNotAllowed");
  EXPECT_EQ(Verdict(Put("/pcw-lake-dev/k", "", {{"x-amz-copy-source", "/a/b"}})),
            "501 NotImplemented");
  EXPECT_EQ(Verdict(Put("/pcw-lake-dev/k", "", {{"x-amz-acl", "public-read"}})),
            "400 AccessControlListNotSupported");
  EXPECT_EQ(LastCall().operation, Operation::kPutObject);
}

TEST_F(S3ObjectsTest, APutNeedsALength) {
  net::server::Request request = SignForS3(Parts("PUT", "/pcw-lake-dev/k")).request;
  std::erase_if(request.headers,
                [](const auto& header) { return header.first == "Content-Length"; });

  EXPECT_EQ(Verdict(Send(request)), "411 MissingContentLength");
}

TEST_F(S3ObjectsTest, DeletingIsIdempotent) {
  Put("/pcw-lake-dev/k", "body");

  EXPECT_EQ(Send(Parts("DELETE", "/pcw-lake-dev/k")).status, 204);
  EXPECT_EQ(Send(Parts("DELETE", "/pcw-lake-dev/k")).status, 204);
  EXPECT_EQ(Verdict(Get("/pcw-lake-dev/k")), "404 NoSuchKey");
}

TEST_F(S3ObjectsTest, MemoryIsBounded) {
  Start({.s3_capacity_bytes = 10});

  EXPECT_EQ(Verdict(Put("/pcw-lake-dev/a", "12345678")), "200");
  const auto full = Put("/pcw-lake-dev/b", "123");
  EXPECT_EQ(Verdict(full), "507 InternalError");
  EXPECT_THAT(full.body, HasSubstr("s3_capacity_bytes"));
  EXPECT_EQ(Verdict(Put("/pcw-lake-dev/a", "1234567890")), "200");  // in place of the old bytes
  Send(Parts("DELETE", "/pcw-lake-dev/a"));
  EXPECT_EQ(Verdict(Put("/pcw-lake-dev/b", "123")), "200");
}

// What the account and fault rules say.

TEST_F(S3ObjectsTest, DeniedActionsNameCallerActionAndResource) {
  Put("/pcw-lake-dev/k", "body");
  SetAccount(R"({"denied_actions":["s3:PutObject","s3:ListBucket"]})");

  const auto denied = Put("/pcw-lake-dev/k", "other");

  EXPECT_EQ(Verdict(denied), "403 AccessDenied");
  EXPECT_THAT(Xml(denied, "Message"),
              HasSubstr("user/pcw-example is not authorized to perform: s3:PutObject on resource: "
                        "&quot;arn:aws:s3:::pcw-lake-dev/k&quot;"));
  EXPECT_EQ(Verdict(List("list-type=2")), "403 AccessDenied");
  EXPECT_EQ(Get("/pcw-lake-dev/k").body, "body");
  // Who may not list is not told what there is.
  EXPECT_EQ(Verdict(Get("/pcw-lake-dev/absent")), "403 AccessDenied");
}

TEST_F(S3ObjectsTest, BucketsHaveOwners) {
  EXPECT_EQ(Verdict(Put("/pcw-lake-dev/k", "", {{"x-amz-expected-bucket-owner", "210987654321"}})),
            "403 AccessDenied");
  EXPECT_EQ(Verdict(Put("/pcw-lake-dev/k", "", {{"x-amz-expected-bucket-owner", "123456789012"}})),
            "200");
  SetAccount(R"({"keys":[{"access_key_id":"AKIA0000OTHERACCOUNT","secret_access_key":"s",
                          "account_id":"210987654321"}]})");
  S3Parts parts = Parts("GET", "/pcw-lake-dev/k");
  parts.access_key_id = "AKIA0000OTHERACCOUNT";
  parts.secret = "s";
  EXPECT_EQ(Verdict(Send(parts)), "403 AccessDenied");
  parts.method = "PUT";
  parts.path = "/pcw-lake-dev";
  EXPECT_EQ(Verdict(Send(parts)), "409 BucketAlreadyExists");
}

TEST_F(S3ObjectsTest, RefusingFaultsDoNotExecute) {
  const std::vector<std::pair<std::string, std::string>> kinds{
      {R"("throttle","retry_after_s":3)", "503 SlowDown"},
      {R"("s3_conflict")", "409 ConditionalRequestConflict"},
      {R"("access_denied")", "403 AccessDenied"},
      {R"("expired_token")", "400 ExpiredToken"}};
  for (const auto& [kind, verdict] : kinds) {
    Faults(R"({"operation":"PutObject","identifier":"dir/k","kind":)" + kind + "}");
    EXPECT_EQ(Verdict(Put("/pcw-lake-dev/dir/k", "body")), verdict);
    EXPECT_EQ(Verdict(Put("/pcw-lake-dev/other", "body")), "200");
  }
  Faults("");
  EXPECT_EQ(Verdict(Get("/pcw-lake-dev/dir/k")), "404 NoSuchKey");
}

TEST_F(S3ObjectsTest, ArchivedObjectsAreListedAndNotRead) {
  for (const char* storage_class : {"GLACIER", "DEEP_ARCHIVE"}) {
    Put("/pcw-lake-dev/k", "body", {{"x-amz-storage-class", storage_class}});
    const auto answer = Get("/pcw-lake-dev/k");
    EXPECT_EQ(Verdict(answer), "403 InvalidObjectState");
    EXPECT_EQ(Xml(answer, "StorageClass"), storage_class);
    EXPECT_EQ(Verdict(Send(Parts("HEAD", "/pcw-lake-dev/k"))), "200");
  }
}

TEST_F(S3ObjectsTest, AKeyThatTheCallerMayNotUseHidesItsObjectsAlone) {
  Put("/pcw-lake-dev/k", "body",
      {{"x-amz-server-side-encryption", "aws:kms"},
       {"x-amz-server-side-encryption-aws-kms-key-id",
        "arn:aws:kms:us-east-1:123456789012:key/k"}});
  Put("/pcw-lake-dev/plain", "body");
  SetAccount(R"({"denied_actions":["kms:Decrypt"]})");

  const auto answer = Get("/pcw-lake-dev/k");

  EXPECT_EQ(Verdict(answer), "403 AccessDenied");
  EXPECT_THAT(answer.body, HasSubstr("kms:Decrypt"));
  EXPECT_EQ(Verdict(Get("/pcw-lake-dev/plain")), "200");
}

TEST_F(S3ObjectsTest, SpoiltAnswersWereExecuted) {
  Faults(R"({"operation":"PutObject","kind":"error","status":503})");
  EXPECT_EQ(Verdict(Put("/pcw-lake-dev/k", "body")), "503 ServiceUnavailable");
  EXPECT_EQ(LastCall().outcome, Outcome::kFailed);
  EXPECT_EQ(Get("/pcw-lake-dev/k").body, "body");

  Faults(R"({"operation":"PutObject","kind":"lost_answer"})");
  net::server::Reply lost = s3->Handle(SignForS3(Parts("PUT", "/pcw-lake-dev/l", "", "b")).request);
  const auto* raw = std::get_if<net::server::RawReply>(&lost);
  ASSERT_NE(raw, nullptr);
  EXPECT_EQ(raw->bytes, "");
  EXPECT_EQ(raw->after, net::server::AfterSend::kReset);
  EXPECT_EQ(Get("/pcw-lake-dev/l").body, "b");
  EXPECT_EQ(service->ledger().totals().max_arrivals_per_second, 0U);
}

TEST_F(S3ObjectsTest, ADelayedHeadHasNoBody) {
  Put("/pcw-lake-dev/k", "the body");
  Faults(R"({"operation":"HeadObject","kind":"delay","ms":5})");

  net::server::Reply reply = s3->Handle(SignForS3(Parts("HEAD", "/pcw-lake-dev/k")).request);

  const auto* raw = std::get_if<net::server::RawReply>(&reply);
  ASSERT_NE(raw, nullptr);
  EXPECT_THAT(raw->bytes, HasSubstr("Content-Length: 8\r\n"));
  EXPECT_THAT(raw->bytes, Not(HasSubstr("the body")));
}

}  // namespace
}  // namespace pcw::sim
