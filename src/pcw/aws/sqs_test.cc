#include "pcw/aws/sqs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "fakes/fake_http.h"
#include "fakes/fake_time.h"
#include "fakes/result_matchers.h"
#include "pcw/aws/credentials/static_credentials.h"
#include "pcw/base/json.h"

namespace pcw::aws::sqs {
namespace {

using net::Reply;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;

constexpr const char* kMd5OfA = "0cc175b9c0f1b6a831c399e269772661";

class QueueTest : public ::testing::Test {
 protected:
  static Credentials Keys() {
    Credentials keys;
    keys.access_key_id = "AKID";
    keys.secret_access_key = Secret("secret");
    return keys;
  }
  static CallerOptions Options() {
    CallerOptions options;
    options.endpoint = "http://127.0.0.1:9000";
    options.user_agent = "pcw/test";
    return options;
  }
  // Messages named so, all with the body "a".
  Result<BatchOutcome> Send(const std::vector<std::string>& ids) {
    std::vector<OutgoingMessage> messages;
    for (const std::string& id : ids) messages.push_back({.id = id, .body = "a", .attributes = {}});
    return queue.Send(messages, {});
  }
  static std::string Taken(const std::vector<std::string>& ids) {
    OrderedJson answer{{"Successful", OrderedJson::array()}};
    for (const std::string& id : ids) {
      answer["Successful"].push_back(
          {{"Id", id}, {"MessageId", "m-" + id}, {"MD5OfMessageBody", kMd5OfA}});
    }
    return DumpJson(answer);
  }

  net::FakeHttpClient http;
  FakeClock clock;
  FakeSleeper sleeper{clock};
  FakeRng rng;
  StaticCredentialsProvider credentials{Keys()};
  OpenQuotaGate gate;
  Caller caller{kService, {http, credentials, gate, clock, sleeper, rng}, Options()};
  Queue queue{caller, "http://127.0.0.1:9000/1/q"};
};

TEST_F(QueueTest, AnotherBodyThanWasSentFailsThatEntryAlone) {
  http.script = {Reply(200, R"({"Successful":[{"Id":"1","MessageId":"m","MD5OfMessageBody":"00"},)"
                            R"({"Id":"2","MessageId":"m-2","MD5OfMessageBody":")" +
                                std::string(kMd5OfA) + R"("}]})")};

  const auto sent = Send({"1", "2"});

  ASSERT_THAT(sent, Succeeds());
  EXPECT_THAT(sent->done, ElementsAre(Key("2")));
  ASSERT_EQ(sent->failed.size(), 1U);
  EXPECT_EQ(sent->failed[0].id, "1");
  EXPECT_EQ(sent->failed[0].code, "OtherBody");
}

TEST_F(QueueTest, AnEntryThatTheAnswerIsSilentAboutHasFailed) {
  http.script = {Reply(200, Taken({"1"}))};

  const auto sent = Send({"1", "2"});

  ASSERT_THAT(sent, Succeeds());
  EXPECT_THAT(sent->done, ElementsAre(Key("1")));
  ASSERT_EQ(sent->failed.size(), 1U);
  EXPECT_EQ(sent->failed[0].code, "NoAnswer");
}

TEST_F(QueueTest, AnswersThatMakeNoSenseAreAnOutageAndNoFaultOfOurs) {
  for (const char* body :
       {R"({"Successful":[{"Id":null}]})", R"({"Successful":[{"Id":7}]})",
        R"({"Successful":[null]})", R"({"Successful":{"Id":"1"}})", R"({"Successful":"1"})",
        R"({"Successful":[{"Id":"other"}]})", "{}", "[]", "7"}) {
    http.script = {Reply(200, body)};
    EXPECT_THAT(Send({"1"}), FailsWith(ErrorCode::kUnavailable)) << body;
    EXPECT_THAT(queue.Delete({"handle"}, {}), FailsWith(ErrorCode::kUnavailable)) << body;
  }
}

TEST_F(QueueTest, ABatchThatIsRefusedWholeIsHalvedDownToTheEntryThatIsNotTaken) {
  const auto refusal = Reply(
      400,
      R"({"__type":"com.amazonaws.sqs#InvalidMessageContents","message":"Invalid character."})");
  // 1 2 3 4, then 1 2, then 3 4, then 3, then 4.
  http.script = {refusal, Reply(200, Taken({"1", "2"})), refusal, refusal,
                 Reply(200, Taken({"4"}))};

  const auto sent = Send({"1", "2", "3", "4"});

  ASSERT_THAT(sent, Succeeds());
  EXPECT_THAT(sent->done, ElementsAre(Key("1"), Key("2"), Key("4")));
  ASSERT_EQ(sent->failed.size(), 1U);
  EXPECT_EQ(sent->failed[0].id, "3");
  EXPECT_EQ(sent->failed[0].code, "InvalidMessageContents");
  EXPECT_TRUE(sent->failed[0].is_sender_fault);
  EXPECT_EQ(http.sent.size(), 5U);
}

TEST_F(QueueTest, WhatIsNotAboutTheEntriesIsNotHalved) {
  http.script = {Reply(403, R"({"__type":"AccessDeniedException","message":"no"})")};

  EXPECT_THAT(Send({"1", "2"}), FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_EQ(http.sent.size(), 1U);
}

TEST_F(QueueTest, AQueueUrlThatIsNoTextIsNone) {
  http.script = {Reply(200, R"({"QueueUrl":null})")};
  const auto url = GetQueueUrl(caller, "q", {});
  EXPECT_EQ(url ? *url : std::string(), "");
}

}  // namespace
}  // namespace pcw::aws::sqs
