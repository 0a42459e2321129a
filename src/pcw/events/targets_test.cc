#include "pcw/events/targets.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "fakes/fake_http.h"
#include "fakes/fake_time.h"
#include "fakes/result_matchers.h"
#include "pcw/aws/credentials/static_credentials.h"
#include "pcw/aws/eventbridge.h"
#include "pcw/base/json.h"
#include "pcw/base/time.h"

namespace pcw::events {
namespace {

using std::chrono::milliseconds;

std::vector<OutgoingEvent> Outgoing(int count, std::size_t bytes = 20) {
  std::vector<OutgoingEvent> events;
  for (int i = 0; i < count; ++i) {
    events.push_back({.id = i,
                      .claim = 1,
                      .event_id = "e" + std::to_string(i),
                      .type = "com.pcw.opportunity.updated",
                      .source = "/pcw",
                      .body = R"({"x":")" + std::string(bytes, 'x') + "\"}",
                      .time = WallTime(std::chrono::seconds(1'795'424'400)),
                      .attempts = 1});
  }
  return events;
}

class WebhookTargetTest : public ::testing::Test {
 protected:
  SendReport SendTo(int status, net::Headers headers = {}) {
    http.script = {net::Reply(status, "", std::move(headers))};
    http.sent.clear();
    WebhookTarget target({.url = "https://hooks.example.com/pcw", .secret = Secret("shh")}, http,
                         clock);
    return target.Send(Outgoing(1), {});
  }

  net::FakeHttpClient http;
  FakeClock clock;
};

TEST_F(WebhookTargetTest, SendsTheEventSignedAndAnyTwoHundredIsDelivery) {
  const SendReport report = SendTo(204);

  ASSERT_EQ(report.outcomes.size(), 1U);
  EXPECT_EQ(report.outcomes[0].delivery, Delivery::kDelivered);
  const net::HttpRequest& sent = http.sent.front();
  EXPECT_EQ(sent.method, "POST");
  EXPECT_EQ(net::FindHeader(sent.headers, "Content-Type"),
            "application/cloudevents+json; charset=utf-8");
  EXPECT_EQ(net::FindHeader(sent.headers, "X-Pcw-Signature"),
            WebhookSignature(Secret("shh"), clock.Now(), sent.body));
}

TEST_F(WebhookTargetTest, WhatIsNoTwoHundredIsTriedAgain) {
  for (const int status : {301, 400, 401, 404, 410, 422, 429, 500, 503}) {
    const SendReport report = SendTo(status);
    EXPECT_EQ(report.outcomes[0].delivery, Delivery::kTryAgain) << status;
    EXPECT_EQ(report.outcomes[0].error, "the webhook answered " + std::to_string(status));
    EXPECT_EQ(report.is_target_trouble, status != 400 && status != 422) << status;
  }
}

TEST_F(WebhookTargetTest, RestsAsLongAsItIsTold) {
  EXPECT_EQ(SendTo(429, {{"Retry-After", "7"}}).rest, milliseconds(7'000));
  EXPECT_EQ(SendTo(503, {{"Retry-After", "999999999"}}).rest, milliseconds(3'600'000));
  EXPECT_EQ(SendTo(410).rest, milliseconds(3'600'000));
  EXPECT_EQ(SendTo(429).rest, std::nullopt);
  EXPECT_EQ(SendTo(500, {{"Retry-After", "7"}}).rest, std::nullopt);
}

class BusTargetTest : public ::testing::Test {
 protected:
  SendReport SendTo(const std::vector<OutgoingEvent>& events, int status, const std::string& body) {
    http.script = {net::Reply(status, body)};
    http.sent.clear();
    aws::CallerOptions options;
    options.endpoint = "http://127.0.0.1:8000";
    options.user_agent = "pcw/test";
    aws::Caller caller(aws::eventbridge::kService, {http, credentials, gate, clock, sleeper, rng},
                       options);
    BusTarget target("orders", caller);
    return target.Send(events, {});
  }

  net::FakeHttpClient http;
  FakeClock clock;
  FakeSleeper sleeper{clock};
  FakeRng rng;
  aws::OpenQuotaGate gate;
  aws::StaticCredentialsProvider credentials{Keys()};

 private:
  static aws::Credentials Keys() {
    aws::Credentials keys;
    keys.access_key_id = "AKIA";
    keys.secret_access_key = Secret("s");
    return keys;
  }
};

TEST_F(BusTargetTest, EachEntryHasItsOwnFate) {
  const SendReport report = SendTo(
      Outgoing(4), 200,
      R"({"FailedEntryCount":3,"Entries":[{"EventId":"1"},{"ErrorCode":"ThrottlingException","ErrorMessage":"m"},)"
      R"({"ErrorCode":"InternalFailure"},{"ErrorCode":"MalformedDetail","ErrorMessage":"m"}]})");

  std::vector<Delivery> fates;
  for (const DeliveryOutcome& outcome : report.outcomes) fates.push_back(outcome.delivery);
  EXPECT_THAT(fates, ::testing::ElementsAre(Delivery::kDelivered, Delivery::kTryAgain,
                                            Delivery::kTryAgain, Delivery::kRefused));
  EXPECT_EQ(report.outcomes[3].error, "MalformedDetail: m");
  EXPECT_FALSE(report.is_target_trouble);
  const Json request = ParseJson(http.sent.front().body).value();
  ASSERT_EQ(request["Entries"].size(), 4U);
  EXPECT_EQ(request["Entries"][0]["EventBusName"], "orders");
  EXPECT_EQ(request["Entries"][0]["Time"], 1'795'424'400);
  EXPECT_EQ(request["Entries"][0]["Detail"], Outgoing(1)[0].body);
}

TEST_F(BusTargetTest, AnAnswerThatDoesNotAccountForEveryEntryIsNone) {
  const SendReport report = SendTo(Outgoing(2), 200, R"({"Entries":[{"EventId":"1"}]})");
  for (const DeliveryOutcome& outcome : report.outcomes)
    EXPECT_EQ(outcome.delivery, Delivery::kTryAgain);
  EXPECT_TRUE(report.is_target_trouble);
}

TEST_F(BusTargetTest, ABusThatDoesNotExistIsTroubleOfTheTarget) {
  const SendReport report =
      SendTo(Outgoing(1), 400, R"({"__type":"ResourceNotFoundException","message":"no bus"})");
  EXPECT_EQ(report.outcomes[0].delivery, Delivery::kTryAgain);
  EXPECT_TRUE(report.is_target_trouble);
}

TEST_F(BusTargetTest, WhatIsTooLargeTogetherWaitsAndWhatIsTooLargeAloneIsRefused) {
  std::vector<OutgoingEvent> events = Outgoing(2, 150'000);
  events.push_back(Outgoing(1, 300'000).front());
  const SendReport report = SendTo(events, 200, R"({"Entries":[{"EventId":"1"}]})");
  EXPECT_EQ(report.outcomes[0].delivery, Delivery::kDelivered);
  EXPECT_EQ(report.outcomes[1].delivery, Delivery::kTryAgain);
  EXPECT_EQ(report.outcomes[2].delivery, Delivery::kRefused);
}

TEST(RetryPauseTest, DoublesUpToFiveMinutesAndIsHalfRandom) {
  FakeRng zeros(0);
  FakeRng half;
  EXPECT_EQ(RetryPause(1, zeros), milliseconds(500));
  EXPECT_EQ(RetryPause(1, half), milliseconds(750));
  EXPECT_EQ(RetryPause(4, half), milliseconds(6'000));
  EXPECT_EQ(RetryPause(1'000, half), milliseconds(225'000));
}

TEST(WebhookSignatureTest, IsAnHmacOfTimeAndBody) {
  // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac key
  EXPECT_EQ(
      WebhookSignature(Secret("key"), WallTime(std::chrono::seconds(1'700'000'000)), R"({"a":1})"),
      "t=1700000000,v1=a438e398bfafc57e4396bb7fc2304422f0f768e965d073ca313cb52e22e6ad03");
}

}  // namespace
}  // namespace pcw::events
