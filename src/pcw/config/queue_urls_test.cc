#include "pcw/config/queue_urls.h"

#include <gmock/gmock.h>

namespace pcw::config {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::map<std::string, std::string> kNoFiles{
    {"AWS_CONFIG_FILE", "/nonexistent/config"}, {"AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/c"}};

TEST(QueueUrlProblemTest, OnlyHostsOfSqsAreQueues) {
  for (const char* good : {"https://sqs.us-east-1.amazonaws.com/123456789012/pcw",
                           "https://vpce-0ab.sqs.us-east-1.vpce.amazonaws.com/123456789012/pcw"})
    EXPECT_THAT(QueueUrlProblem(good, kNoFiles, ""), IsEmpty()) << good;
  for (const char* bad :
       {"http://sqs.us-east-1.amazonaws.com/123456789012/pcw",
        "https://sqs.us-east-1.amazonaws.com:8443/123456789012/pcw",
        "https://evil.s3.amazonaws.com/123456789012/pcw", "https://queue.example.com/1/q",
        "http://127.0.0.1:4566/123456789012/pcw"})
    EXPECT_THAT(QueueUrlProblem(bad, kNoFiles, ""), HasSubstr("is not a host of SQS")) << bad;
}

TEST(QueueUrlProblemTest, AConfiguredEndpointAnswersForAnotherHost) {
  auto environment = kNoFiles;
  environment["AWS_ENDPOINT_URL_SQS"] = "http://127.0.0.1:4566";
  EXPECT_THAT(QueueUrlProblem("http://127.0.0.1:4566/123456789012/pcw", environment, ""),
              IsEmpty());
}

TEST(BusProblemTest, ABusIsANameOrItsArn) {
  for (const char* good :
       {"default", "partner.events/x-1", "arn:aws:events:eu-west-1:123456789012:event-bus/default",
        "arn:aws-us-gov:events:us-gov-west-1:123456789012:event-bus/a/b"})
    EXPECT_THAT(BusProblem(good), IsEmpty()) << good;
  for (const char* bad :
       {"", "a b", "events.us-east-1.amazonaws.com", "https://events.us-east-1.amazonaws.com",
        "arn:aws:events:eu-west-1:123456789012:rule/x", "arn:aws:sqs:eu-west-1:123456789012:q",
        "arn:aws:events:eu-west-1:12345:event-bus/x", "arn:aws:events::123456789012:event-bus/x",
        "arn:aws:events:eu-west-1:123456789012:event-bus/",
        "arn:evil:events:r:123456789012:event-bus/x"})
    EXPECT_THAT(BusProblem(bad), HasSubstr("expected eventbridge:")) << bad;
}

TEST(WebhookProblemTest, EndpointsOfAwsTakeNoWebhooks) {
  EXPECT_THAT(WebhookProblem("https://hooks.example.com/pcw"), IsEmpty());
  EXPECT_THAT(WebhookProblem("https://events.us-east-1.amazonaws.com/"), HasSubstr("eventbridge:"));
  EXPECT_THAT(WebhookProblem("https://sqs.us-east-1.amazonaws.com/1/q"), HasSubstr("SQS"));
}

}  // namespace
}  // namespace pcw::config
