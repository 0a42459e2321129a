#include "pcw/aws/error_response.h"

#include <gtest/gtest.h>

#include "fakes/fake_http.h"

namespace pcw::aws {
namespace {

using net::Reply;

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

TEST(ClassifyResponseTest, TakesTheTypeAfterTheNamespaceAndTheFieldsOfAValidation) {
  const ErrorResponse said = ClassifyResponse(Reply(
      400, R"({"__type":"com.amazonaws.partnercentralselling#ValidationException","Message":"bad",
      "ErrorList":[{"FieldName":"Project.Title","Message":"too long","Code":"INVALID_VALUE"}]})",
      {{"x-amzn-RequestId", "r-1"}}));

  EXPECT_EQ(said.type, "ValidationException");
  EXPECT_EQ(said.error.Find("fields"), "Project.Title: too long (INVALID_VALUE)");
  EXPECT_EQ(said.error.Find("request_id"), "r-1");
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

}  // namespace
}  // namespace pcw::aws
