#include "pcw/aws/queue_host.h"

#include <gmock/gmock.h>

namespace pcw::aws {
namespace {

using ::testing::Optional;

TEST(RegionOfQueueHostTest, NamesOfSqsTellTheirRegion) {
  EXPECT_THAT(RegionOfQueueHost("sqs.eu-west-1.amazonaws.com"), Optional(std::string("eu-west-1")));
  EXPECT_THAT(RegionOfQueueHost("SQS.EU-West-1.AmazonAWS.com"), Optional(std::string("eu-west-1")));
  EXPECT_THAT(RegionOfQueueHost("sqs.us-gov-west-1.amazonaws.com"),
              Optional(std::string("us-gov-west-1")));
  EXPECT_THAT(RegionOfQueueHost("sqs.cn-north-1.amazonaws.com.cn"),
              Optional(std::string("cn-north-1")));
  EXPECT_THAT(RegionOfQueueHost("eu-west-1.queue.amazonaws.com"),
              Optional(std::string("eu-west-1")));
  EXPECT_THAT(RegionOfQueueHost("queue.amazonaws.com"), Optional(std::string("us-east-1")));
  EXPECT_THAT(RegionOfQueueHost("sqs-fips.us-east-1.amazonaws.com"),
              Optional(std::string("us-east-1")));
  EXPECT_THAT(RegionOfQueueHost("sqs.us-east-1.api.aws"), Optional(std::string("us-east-1")));
  EXPECT_THAT(RegionOfQueueHost("sqs-fips.us-east-1.api.aws"), Optional(std::string("us-east-1")));
  EXPECT_THAT(RegionOfQueueHost("vpce-0ab1-cd2e.sqs.us-east-2.vpce.amazonaws.com"),
              Optional(std::string("us-east-2")));
}

TEST(RegionOfQueueHostTest, WhatCustomersOwnBelowAwsIsNone) {
  for (const char* host : {"evil.s3.amazonaws.com",
                           "sqs.s3.amazonaws.com",
                           "evil.execute-api.us-east-1.amazonaws.com",
                           "my-lb-1.us-east-1.elb.amazonaws.com",
                           "ec2-192-0-2-1.compute-1.amazonaws.com",
                           "sqs.us-east-1.s3.amazonaws.com",
                           "sqs.us-east-1.evilamazonaws.com",
                           "sqs.us-east-1.amazonaws.com.evil.test",
                           "amazonaws.com",
                           "sqs.amazonaws.com",
                           "x.sqs.us-east-1.amazonaws.com",
                           "sns.us-east-1.amazonaws.com",
                           "sqs..amazonaws.com",
                           "evil.sqs.us-east-1.vpce.amazonaws.com",
                           "sqs.us-east-1.amazonaws.com.",
                           "",
                           ".",
                           "sqs.evil.api.aws",
                           "127.0.0.1",
                           "sqs.us-east-1.amazonaws.cn"})
    EXPECT_EQ(RegionOfQueueHost(host), std::nullopt) << host;
}

}  // namespace
}  // namespace pcw::aws
