#include "pcw/aws/sqs.h"

#include <charconv>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/aws/queue_host.h"
#include "pcw/base/assert.h"
#include "pcw/base/json.h"
#include "pcw/base/weak_digest.h"
#include "pcw/net/url.h"

namespace pcw::aws::sqs {
namespace {

std::string Md5Hex(std::string_view body) {
  std::string hex;
  for (const char byte : Md5(body)) hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return hex;
}

std::int64_t NumberOf(const Json& object, const char* name) {
  const std::string text = object.value(name, std::string("0"));
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// The answer as an object; reading its members may throw.
Result<Json> Parsed(const CallResult& answer) {
  if (answer.body.empty()) return Json::object();
  PCW_TRY(Json json, ParseJson(answer.body));
  if (json.is_object()) return json;
  return Error(ErrorCode::kUnavailable, "SQS answered 200 with something that is no object");
}

Error Malformed(const Json::exception& problem) {
  return Error(ErrorCode::kUnavailable,
               fmt::format("SQS's answer cannot be read: {}", problem.what()));
}

// Every entry must be accounted for: a 200 can hold failures, and silence is one too (T12).
Result<BatchOutcome> ReadBatch(const CallResult& answer, std::size_t asked) {
  PCW_TRY(const Json json, Parsed(answer));
  BatchOutcome outcome;
  try {
    for (const Json& entry : json.value("Successful", Json::array()))
      outcome.done.emplace(entry.at("Id").get<std::string>(), entry.value("MessageId", ""));
    for (const Json& entry : json.value("Failed", Json::array())) {
      outcome.failed.push_back({.id = entry.at("Id").get<std::string>(),
                                .code = entry.value("Code", ""),
                                .message = entry.value("Message", ""),
                                .is_sender_fault = entry.value("SenderFault", false)});
    }
  } catch (const Json::exception& problem) {
    return Malformed(problem);
  }
  if (outcome.done.size() + outcome.failed.size() == asked) return outcome;
  return Error(ErrorCode::kUnavailable,
               fmt::format("SQS answered for {} of {} entries",
                           outcome.done.size() + outcome.failed.size(), asked));
}

}  // namespace

Result<QueueAddress> AddressQueue(std::string_view queue_url, const Endpoint& configured,
                                  bool is_override, const std::string& region) {
  PCW_TRY(const net::Url url, net::ParseUrl(queue_url));
  const std::size_t name = url.path.rfind('/');
  if (name == 0 || name + 1 == url.path.size()) {
    return Error(ErrorCode::kConfig,
                 fmt::format("{} is not a queue URL; expected "
                             "https://sqs.<region>.amazonaws.com/<account>/<name>",
                             net::ShownUrl(queue_url)));
  }
  std::optional<std::string> named = RegionOfQueueHost(url.host);
  const bool is_aws = named && url.scheme == "https" && url.authority == url.host;
  QueueAddress address{.endpoint = configured.url, .region = region};
  if (is_aws) address.region = std::move(*named);
  if (is_override) return address;
  if (!is_aws) {
    return Error(
        ErrorCode::kConfig,
        fmt::format("the host of the queue URL, {}, is none of SQS's; for another endpoint "
                    "set AWS_ENDPOINT_URL_SQS",
                    url.host));
  }
  address.endpoint = "https://" + url.authority;
  return address;
}

Result<BatchOutcome> Queue::Send(const std::vector<OutgoingMessage>& messages,
                                 std::stop_token stop) {
  PCW_ASSERT(!messages.empty() && messages.size() <= kMostEntries);
  OrderedJson request{{"QueueUrl", url_}, {"Entries", OrderedJson::array()}};
  for (const OutgoingMessage& message : messages) {
    OrderedJson entry{{"Id", message.id}, {"MessageBody", message.body}};
    for (const auto& [attribute, value] : message.attributes) {
      if (!value.empty())
        entry["MessageAttributes"][attribute] = {{"DataType", "String"}, {"StringValue", value}};
    }
    request["Entries"].push_back(std::move(entry));
  }
  PCW_TRY(const CallResult answer, caller_.Call(kSendMessageBatch, DumpJson(request), stop));
  PCW_TRY(const Json json, Parsed(answer));
  for (const Json& entry : json.value("Successful", Json::array())) {
    for (const OutgoingMessage& message : messages) {
      if (entry.value("Id", "") != message.id) continue;
      if (entry.value("MD5OfMessageBody", "") != Md5Hex(message.body))
        return Error(ErrorCode::kUnavailable, "SQS took another body than was sent (MD5)");
    }
  }
  return ReadBatch(answer, messages.size());
}

Result<std::vector<Message>> Queue::Receive(int most, int visibility_seconds, int wait_seconds,
                                            std::stop_token stop) {
  const OrderedJson request{{"QueueUrl", url_},
                            {"MaxNumberOfMessages", most},
                            {"VisibilityTimeout", visibility_seconds},
                            {"WaitTimeSeconds", wait_seconds},
                            {"AttributeNames", {"All"}},
                            {"MessageAttributeNames", {"All"}}};
  PCW_TRY(const CallResult answer, caller_.Call(kReceiveMessage, DumpJson(request), stop));
  PCW_TRY(const Json json, Parsed(answer));
  std::vector<Message> messages;
  try {
    for (const Json& item : json.value("Messages", Json::array())) {
      Message message{.message_id = item.at("MessageId").get<std::string>(),
                      .receipt_handle = item.at("ReceiptHandle").get<std::string>(),
                      .body = item.value("Body", ""),
                      .attributes = {}};
      if (item.value("MD5OfBody", "") != Md5Hex(message.body)) continue;
      const Json system = item.value("Attributes", Json::object());
      message.receive_count = NumberOf(system, "ApproximateReceiveCount");
      message.sent_at_ms = NumberOf(system, "SentTimestamp");
      const Json own = item.value("MessageAttributes", Json::object());
      for (const auto& [name, value] : own.items())
        message.attributes.emplace(name, value.value("StringValue", ""));
      messages.push_back(std::move(message));
    }
  } catch (const Json::exception& problem) {
    return Malformed(problem);
  }
  return messages;
}

namespace {

OrderedJson HandleEntries(const std::vector<std::string>& receipt_handles) {
  OrderedJson entries = OrderedJson::array();
  for (std::size_t i = 0; i < receipt_handles.size(); ++i)
    entries.push_back({{"Id", std::to_string(i)}, {"ReceiptHandle", receipt_handles[i]}});
  return entries;
}

}  // namespace

Result<BatchOutcome> Queue::Delete(const std::vector<std::string>& receipt_handles,
                                   std::stop_token stop) {
  PCW_ASSERT(!receipt_handles.empty() && receipt_handles.size() <= kMostEntries);
  const OrderedJson request{{"QueueUrl", url_}, {"Entries", HandleEntries(receipt_handles)}};
  PCW_TRY(const CallResult answer, caller_.Call(kDeleteMessageBatch, DumpJson(request), stop));
  return ReadBatch(answer, receipt_handles.size());
}

Result<BatchOutcome> Queue::ChangeVisibility(const std::vector<std::string>& receipt_handles,
                                             int seconds, std::stop_token stop) {
  PCW_ASSERT(!receipt_handles.empty() && receipt_handles.size() <= kMostEntries);
  OrderedJson entries = HandleEntries(receipt_handles);
  for (OrderedJson& entry : entries) entry["VisibilityTimeout"] = seconds;
  const OrderedJson request{{"QueueUrl", url_}, {"Entries", std::move(entries)}};
  PCW_TRY(const CallResult answer,
          caller_.Call(kChangeMessageVisibilityBatch, DumpJson(request), stop));
  return ReadBatch(answer, receipt_handles.size());
}

Result<QueueAttributes> Queue::Attributes(std::stop_token stop) {
  const OrderedJson request{{"QueueUrl", url_}, {"AttributeNames", {"All"}}};
  PCW_TRY(const CallResult answer, caller_.Call(kGetQueueAttributes, DumpJson(request), stop));
  PCW_TRY(const Json json, Parsed(answer));
  try {
    const Json& values = json.at("Attributes");
    return QueueAttributes{.messages = NumberOf(values, "ApproximateNumberOfMessages"),
                           .in_flight = NumberOf(values, "ApproximateNumberOfMessagesNotVisible"),
                           .retention_seconds = NumberOf(values, "MessageRetentionPeriod"),
                           .visibility_seconds = NumberOf(values, "VisibilityTimeout"),
                           .largest_message = NumberOf(values, "MaximumMessageSize"),
                           .arn = values.value("QueueArn", ""),
                           .redrive_policy = values.value("RedrivePolicy", "")};
  } catch (const Json::exception& problem) {
    return Malformed(problem);
  }
}

Result<std::string> GetQueueUrl(Caller& caller, std::string_view name, std::stop_token stop) {
  PCW_TRY(const CallResult answer,
          caller.Call(kGetQueueUrl, DumpJson(OrderedJson{{"QueueName", name}}), stop));
  PCW_TRY(const Json json, Parsed(answer));
  return json.value("QueueUrl", std::string());
}

}  // namespace pcw::aws::sqs
