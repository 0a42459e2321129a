#include "pcw/aws/sqs.h"

#include <charconv>
#include <set>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/aws/queue_host.h"
#include "pcw/base/assert.h"
#include "pcw/base/json.h"
#include "pcw/base/storable_text.h"
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
  return Error(ErrorCode::kUnavailable, "SQS answered 200 with something that is not an object");
}

Error Malformed(const Json::exception& problem) {
  return Error(ErrorCode::kUnavailable,
               fmt::format("SQS's answer cannot be read: {}", problem.what()));
}

// A text member; empty if it is not there, or is none.
std::string TextOf(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// Every entry must be accounted for: a 200 can hold failures, and silence is one too (T12). What
// cannot be read, or is of an entry that nobody asked for, accounts for none; the entries that it
// does not take along are as good as SQS says. `md5_of` has what each sent body must have; empty =
// nothing was sent.
Result<BatchOutcome> ReadBatch(const CallResult& answer, const std::set<std::string>& asked,
                               const std::map<std::string, std::string>& md5_of) {
  PCW_TRY(const Json json, Parsed(answer));
  const auto entries = [&json](const char* name) {
    const auto found = json.find(name);
    return found != json.end() && found->is_array() ? *found : Json::array();
  };
  const auto has_id = [&asked](const Json& entry) {
    return entry.is_object() && asked.contains(TextOf(entry, "Id"));
  };
  std::map<std::string, FailedEntry> failed;
  BatchOutcome outcome;
  for (const Json& entry : entries("Failed")) {
    if (!has_id(entry)) continue;
    const auto fault = entry.find("SenderFault");
    failed[TextOf(entry, "Id")] = {
        .id = TextOf(entry, "Id"),
        .code = TextOf(entry, "Code"),
        .message = TextOf(entry, "Message"),
        .is_sender_fault = fault != entry.end() && fault->is_boolean() && fault->get<bool>()};
  }
  for (const Json& entry : entries("Successful")) {
    if (!has_id(entry)) continue;
    const std::string id = TextOf(entry, "Id");
    const auto md5 = md5_of.find(id);
    if (md5 != md5_of.end() && TextOf(entry, "MD5OfMessageBody") != md5->second) {
      failed[id] = {.id = id,
                    .code = "OtherBody",
                    .message = "SQS says that it took another body than was sent (MD5)",
                    .is_sender_fault = false};
    } else if (!failed.contains(id)) {
      outcome.done.emplace(id, TextOf(entry, "MessageId"));
    }
  }
  const std::size_t answered = outcome.done.size() + failed.size();
  if (answered == 0) {
    return Error(ErrorCode::kUnavailable,
                 fmt::format("SQS answered for none of {} entries", asked.size()));
  }
  for (const std::string& id : asked) {
    if (!outcome.done.contains(id) && !failed.contains(id))
      failed[id] = {.id = id,
                    .code = "NoAnswer",
                    .message = "SQS's answer does not say what became of this entry",
                    .is_sender_fault = false};
  }
  for (auto& [id, entry] : failed) outcome.failed.push_back(std::move(entry));
  return outcome;
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

namespace {

Result<BatchOutcome> SendOnce(Caller& caller, const std::string& url,
                              std::span<const OutgoingMessage> messages, std::stop_token stop) {
  OrderedJson request{{"QueueUrl", url}, {"Entries", OrderedJson::array()}};
  std::set<std::string> asked;
  std::map<std::string, std::string> md5_of;
  for (const OutgoingMessage& message : messages) {
    OrderedJson entry{{"Id", message.id}, {"MessageBody", message.body}};
    for (const auto& [attribute, value] : message.attributes) {
      if (!value.empty())
        entry["MessageAttributes"][attribute] = {{"DataType", "String"}, {"StringValue", value}};
    }
    request["Entries"].push_back(std::move(entry));
    asked.insert(message.id);
    md5_of.emplace(message.id, Md5Hex(message.body));
  }
  PCW_TRY(const CallResult answer, caller.Call(kSendMessageBatch, DumpJson(request), stop));
  return ReadBatch(answer, asked, md5_of);
}

// One entry can have the whole batch refused (a character that SQS does not take, a batch that is
// too long together): the half without it must arrive all the same.
Status SendHalving(Caller& caller, const std::string& url,
                   std::span<const OutgoingMessage> messages, BatchOutcome& outcome,
                   const std::stop_token& stop) {
  Result<BatchOutcome> sent = SendOnce(caller, url, messages, stop);
  if (sent) {
    outcome.done.merge(sent->done);
    outcome.failed.insert(outcome.failed.end(), sent->failed.begin(), sent->failed.end());
    return Ok{};
  }
  if (sent.error().code() != ErrorCode::kInvalidRequest) return std::move(sent).error();
  if (messages.size() == 1) {
    outcome.failed.push_back(
        {.id = messages.front().id,
         .code = std::string(sent.error().Find("aws_error").value_or("InvalidRequest")),
         .message = sent.error().message(),
         .is_sender_fault = true});
    return Ok{};
  }
  const std::size_t half = messages.size() / 2;
  PCW_TRY_OK(SendHalving(caller, url, messages.first(half), outcome, stop));
  return SendHalving(caller, url, messages.subspan(half), outcome, stop);
}

std::set<std::string> Places(std::size_t count) {
  std::set<std::string> places;
  for (std::size_t i = 0; i < count; ++i) places.insert(std::to_string(i));
  return places;
}

}  // namespace

Result<BatchOutcome> Queue::Send(const std::vector<OutgoingMessage>& messages,
                                 std::stop_token stop) {
  PCW_ASSERT(!messages.empty() && messages.size() <= kMostEntries);
  BatchOutcome outcome;
  PCW_TRY_OK(SendHalving(caller_, url_, messages, outcome, stop));
  return outcome;
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
  return ReadBatch(answer, Places(receipt_handles.size()), {});
}

Result<BatchOutcome> Queue::ChangeVisibility(const std::vector<std::string>& receipt_handles,
                                             int seconds, std::stop_token stop) {
  PCW_ASSERT(!receipt_handles.empty() && receipt_handles.size() <= kMostEntries);
  OrderedJson entries = HandleEntries(receipt_handles);
  for (OrderedJson& entry : entries) entry["VisibilityTimeout"] = seconds;
  const OrderedJson request{{"QueueUrl", url_}, {"Entries", std::move(entries)}};
  PCW_TRY(const CallResult answer,
          caller_.Call(kChangeMessageVisibilityBatch, DumpJson(request), stop));
  return ReadBatch(answer, Places(receipt_handles.size()), {});
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
  return TextOf(json, "QueueUrl");
}

}  // namespace pcw::aws::sqs
