#include "pcw/aws/sigv4.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "pcw/base/file.h"
#include "pcw/base/json.h"
#include "pcw/base/time.h"

namespace pcw::aws {
namespace {

Credentials Keys() {
  Credentials keys;
  keys.access_key_id = "AKIDEXAMPLE";
  keys.secret_access_key = Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
  return keys;
}

TEST(SigningKeyTest, IsTheChainOfTheDocumentation) {
  const SigningScope scope{"us-east-1", "iam", *ParseRfc3339("2015-08-30T12:36:00Z")};

  EXPECT_EQ(Hex(SigningKey("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", scope)),
            "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
}

TEST(SignHeadersTest, SignsTheDocumentedIamExample) {
  const SigningScope scope{"us-east-1", "iam", *ParseRfc3339("2015-08-30T12:36:00Z")};
  SigningRequest request;
  request.method = "GET";
  request.query = "Action=ListUsers&Version=2010-05-08";
  request.headers = {{"Host", "iam.amazonaws.com"},
                     {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}};
  const Credentials keys = Keys();

  const Signature signature =
      SignHeaders(request, keys, scope, SigningKey(keys.secret_access_key.Reveal(), scope));

  EXPECT_EQ(Sha256Hex(signature.canonical_request),
            "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59");
  EXPECT_EQ(signature.signature,
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
  EXPECT_EQ(signature.signed_headers, "content-type;host;x-amz-date");
}

Json Fixture(const std::string& name) {
  const Result<std::string> text =
      ReadFile(PCW_SOURCE_DIR "/tests/fixtures/sigv4/" + name, 1U << 20U);
  EXPECT_TRUE(text) << name;
  Result<Json> json = ParseJson(text ? *text : "[]");
  EXPECT_TRUE(json) << name;
  return json ? std::move(*json) : Json();
}

// tests/e2e/signer.test.mjs holds the AWS SDK for JavaScript to the same file.
TEST(SignHeadersTest, AgreesWithTheSignerOfTheJavaScriptSdk) {
  const Json cases = Fixture("cases.json");
  const Json expected = Fixture("expected.json");
  ASSERT_EQ(cases.size(), expected.size());
  ASSERT_GE(cases.size(), 7U);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const auto text = [&](const char* key) { return cases[i].value(key, std::string()); };
    SCOPED_TRACE(text("name"));
    const std::string method = text("method"), path = text("path"), query = text("query"),
                      body = text("body"), region = text("region"), service = text("service");
    SigningRequest request{
        .method = method, .path = path, .query = query, .headers = {}, .body = body};
    for (const auto& [name, value] : cases[i]["headers"].items())
      request.headers.emplace_back(name, value.get<std::string>());
    if (cases[i].value("s3", false)) {
      request.path_form = PathForm::kAsIs;
      request.payload_header = PayloadHeader::kAdd;
    }
    Credentials keys = Keys();
    if (cases[i].contains("session_token")) keys.session_token = Secret(text("session_token"));
    const SigningScope scope{region, service, *ParseRfc3339(text("time"))};

    const Signature signature =
        SignHeaders(request, keys, scope, SigningKey(keys.secret_access_key.Reveal(), scope));

    EXPECT_EQ(expected[i]["name"], text("name"));
    EXPECT_EQ(signature.added.back().first, "Authorization");
    EXPECT_EQ(signature.added.back().second, expected[i]["authorization"].get<std::string>())
        << signature.canonical_request;
  }
}

TEST(SignerTest, ARotatedSecretUnderTheSameIdSignsAnew) {
  Signer signer("us-east-1", "service");
  const WallTime now = *ParseRfc3339("2026-11-23T00:00:00Z");
  Credentials other = Keys();
  other.secret_access_key = Secret("another");

  const auto first = signer.Sign({}, Keys(), now).back().second;
  const auto second = signer.Sign({}, other, now).back().second;

  EXPECT_NE(first, second);
  EXPECT_EQ(first, signer.Sign({}, Keys(), now).back().second);
}

TEST(PercentEncodeTest, LeavesOnlyUnreservedCharacters) {
  EXPECT_EQ(PercentEncode("a-b.c_d~e/f g+h=\xc3\xa4"), "a-b.c_d~e%2Ff%20g%2Bh%3D%C3%A4");
  EXPECT_EQ(PercentEncode("a/b c", true), "a/b%20c");
}

}  // namespace
}  // namespace pcw::aws
