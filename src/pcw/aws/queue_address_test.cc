#include <gtest/gtest.h>

#include "fakes/result_matchers.h"
#include "pcw/aws/sqs.h"

namespace pcw::aws::sqs {
namespace {

const Endpoint kRule{"https://sqs.us-east-1.amazonaws.com", "AWS's rule", "us-east-1"};

TEST(AddressQueueTest, EveryFormOfAnAwsHostIsSignedForItsRegion) {
  const struct {
    const char* url;
    const char* endpoint;
    const char* region;
  } cases[] = {
      {"https://sqs.eu-west-1.amazonaws.com/123456789012/q", "https://sqs.eu-west-1.amazonaws.com",
       "eu-west-1"},
      {"https://SQS.EU-West-1.amazonaws.com/123456789012/Q", "https://sqs.eu-west-1.amazonaws.com",
       "eu-west-1"},
      {"https://sqs-fips.us-gov-west-1.amazonaws.com/1/q",
       "https://sqs-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"},
      {"https://sqs.eu-west-1.api.aws/1/q", "https://sqs.eu-west-1.api.aws", "eu-west-1"},
      {"https://sqs-fips.us-east-2.api.aws/1/q", "https://sqs-fips.us-east-2.api.aws", "us-east-2"},
      {"https://vpce-0a1b2c-3d4e.sqs.eu-central-1.vpce.amazonaws.com/1/q",
       "https://vpce-0a1b2c-3d4e.sqs.eu-central-1.vpce.amazonaws.com", "eu-central-1"},
      {"https://vpce-0a1b2c-3d4e-eu-central-1a.sqs.eu-central-1.vpce.amazonaws.com/1/q",
       "https://vpce-0a1b2c-3d4e-eu-central-1a.sqs.eu-central-1.vpce.amazonaws.com",
       "eu-central-1"},
      {"https://eu-west-1.queue.amazonaws.com/1/q", "https://eu-west-1.queue.amazonaws.com",
       "eu-west-1"},
      {"https://queue.amazonaws.com/1/q", "https://queue.amazonaws.com", "us-east-1"},
      {"https://sqs.cn-north-1.amazonaws.com.cn/1/q", "https://sqs.cn-north-1.amazonaws.com.cn",
       "cn-north-1"},
  };
  for (const auto& [url, endpoint, region] : cases) {
    const auto address = AddressQueue(url, kRule, false, "us-west-2");
    ASSERT_THAT(address, Succeeds()) << url;
    EXPECT_EQ(address->endpoint, endpoint);
    EXPECT_EQ(address->region, region) << url;
  }
}

TEST(AddressQueueTest, NoOtherHostGetsSignedCalls) {
  for (const char* url :
       {"https://sqs.eu-west-1.amazonaws.com.evil.example/1/q", "https://evil.example/1/q",
        "https://sqs.evil.amazonaws.com/1/q", "https://bucket.s3.eu-west-1.amazonaws.com/1/q",
        "http://sqs.eu-west-1.amazonaws.com/1/q", "https://sqs.eu-west-1.amazonaws.com:8443/1/q",
        "https://sqs.eu-west-1.amazonaws.com/q",
        "https://vpce-1.s3.eu-west-1.vpce.amazonaws.com/1/q"})
    EXPECT_THAT(AddressQueue(url, kRule, false, "us-west-2"), FailsWith(ErrorCode::kConfig)) << url;
}

TEST(AddressQueueTest, AConfiguredEndpointBeatsTheHostButNotItsRegion) {
  const auto address =
      AddressQueue("https://sqs.eu-west-1.amazonaws.com/1/q",
                   {"http://127.0.0.1:9", "AWS_ENDPOINT_URL_SQS", "us-east-1"}, true, "us-east-1");
  EXPECT_EQ(address->endpoint, "http://127.0.0.1:9");
  EXPECT_EQ(address->region, "eu-west-1");
}

}  // namespace
}  // namespace pcw::aws::sqs
