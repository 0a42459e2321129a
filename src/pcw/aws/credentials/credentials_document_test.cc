#include "pcw/aws/credentials/credentials_document.h"

#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/result_matchers.h"

namespace pcw::aws {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ParseCredentialsDocumentTest, NamesWhatIsMissingAndQuotesNothing) {
  const std::pair<const char*, const char*> cases[] = {
      {"very-secret", "not a JSON object"},
      {R"({"AccessKeyId":"A"})", "SecretAccessKey"},
      {R"({"SecretAccessKey":"very-secret"})", "AccessKeyId"},
      {R"({"AccessKeyId":"A","SecretAccessKey":"very-secret","Expiration":"soon"})", "Expiration"},
      {R"({"AccessKeyId":"A","SecretAccessKey":7})", "SecretAccessKey"},
  };
  for (const auto& [text, expected] : cases) {
    const auto got = ParseCredentialsDocument(text, "here");
    ASSERT_THAT(got, FailsWith(ErrorCode::kUnauthenticated)) << text;
    EXPECT_THAT(got.error().ToString(), HasSubstr(expected)) << text;
    EXPECT_THAT(got.error().ToString(), Not(HasSubstr("very-secret"))) << text;
  }
}

}  // namespace
}  // namespace pcw::aws
