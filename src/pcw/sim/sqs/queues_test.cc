#include "pcw/sim/sqs/queues.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace pcw::sim {
namespace {

class SqsQueuesTest : public ::testing::Test {
 protected:
  SqsResult Do(Operation operation, Json request, const FaultDecision& faults = {}) {
    if (!request.contains("QueueUrl")) request["QueueUrl"] = "http://h/123456789012/pcw-dlq";
    return queues_.Execute({.operation = operation,
                            .request = request,
                            .faults = faults,
                            .now = now_,
                            .base_url = "http://h"});
  }
  OrderedJson ReceiveOne() {
    const SqsResult got =
        Do(Operation::kReceiveMessage, {{"AttributeNames", {"All"}}, {"VisibilityTimeout", 30}});
    return got.document.contains("Messages") ? got.document["Messages"][0] : OrderedJson();
  }

  WallTime now_{std::chrono::hours(24 * 365 * 50)};
  SqsQueues queues_;
};

TEST_F(SqsQueuesTest, AReceivedMessageIsHiddenUntilItsTimeoutAndCountsItsReceives) {
  Do(Operation::kSendMessage, {{"MessageBody", "a"}});

  const OrderedJson first = ReceiveOne();
  const OrderedJson hidden = ReceiveOne();
  now_ += std::chrono::seconds(30);
  const OrderedJson again = ReceiveOne();

  EXPECT_EQ(first["Attributes"]["ApproximateReceiveCount"], "1");
  EXPECT_TRUE(hidden.is_null());
  EXPECT_EQ(again["MessageId"], first["MessageId"]);
  EXPECT_EQ(again["Attributes"]["ApproximateReceiveCount"], "2");
}

TEST_F(SqsQueuesTest, AnOlderReceiptHandleIsAcceptedAndDeletesNothing) {
  Do(Operation::kSendMessage, {{"MessageBody", "a"}});
  const OrderedJson first = ReceiveOne();
  now_ += std::chrono::seconds(31);
  const OrderedJson second = ReceiveOne();

  const SqsResult stale =
      Do(Operation::kDeleteMessage, {{"ReceiptHandle", first["ReceiptHandle"]}});
  now_ += std::chrono::seconds(31);
  const OrderedJson third = ReceiveOne();
  Do(Operation::kDeleteMessage, {{"ReceiptHandle", third["ReceiptHandle"]}});
  now_ += std::chrono::seconds(31);

  EXPECT_EQ(stale.error, "");
  EXPECT_EQ(third["MessageId"], second["MessageId"]);
  EXPECT_TRUE(ReceiveOne().is_null());
}

TEST_F(SqsQueuesTest, ARedriveKeepsIdAndSentTimestamp) {
  Do(Operation::kCreateQueue,
     {{"QueueName", "events"},
      {"Attributes",
       {{"RedrivePolicy",
         R"({"deadLetterTargetArn":"arn:aws:sqs:us-east-1:123456789012:pcw-dlq","maxReceiveCount":1})"}}}});
  const Json events{{"QueueUrl", "http://h/123456789012/events"}};
  Json send = events;
  send["MessageBody"] = "a";
  const SqsResult sent = Do(Operation::kSendMessage, send);
  Do(Operation::kReceiveMessage, events);
  now_ += std::chrono::seconds(31);

  const SqsResult gone = Do(Operation::kReceiveMessage, events);
  const OrderedJson moved = ReceiveOne();

  EXPECT_FALSE(gone.document.contains("Messages"));
  EXPECT_EQ(moved["MessageId"], sent.document["MessageId"]);
  EXPECT_EQ(moved["Attributes"]["SentTimestamp"],
            std::to_string((now_ - std::chrono::seconds(31)).time_since_epoch().count() / 1000));
}

TEST_F(SqsQueuesTest, BatchesAnswerEntryByEntryAndRefuseWhatIsTooMuch) {
  Json eleven{{"Entries", Json::array()}};
  for (int i = 0; i < 11; ++i)
    eleven["Entries"].push_back({{"Id", std::to_string(i)}, {"MessageBody", "x"}});

  const SqsResult refused = Do(Operation::kSendMessageBatch, eleven);
  const SqsResult mixed = Do(Operation::kSendMessageBatch,
                             {{"Entries",
                               {{{"Id", "a"}, {"MessageBody", "x"}},
                                {{"Id", "b"}, {"MessageBody", "x"}, {"DelaySeconds", 901}}}}});

  EXPECT_EQ(refused.error, "TooManyEntriesInBatchRequest");
  EXPECT_EQ(mixed.document["Successful"][0]["Id"], "a");
  EXPECT_EQ(mixed.document["Failed"][0]["Code"], "InvalidParameterValue");
}

TEST_F(SqsQueuesTest, OneCharacterThatXmlDoesNotHaveCostsTheWholeBatch) {
  for (const char* body : {"\x01", "a\xef\xbf\xbf", "\xef\xbf\xbe"}) {
    const SqsResult refused = Do(
        Operation::kSendMessageBatch,
        {{"Entries", {{{"Id", "a"}, {"MessageBody", "x"}}, {{"Id", "b"}, {"MessageBody", body}}}}});
    EXPECT_EQ(refused.error, "InvalidMessageContents");
  }
  EXPECT_TRUE(ReceiveOne().is_null());
}

TEST_F(SqsQueuesTest, MessagesEndWithTheirRetention) {
  Do(Operation::kSendMessage, {{"MessageBody", "a"}});
  now_ += std::chrono::hours(24 * 14);

  EXPECT_TRUE(ReceiveOne().is_null());
}

}  // namespace
}  // namespace pcw::sim
