#include "pcw/aws/endpoint.h"

#include <gtest/gtest.h>

#include "fakes/result_matchers.h"
#include "pcw/aws/partner_central_selling.h"
#include "pcw/aws/sts.h"

namespace pcw::aws {
namespace {

using partner_central_selling::kService;

ProfileFiles Files(const char* config) {
  ProfileFiles files;
  const auto sections = *ParseIni(config, "config");
  for (const auto& [header, settings] : sections) {
    if (header == "default") files.profiles[header] = settings;
    if (header.starts_with("profile ")) files.profiles[header.substr(8)] = settings;
    if (header.starts_with("services ")) files.services[header.substr(9)] = settings;
  }
  return files;
}

TEST(ResolveEndpointTest, FollowsAwsRuleWithoutOverrides) {
  EXPECT_EQ(ResolveEndpoint(kService, "us-east-1", {}, {}, "default")->url,
            "https://partnercentral-selling.us-east-1.api.aws");
  EXPECT_EQ(ResolveEndpoint(sts::kService, "eu-west-1", {}, {}, "default")->url,
            "https://sts.eu-west-1.amazonaws.com");
}

TEST(ResolveEndpointTest, TakesOverridesInAwsOrder) {
  const ProfileFiles files = Files(
      "[default]\nservices = local\nendpoint_url = https://profile.example\n[services "
      "local]\npartnercentral_selling =\n  endpoint_url = https://services.example\n");
  Environment environment{{"AWS_ENDPOINT_URL_PARTNERCENTRAL_SELLING", "https://own.example/"},
                          {"AWS_ENDPOINT_URL", "https://all.example"}};

  EXPECT_EQ(ResolveEndpoint(kService, "us-east-1", environment, files, "default")->url,
            "https://own.example");
  environment.erase("AWS_ENDPOINT_URL_PARTNERCENTRAL_SELLING");
  EXPECT_EQ(ResolveEndpoint(kService, "us-east-1", environment, files, "default")->url,
            "https://all.example");
  environment.erase("AWS_ENDPOINT_URL");
  EXPECT_EQ(ResolveEndpoint(kService, "us-east-1", environment, files, "default")->url,
            "https://services.example");
  EXPECT_EQ(ResolveEndpoint(sts::kService, "us-east-1", environment, files, "default")->url,
            "https://profile.example");
  environment["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "true";
  EXPECT_EQ(ResolveEndpoint(kService, "us-east-1", environment, files, "default")->origin,
            "AWS's rule");
}

TEST(ResolveEndpointTest, RefusesWhatWouldSendSignedCallsInTheClearOrElsewhere) {
  for (const char* url : {"http://10.0.0.1", "http://example.com", "ftp://x", "https://user:pw@x",
                          "https://x/path?q=1", "https://", "http://127.0.0.1.evil.example"}) {
    EXPECT_THAT(ResolveEndpoint(kService, "us-east-1", {{"AWS_ENDPOINT_URL", url}}, {}, "default"),
                FailsWith(ErrorCode::kConfig))
        << url;
  }
  for (const char* url :
       {"http://127.0.0.1:8000", "http://localhost:1", "http://[::1]:8000", "https://10.0.0.1"}) {
    EXPECT_THAT(ResolveEndpoint(kService, "us-east-1", {{"AWS_ENDPOINT_URL", url}}, {}, "default"),
                Succeeds())
        << url;
  }
}

TEST(ResolveEndpointTest, NamesTheRegionAServiceIsOfferedIn) {
  const auto got = ResolveEndpoint(kService, "eu-west-1", {}, {}, "default");

  ASSERT_THAT(got, FailsWith(ErrorCode::kConfig));
  EXPECT_NE(got.error().message().find("us-east-1"), std::string::npos);
}

TEST(ParseIniTest, NamesFileAndLine) {
  EXPECT_EQ(ParseIni("[default]\nbroken\n", "f").error().message(), "f:2: expected key = value");
  EXPECT_EQ(ParseIni("x = 1\n", "f").error().message(),
            "f:1: a setting before the first [section]");
  EXPECT_EQ(ParseIni("[a\n", "f").error().message(), "f:1: a section header without ]");
}

}  // namespace
}  // namespace pcw::aws
