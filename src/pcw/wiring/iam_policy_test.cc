#include "pcw/wiring/iam_policy.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "fakes/result_matchers.h"

namespace pcw::wiring {
namespace {

config::Config Configured() {
  config::Config config;
  config.aws.region = "us-east-1";
  config.partner_central.catalog = "Sandbox";
  config.partner_central.entities = {"opportunities"};
  return config;
}

OrderedJson StatementNamed(const OrderedJson& policy, std::string_view sid) {
  for (const OrderedJson& statement : policy.at("Statement"))
    if (statement.at("Sid") == sid) return statement;
  return {};
}

TEST(IamPolicyTest, NamesTheOperationsOfTheConfiguredEntitiesAndTheirCatalog) {
  const auto policy = MakeIamPolicy(Configured());

  ASSERT_THAT(policy, Succeeds());
  ASSERT_EQ(policy->at("Statement").size(), 1U);
  const OrderedJson& read = policy->at("Statement").at(0);
  EXPECT_EQ(read.at("Action"), OrderedJson::parse(R"(["partnercentral:GetOpportunity",
                                                      "partnercentral:ListOpportunities"])"));
  EXPECT_EQ(read.at("Condition").dump(),
            R"({"StringEquals":{"partnercentral:Catalog":"Sandbox"}})");
}

TEST(IamPolicyTest, LeadsAddTheirSourcesAndNoWrite) {
  config::Config config = Configured();
  config.partner_central.entities = {"leads"};

  const auto policy = MakeIamPolicy(config);

  ASSERT_THAT(policy, Succeeds());
  EXPECT_EQ(policy->at("Statement").at(0).at("Action"),
            OrderedJson::parse(R"(["partnercentral:GetEngagement",
              "partnercentral:GetEngagementInvitation", "partnercentral:ListEngagementInvitations",
              "partnercentral:ListEngagements"])"));
}

TEST(IamPolicyTest, ABucketIsListedAndItsBronzeReadAndAddedToAndNeverDeleted) {
  config::Config config = Configured();
  config.lake.url = "s3://pcw-lake-dev/team";
  config.lake.sse_kms_key_id = "alias/pcw";

  const auto policy = MakeIamPolicy(config);

  ASSERT_THAT(policy, Succeeds());
  EXPECT_EQ(StatementNamed(*policy, "FindBronze").at("Resource"), "arn:aws:s3:::pcw-lake-dev");
  const OrderedJson bronze = StatementNamed(*policy, "ReadAndAddBronze");
  EXPECT_EQ(bronze.at("Resource"), "arn:aws:s3:::pcw-lake-dev/team/bronze/*");
  EXPECT_EQ(bronze.dump().find("Delete"), std::string::npos);
  const OrderedJson encrypt = StatementNamed(*policy, "EncryptBronze");
  EXPECT_EQ(encrypt.at("Resource"), "arn:aws:kms:us-east-1:*:key/*");
  EXPECT_EQ(encrypt.at("Condition").dump(),
            R"({"ForAnyValue:StringEquals":{"kms:ResourceAliases":"alias/pcw"}})");
}

TEST(IamPolicyTest, AQueueIsNamedByItsUrl) {
  config::Config config = Configured();
  config.dlq.url = "https://sqs.eu-west-1.amazonaws.com/123456789012/pcw-dlq";

  const auto policy = MakeIamPolicy(config);

  ASSERT_THAT(policy, Succeeds());
  EXPECT_EQ(StatementNamed(*policy, "DeadLetters").at("Resource"),
            "arn:aws:sqs:eu-west-1:123456789012:pcw-dlq");
}

TEST(IamPolicyTest, EventsAreReceivedAndDeletedAndNeverSent) {
  config::Config config = Configured();
  config.events.url = "https://sqs.us-east-1.amazonaws.com/123456789012/pcw-events";

  const auto policy = MakeIamPolicy(config);

  ASSERT_THAT(policy, Succeeds());
  const OrderedJson events = StatementNamed(*policy, "ReceiveEvents");
  EXPECT_EQ(events.at("Resource"), "arn:aws:sqs:us-east-1:123456789012:pcw-events");
  EXPECT_EQ(events.at("Action"), OrderedJson::parse(R"(["sqs:DeleteMessage",
                                   "sqs:GetQueueAttributes", "sqs:ReceiveMessage"])"));
  EXPECT_TRUE(StatementNamed(*policy, "DeadLetters").is_null());
}

TEST(IamPolicyTest, ABusTakesEventsByNameOrArnAndAWebhookNeedsNothing) {
  config::Config config = Configured();
  config.events.out.url = "eventbridge:orders";
  const auto named = MakeIamPolicy(config);
  ASSERT_THAT(named, Succeeds());
  EXPECT_EQ(StatementNamed(*named, "TellChanges").at("Resource"),
            "arn:aws:events:us-east-1:*:event-bus/orders");
  EXPECT_EQ(StatementNamed(*named, "TellChanges").at("Action"),
            OrderedJson::parse(R"(["events:PutEvents"])"));

  config.events.out.url = "eventbridge:arn:aws:events:eu-west-1:123456789012:event-bus/orders";
  const auto by_arn = MakeIamPolicy(config);
  ASSERT_THAT(by_arn, Succeeds());
  EXPECT_EQ(StatementNamed(*by_arn, "TellChanges").at("Resource"),
            "arn:aws:events:eu-west-1:123456789012:event-bus/orders");

  config.events.out.url = "https://hooks.example.com/pcw";
  const auto webhook = MakeIamPolicy(config);
  ASSERT_THAT(webhook, Succeeds());
  EXPECT_TRUE(StatementNamed(*webhook, "TellChanges").is_null());
}

TEST(IamPolicyTest, AUrlWithoutAQueueIsRefused) {
  config::Config config = Configured();
  config.dlq.url = "https://sqs.eu-west-1.amazonaws.com/";

  EXPECT_THAT(MakeIamPolicy(config), FailsWith(ErrorCode::kConfig));
}

}  // namespace
}  // namespace pcw::wiring
