#include "pcw/aws/error_response.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/fake_http.h"
#include "pcw/base/storable_text.h"

namespace pcw::aws {
namespace {

using net::Reply;
using ::testing::EndsWith;
using ::testing::HasSubstr;

struct Row {
  const char* type;
  int status;
  ErrorCode code;
};

class CodeOfTest : public ::testing::TestWithParam<Row> {};

TEST_P(CodeOfTest, TypeFirstStatusSecond) {
  EXPECT_EQ(CodeOf(GetParam().type, GetParam().status), GetParam().code)
      << GetParam().type << " " << GetParam().status;
}

INSTANTIATE_TEST_SUITE_P(
    Types, CodeOfTest,
    ::testing::Values(Row{"ThrottlingException", 400, ErrorCode::kThrottled},
                      Row{"SlowDown", 503, ErrorCode::kThrottled},
                      Row{"RequestLimitExceeded", 400, ErrorCode::kThrottled},
                      Row{"", 429, ErrorCode::kThrottled},
                      Row{"AccessDeniedException", 400, ErrorCode::kPermissionDenied},
                      Row{"", 403, ErrorCode::kPermissionDenied},
                      Row{"ExpiredTokenException", 400, ErrorCode::kUnauthenticated},
                      Row{"UnrecognizedClientException", 400, ErrorCode::kUnauthenticated},
                      Row{"SignatureDoesNotMatch", 403, ErrorCode::kUnauthenticated},
                      Row{"RequestTimeTooSkewed", 403, ErrorCode::kUnauthenticated},
                      Row{"", 401, ErrorCode::kUnauthenticated},
                      Row{"InternalServerException", 500, ErrorCode::kUnavailable},
                      Row{"", 502, ErrorCode::kUnavailable},
                      Row{"RequestTimeout", 400, ErrorCode::kUnavailable},
                      Row{"ResourceNotFoundException", 400, ErrorCode::kNotFound},
                      Row{"", 404, ErrorCode::kNotFound},
                      Row{"ConflictException", 400, ErrorCode::kConflict},
                      Row{"ValidationException", 400, ErrorCode::kInvalidRequest},
                      Row{"ServiceQuotaExceededException", 400, ErrorCode::kInvalidRequest},
                      Row{"SomethingNew", 400, ErrorCode::kInvalidRequest},
                      Row{"", 301, ErrorCode::kInvalidRequest}));

INSTANTIATE_TEST_SUITE_P(
    OfS3, CodeOfTest,
    ::testing::Values(Row{"NoSuchKey", 404, ErrorCode::kNotFound},
                      Row{"NoSuchBucket", 404, ErrorCode::kNotFound},
                      Row{"NoSuchUpload", 404, ErrorCode::kNotFound},
                      Row{"PreconditionFailed", 412, ErrorCode::kConflict},
                      Row{"", 412, ErrorCode::kConflict},
                      Row{"ConditionalRequestConflict", 409, ErrorCode::kUnavailable},
                      Row{"OperationAborted", 409, ErrorCode::kUnavailable},
                      Row{"InternalError", 500, ErrorCode::kUnavailable},
                      Row{"InternalError", 200, ErrorCode::kUnavailable},
                      Row{"ServiceUnavailable", 503, ErrorCode::kUnavailable},
                      Row{"BadDigest", 400, ErrorCode::kUnavailable},
                      Row{"XAmzContentSHA256Mismatch", 400, ErrorCode::kUnavailable},
                      Row{"AccessDenied", 403, ErrorCode::kPermissionDenied},
                      Row{"AllAccessDisabled", 403, ErrorCode::kPermissionDenied},
                      Row{"InvalidAccessKeyId", 403, ErrorCode::kUnauthenticated},
                      Row{"ExpiredToken", 400, ErrorCode::kUnauthenticated},
                      Row{"InvalidToken", 400, ErrorCode::kUnauthenticated},
                      Row{"PermanentRedirect", 301, ErrorCode::kConfig},
                      Row{"InvalidBucketName", 400, ErrorCode::kConfig},
                      Row{"KMS.DisabledException", 400, ErrorCode::kConfig},
                      Row{"KMS.NotFoundException", 400, ErrorCode::kConfig},
                      Row{"KMS.ThrottlingException", 400, ErrorCode::kThrottled},
                      Row{"KMS.KMSInternalException", 500, ErrorCode::kUnavailable},
                      Row{"InvalidPart", 400, ErrorCode::kInvalidRequest},
                      Row{"EntityTooSmall", 400, ErrorCode::kInvalidRequest}));

TEST(ClassifyResponseTest, TakesTheTypeAfterTheNamespaceAndTheFieldsOfAValidation) {
  const ErrorResponse said = ClassifyResponse(Reply(
      400, R"({"__type":"com.amazonaws.partnercentralselling#ValidationException","Message":"bad",
      "ErrorList":[{"FieldName":"Project.Title","Message":"too long","Code":"INVALID_VALUE"}]})",
      {{"x-amzn-RequestId", "r-1"}}));

  EXPECT_EQ(said.type, "ValidationException");
  EXPECT_EQ(said.error.Find("fields"), "Project.Title: too long (INVALID_VALUE)");
  EXPECT_EQ(said.error.Find("request_id"), "r-1");
}

TEST(ClassifyResponseTest, WhateverTextAwsSaysIsToldAndStorable) {
  std::string euros;
  for (int i = 0; i < 400; ++i) euros += "\xe2\x82\xac";
  // At every place of the cut: one byte more each time.
  for (int shift = 0; shift < 3; ++shift) {
    const auto response = Reply(
        400,
        R"({"__type":"ValidationException","Message":"half \ud83d nul \u0000 )" +
            std::string(static_cast<std::size_t>(shift), 'x') + euros +
            R"(","ErrorList":[{"FieldName":"A\u0000\ud83d","Message":"\uffff","Code":"B\u0001"}]})",
        {{"x-amzn-RequestId", "r\xff\x01"}});
    const ErrorResponse refused = ClassifyResponse(response, Protocol::kJson10);

    EXPECT_EQ(refused.error.code(), ErrorCode::kInvalidRequest);
    EXPECT_THAT(refused.error.message(), HasSubstr("half \\ud83d nul \\u0000 "));
    EXPECT_THAT(refused.error.message(), EndsWith("..."));
    EXPECT_EQ(refused.error.Find("fields"), "A\\u0000\\ud83d: \\u{FFFF} (B\\x01)");
    EXPECT_EQ(refused.error.Find("request_id"), "r\\xff\\x01");
    EXPECT_TRUE(IsStorableText(refused.error.ToString())) << refused.error.ToString();
  }
}

TEST(ClassifyResponseTest, ReadsTheHeaderWhenTheBodySaysNothing) {
  EXPECT_EQ(ClassifyResponse(
                Reply(400, "", {{"x-amzn-errortype", "ThrottlingException:http://internal/"}}))
                .error.code(),
            ErrorCode::kThrottled);
}

TEST(ClassifyResponseTest, ReadsTheXmlOfSts) {
  const ErrorResponse said =
      ClassifyResponse(Reply(403,
                             "<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>a "
                             "&lt;b&gt;</Message></Error></ErrorResponse>"));

  EXPECT_EQ(said.error.code(), ErrorCode::kUnauthenticated);
  EXPECT_TRUE(said.is_expired);
  EXPECT_NE(said.error.message().find("a <b>"), std::string::npos);
}

TEST(ClassifyResponseTest, AWebPageInsteadOfAnErrorIsJudgedByItsStatus) {
  EXPECT_EQ(ClassifyResponse(Reply(502, "<html><body>Bad gateway</body></html>")).error.code(),
            ErrorCode::kUnavailable);
}

TEST(ClassifyResponseTest, WhatAwsSaysCannotForgeLines) {
  const ErrorResponse said = ClassifyResponse(
      Reply(400, R"({"__type":"ValidationException","message":"a\nERROR forged"})"));

  EXPECT_EQ(said.error.message().find('\n'), std::string::npos);
}

ErrorResponse OfS3(int status, const std::string& body, net::Headers headers = {}) {
  return ClassifyResponse(Reply(status, body, std::move(headers)), Protocol::kRestXml, "us-east-1");
}

TEST(ClassifyS3Test, ReadsTheErrorAndBothIds) {
  const ErrorResponse said = OfS3(
      403,
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessDenied</Code><Message>not "
      "authorized</Message><RequestId>R1</RequestId><HostId>H1</HostId></Error>",
      {{"x-amz-request-id", "R1"}, {"x-amz-id-2", "H1"}});

  EXPECT_EQ(said.error.code(), ErrorCode::kPermissionDenied);
  EXPECT_EQ(said.error.Find("aws_error"), "AccessDenied");
  EXPECT_EQ(said.error.Find("request_id"), "R1");
  EXPECT_EQ(said.error.Find("host_id"), "H1");
}

TEST(ClassifyS3Test, TheCanonicalRequestOfARefusedSignatureIsNotKept) {
  const ErrorResponse said = OfS3(
      403,
      "<Error><Code>SignatureDoesNotMatch</Code><Message>differs</Message><StringToSign>s</"
      "StringToSign><CanonicalRequest>x-amz-security-token:IQoJSECRET</CanonicalRequest></Error>");

  EXPECT_EQ(said.error.code(), ErrorCode::kUnauthenticated);
  EXPECT_TRUE(said.is_skew);
  EXPECT_EQ(said.error.ToString().find("IQoJ"), std::string::npos);
}

TEST(ClassifyS3Test, ABucketOfAnotherRegionIsNamed) {
  const struct {
    int status;
    const char* body;
    net::Headers headers;
  } cases[] = {
      {301,
       "<Error><Code>PermanentRedirect</Code></Error>",
       {{"x-amz-bucket-region", "eu-west-1"}}},
      {301, "", {{"x-amz-bucket-region", "eu-west-1"}}},
      {307,
       "<Error><Code>TemporaryRedirect</Code></Error>",
       {{"x-amz-bucket-region", "eu-west-1"}}},
      {400,
       "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>",
       {}},
      {400, "", {{"x-amz-bucket-region", "eu-west-1"}}},
  };
  for (const auto& [status, body, headers] : cases) {
    const ErrorResponse said = OfS3(status, body, headers);
    EXPECT_EQ(said.error.code(), ErrorCode::kConfig) << status << body;
    EXPECT_EQ(said.error.Find("bucket_region"), "eu-west-1") << status << body;
  }
  // The header alone is not a reason: it is on refusals of any kind.
  EXPECT_EQ(OfS3(403, "", {{"x-amz-bucket-region", "eu-west-1"}}).error.code(),
            ErrorCode::kPermissionDenied);
  EXPECT_EQ(OfS3(400, "", {{"x-amz-bucket-region", "us-east-1"}}).error.Find("bucket_region"),
            std::nullopt);
}

TEST(ClassifyS3Test, KeysThatTheirSourceMayHaveReplacedAreAskedForAgain) {
  for (const char* type : {"InvalidAccessKeyId", "InvalidToken", "ExpiredToken",
                           "SignatureDoesNotMatch", "InvalidClientTokenId"}) {
    const ErrorResponse said = OfS3(403, std::string("<Error><Code>") + type + "</Code></Error>");
    EXPECT_TRUE(said.is_expired) << type;
    EXPECT_EQ(said.error.code(), ErrorCode::kUnauthenticated) << type;
  }
  EXPECT_FALSE(OfS3(403, "<Error><Code>AccessDenied</Code></Error>").is_expired);
}

TEST(ClassifyResponseTest, TheKeyOfAQueueIsThrottledDeniedOrMisconfigured) {
  const auto code = [](const char* type) {
    return ClassifyResponse(
               Reply(400, std::string(R"({"__type":"com.amazonaws.sqs#)") + type + "\"}"))
        .error.code();
  };
  EXPECT_EQ(code("KmsThrottled"), ErrorCode::kThrottled);
  EXPECT_EQ(code("KmsAccessDenied"), ErrorCode::kPermissionDenied);
  EXPECT_EQ(code("KmsDisabled"), ErrorCode::kPermissionDenied);
  EXPECT_EQ(code("KmsInvalidState"), ErrorCode::kConfig);
  EXPECT_EQ(code("KmsNotFound"), ErrorCode::kConfig);
}

TEST(ClassifyS3Test, AHeadThatWasRefusedIsJudgedByItsStatus) {
  EXPECT_EQ(OfS3(404, "").error.code(), ErrorCode::kNotFound);
  EXPECT_EQ(OfS3(403, "").error.code(), ErrorCode::kPermissionDenied);
  EXPECT_EQ(OfS3(503, "").error.code(), ErrorCode::kThrottled);
  EXPECT_EQ(OfS3(500, "").error.code(), ErrorCode::kUnavailable);
  EXPECT_TRUE(OfS3(400, "").is_expired) << "how S3 refuses an expired token";
  EXPECT_TRUE(OfS3(403, "").is_skew);
  EXPECT_TRUE(OfS3(403, "").is_expired) << "how S3 refuses a deleted key";
  EXPECT_FALSE(OfS3(404, "").is_skew || OfS3(404, "").is_expired);
}

TEST(ClassifyS3Test, AnErrorInsideA200IsTheError) {
  EXPECT_EQ(OfS3(200, "  <Error><Code>SlowDown</Code></Error>").error.code(),
            ErrorCode::kThrottled);
  EXPECT_EQ(OfS3(200, "<Error><Code>SomethingNew</Code></Error>").error.code(),
            ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace pcw::aws
