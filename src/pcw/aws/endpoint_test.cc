#include "pcw/aws/endpoint.h"

#include <gtest/gtest.h>

#include "fakes/result_matchers.h"
#include "pcw/aws/eventbridge.h"
#include "pcw/aws/partner_central_selling.h"
#include "pcw/aws/s3.h"
#include "pcw/aws/sqs.h"
#include "pcw/aws/sts.h"

namespace pcw::aws {
namespace {

using partner_central_selling::kService;

ProfileFiles Files(const char* config) {
  ProfileFiles files;
  const auto sections = *ParseIni(config, "config");
  for (const auto& [header, settings] : sections) {
    if (header == "default") files.profiles[header] = settings;
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

TEST(ResolveEndpointTest, AServiceOfOneRegionIsReachedAndSignedForThere) {
  const auto rule = ResolveEndpoint(kService, "eu-central-1", {}, {}, "default");
  EXPECT_EQ(rule->url, "https://partnercentral-selling.us-east-1.api.aws");
  EXPECT_EQ(rule->region, "us-east-1");
  EXPECT_EQ(ResolveEndpoint(kService, "eu-central-1", {{"AWS_ENDPOINT_URL", "https://x.example"}},
                            {}, "default")
                ->region,
            "us-east-1");
  EXPECT_EQ(ResolveEndpoint(sts::kService, "eu-central-1", {}, {}, "default")->region,
            "eu-central-1");
}

TEST(ResolveEndpointTest, FollowsFipsAndDualStackAsBotocoresRulesDo) {
  struct {
    const ServiceDef& service;
    const char* fips;
    const char* dual_stack;
    const char* both;
  } const recorded[] = {
      {kService, "partnercentral-selling-fips.us-east-1.api.aws",
       "partnercentral-selling.us-east-1.api.aws", "partnercentral-selling-fips.us-east-1.api.aws"},
      {sts::kService, "sts-fips.us-east-1.amazonaws.com", "sts.us-east-1.api.aws",
       "sts-fips.us-east-1.api.aws"},
      {s3::kService, "s3-fips.us-east-1.amazonaws.com", "s3.dualstack.us-east-1.amazonaws.com",
       "s3-fips.dualstack.us-east-1.amazonaws.com"},
      {sqs::kService, "sqs-fips.us-east-1.amazonaws.com", "sqs.us-east-1.api.aws",
       "sqs-fips.us-east-1.api.aws"},
      {eventbridge::kService, "events-fips.us-east-1.amazonaws.com", "events.us-east-1.api.aws",
       "events-fips.us-east-1.api.aws"},
  };
  for (const auto& [service, fips, dual_stack, both] : recorded) {
    const auto url = [&, &of = service](const Environment& environment, const char* config) {
      return ResolveEndpoint(of, "us-east-1", environment, Files(config), "default")->url.substr(8);
    };
    EXPECT_EQ(url({{"AWS_USE_FIPS_ENDPOINT", "True"}}, ""), fips);
    EXPECT_EQ(url({}, "[default]\nuse_fips_endpoint = true\n"), fips);
    EXPECT_EQ(url({{"AWS_USE_FIPS_ENDPOINT", "false"}}, "[default]\nuse_fips_endpoint = true\n"),
              url({}, ""));
    EXPECT_EQ(url({{"AWS_USE_DUALSTACK_ENDPOINT", "true"}}, ""), dual_stack);
    EXPECT_EQ(url({{"AWS_USE_DUALSTACK_ENDPOINT", "true"}, {"AWS_USE_FIPS_ENDPOINT", "true"}}, ""),
              both);
  }
  EXPECT_EQ(ResolveEndpoint(s3::kService, "eu-west-1", {},
                            Files("[default]\ns3 =\n  use_dualstack_endpoint = true\n"), "default")
                ->url,
            "https://s3.dualstack.eu-west-1.amazonaws.com");
}

TEST(ResolveEndpointTest, ConfiguredEndpointsAreIgnoredInEverySpellingOfTrueFromBothPlaces) {
  const Environment everywhere{{"AWS_ENDPOINT_URL", "https://all.example"}};
  for (const char* word : {"true", "True", "TRUE"}) {
    Environment environment = everywhere;
    environment["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = word;
    EXPECT_EQ(ResolveEndpoint(sts::kService, "x", environment, {}, "default")->origin,
              "AWS's rule");
    const std::string config =
        std::string("[default]\nignore_configured_endpoint_urls = ") + word + "\n";
    EXPECT_EQ(
        ResolveEndpoint(sts::kService, "x", everywhere, Files(config.c_str()), "default")->origin,
        "AWS's rule");
  }
}

TEST(ResolveEndpointTest, AMistakeNeverRepeatsTheText) {
  for (const char* url :
       {"https://user:s3cret@x", "wJalrs3cret", "https://x/s3cret", "http://example.com/s3cret"}) {
    const auto got = ResolveEndpoint(kService, "x", {{"AWS_ENDPOINT_URL", url}}, {}, "default");
    ASSERT_THAT(got, FailsWith(ErrorCode::kConfig)) << url;
    EXPECT_EQ(got.error().message().find("s3cret"), std::string::npos) << got.error().message();
    EXPECT_NE(got.error().message().find("AWS_ENDPOINT_URL"), std::string::npos);
  }
}

}  // namespace
}  // namespace pcw::aws
