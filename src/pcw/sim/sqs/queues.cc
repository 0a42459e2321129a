#include "pcw/sim/sqs/queues.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/weak_digest.h"
#include "pcw/sim/draw.h"
#include "pcw/sim/events/event_source.h"
#include "pcw/sim/keys.h"

namespace pcw::sim {
namespace {

constexpr std::size_t kMostEntries = 10;
constexpr std::size_t kMostInFlight = 120'000;
constexpr std::int64_t kMostHandles = 400'000;

/// The attributes that can be set: default and bounds (docs/aws-facts.md 17).
struct SettableAttribute {
  std::string_view name;
  std::int64_t fallback, min, max;
};
constexpr SettableAttribute kSettable[] = {
    {"VisibilityTimeout", 30, 0, 43'200},
    {"MessageRetentionPeriod", 345'600, 60, 1'209'600},
    {"MaximumMessageSize", 1'048'576, 1'024, 1'048'576},
    {"DelaySeconds", 0, 0, 900},
    {"ReceiveMessageWaitTimeSeconds", 0, 0, 20},
};

SqsResult Refusal(std::string_view error, std::string message) {
  return {.document = {}, .error = std::string(error), .message = std::move(message)};
}

std::string Md5Of(std::string_view text) {
  std::string hex;
  for (const char byte : Md5(text)) hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return hex;
}

/// The digest of message attributes: names sorted, each name, type and value with its length.
std::string AttributesMd5(const Json& attributes) {
  std::string bytes;
  const auto add = [&bytes](std::string_view text) {
    for (int shift = 24; shift >= 0; shift -= 8)
      bytes += static_cast<char>((text.size() >> static_cast<unsigned>(shift)) & 0xffU);
    bytes += text;
  };
  for (const auto& [name, value] : attributes.items()) {
    add(name);
    add(value.value("DataType", ""));
    bytes += '\x01';
    add(value.value("StringValue", ""));
  }
  return Md5Of(bytes);
}

std::int64_t IntegerOf(const Json& object, const char* name, std::int64_t fallback) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>()
                                                             : fallback;
}

std::string TextOf(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// XML's characters only (docs/aws-facts.md 17).
bool IsBody(std::string_view text) {
  const bool has_control = std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r';
  });
  // U+FFFE and U+FFFF; surrogates cannot stand in what was read as UTF-8.
  return !has_control && text.find("\xef\xbf\xbe") == std::string_view::npos &&
         text.find("\xef\xbf\xbf") == std::string_view::npos;
}

bool HasXmlTexts(const Json& entry) {
  if (!IsBody(TextOf(entry, "MessageBody"))) return false;
  const Json attributes = entry.value("MessageAttributes", Json::object());
  return std::all_of(attributes.begin(), attributes.end(), [](const Json& value) {
    return !value.is_object() || IsBody(TextOf(value, "StringValue"));
  });
}

std::string ArnOf(std::string_view name) {
  return fmt::format("arn:aws:sqs:us-east-1:{}:{}", kAccount, name);
}

std::string MillisecondsOf(WallTime time) {
  return std::to_string(time.time_since_epoch().count() / 1000);
}

std::string MessageIdOf(std::uint64_t number) {
  const std::uint64_t high = Mix(0x737173, number);
  const std::uint64_t low = Mix(high);
  return fmt::format("{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}", high >> 32U, (high >> 16U) & 0xffffU,
                     high & 0xfffU, low >> 52U, low & 0xffffffffffffULL);
}

bool IsQueueName(std::string_view name) {
  return !name.empty() && name.size() <= 80 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

std::string NameIn(const std::string& url) { return url.substr(url.rfind('/') + 1); }

}  // namespace

std::int64_t SqsQueues::StoredQueue::Number(const std::string& name) const {
  std::int64_t value = 0;
  if (const auto set = attributes.find(name); set != attributes.end()) {
    std::from_chars(set->second.data(), set->second.data() + set->second.size(), value);
    return value;
  }
  for (const SettableAttribute& known : kSettable) {
    if (known.name == name) return known.fallback;
  }
  return value;
}

SqsQueues::SqsQueues() {
  StoredQueue& first = queues_[std::string(kFirstQueue)];
  first.attributes["MessageRetentionPeriod"] = "1209600";
  queues_[std::string(kEventsQueue)];
}

SqsResult SqsQueues::SetAttributes(StoredQueue& queue, const Json& attributes) const {
  for (const auto& [name, value] : attributes.items()) {
    const std::string text = value.is_string() ? value.get<std::string>() : "";
    const auto* known = std::find_if(std::begin(kSettable), std::end(kSettable),
                                     [&](const auto& row) { return row.name == name; });
    if (name == "RedrivePolicy" || name == "RedriveAllowPolicy" || name == "Policy") {
      if (name == "RedrivePolicy" && !text.empty()) {
        const Result<Json> policy = ParseJson(text);
        const bool is_whole = policy && policy->is_object() &&
                              policy->contains("deadLetterTargetArn") &&
                              policy->contains("maxReceiveCount");
        if (!is_whole ||
            !queues_.contains(TextOf(*policy, "deadLetterTargetArn").substr(ArnOf("").size())))
          return Refusal("InvalidAttributeValue", "Value for parameter RedrivePolicy is invalid.");
      }
      queue.attributes[name] = text;
      continue;
    }
    if (known == std::end(kSettable))
      return Refusal("InvalidAttributeName", fmt::format("Unknown Attribute {}.", name));
    std::int64_t number = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (problem != std::errc() || end != text.data() + text.size() || number < known->min ||
        number > known->max)
      return Refusal("InvalidAttributeValue",
                     fmt::format("Invalid value for the parameter {}.", name));
    queue.attributes[name] = text;
  }
  return {};
}

SqsResult SqsQueues::CreateQueue(const SqsCall& call) {
  const std::string name = TextOf(call.request, "QueueName");
  if (!IsQueueName(name)) {
    return Refusal("InvalidParameterValue",
                   "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in "
                   "length");
  }
  StoredQueue made;
  made.created_at = call.now;
  SqsResult set = SetAttributes(made, call.request.value("Attributes", Json::object()));
  if (!set.error.empty()) return set;
  const auto [found, is_new] = queues_.try_emplace(name, std::move(made));
  if (!is_new && call.request.contains("Attributes")) {
    for (const auto& [attribute, value] : call.request["Attributes"].items()) {
      const auto held = found->second.attributes.find(attribute);
      if (held == found->second.attributes.end() || held->second != value.get<std::string>())
        return Refusal("QueueNameExists",
                       "A queue already exists with the same name and a different value for "
                       "attribute " +
                           attribute);
    }
  }
  return {.document = {{"QueueUrl", fmt::format("{}/{}/{}", call.base_url, kAccount, name)}},
          .error = {},
          .message = {}};
}

SqsResult SqsQueues::GetAttributes(const StoredQueue& queue, const std::string& name,
                                   const SqsCall& call) {
  std::int64_t visible = 0;
  std::int64_t hidden = 0;
  std::int64_t delayed = 0;
  for (const auto& [number, message] : queue.messages) {
    std::int64_t& count =
        message.visible_at <= call.now ? visible : (message.receives == 0 ? delayed : hidden);
    ++count;
  }
  OrderedJson all{
      {"QueueArn", ArnOf(name)},
      {"ApproximateNumberOfMessages", std::to_string(visible)},
      {"ApproximateNumberOfMessagesNotVisible", std::to_string(hidden)},
      {"ApproximateNumberOfMessagesDelayed", std::to_string(delayed)},
      {"CreatedTimestamp", std::to_string(queue.created_at.time_since_epoch().count() / 1'000'000)},
      {"SqsManagedSseEnabled", "true"}};
  for (const SettableAttribute& known : kSettable)
    all[std::string(known.name)] = std::to_string(queue.Number(std::string(known.name)));
  for (const auto& [attribute, value] : queue.attributes) {
    if (!value.empty()) all[attribute] = value;
  }
  std::set<std::string> wanted;
  for (const Json& item : call.request.value("AttributeNames", Json::array()))
    wanted.insert(item.get<std::string>());
  SqsResult result;
  for (const auto& [attribute, value] : all.items()) {
    if (wanted.contains("All") || wanted.contains(attribute))
      result.document["Attributes"][attribute] = value;
  }
  return result;
}

SqsResult SqsQueues::SendOne(StoredQueue& queue, const Json& entry, WallTime now) {
  const std::string body = TextOf(entry, "MessageBody");
  const Json attributes = entry.value("MessageAttributes", Json::object());
  if (body.empty()) return Refusal("MissingParameter", "The request must contain MessageBody.");
  if (!IsBody(body))
    return Refusal("InvalidMessageContents", "Invalid binary character in the message body.");
  if (attributes.size() > kMostEntries)
    return Refusal("InvalidParameterValue", "Number of message attributes exceeds 10.");
  std::size_t size = body.size();
  for (const auto& [name, value] : attributes.items()) {
    const std::string type = TextOf(value, "DataType");
    const std::string text = TextOf(value, "StringValue");
    if (type.empty() || (text.empty() && !value.contains("BinaryValue"))) {
      return Refusal("InvalidParameterValue",
                     fmt::format("The message attribute '{}' must contain a non-empty value of its "
                                 "type.",
                                 name));
    }
    size += name.size() + type.size() + text.size();
  }
  if (size > static_cast<std::size_t>(queue.Number("MaximumMessageSize"))) {
    return Refusal("InvalidParameterValue",
                   fmt::format("One or more parameters are invalid. Reason: Message must be "
                               "shorter than {} bytes.",
                               queue.Number("MaximumMessageSize")));
  }
  const std::int64_t delay = IntegerOf(entry, "DelaySeconds", queue.Number("DelaySeconds"));
  if (delay < 0 || delay > 900)
    return Refusal("InvalidParameterValue", "Value for parameter DelaySeconds is invalid.");
  const std::uint64_t number = next_message_++;
  StoredMessage message;
  message.id = MessageIdOf(number);
  message.body = body;
  message.attributes = attributes;
  message.sent_at = now;
  message.visible_at = now + std::chrono::seconds(delay);
  SqsResult result;
  result.document["MessageId"] = message.id;
  result.document["MD5OfMessageBody"] = Md5Of(body);
  if (!attributes.empty()) result.document["MD5OfMessageAttributes"] = AttributesMd5(attributes);
  queue.messages.emplace(number, std::move(message));
  return result;
}

void SqsQueues::Expire(StoredQueue& queue, WallTime now) {
  const auto life = std::chrono::seconds(queue.Number("MessageRetentionPeriod"));
  std::erase_if(queue.messages,
                [&](const auto& item) { return item.second.sent_at + life <= now; });
}

// Moves a message that was received too often; true if it is gone from `queue`.
bool SqsQueues::Redrive(StoredQueue& queue, std::uint64_t number) {
  const auto policy_text = queue.attributes.find("RedrivePolicy");
  if (policy_text == queue.attributes.end() || policy_text->second.empty()) return false;
  const Result<Json> policy = ParseJson(policy_text->second);
  if (!policy) return false;
  const Json& most = (*policy)["maxReceiveCount"];
  const std::int64_t limit =
      most.is_string() ? std::atoll(most.get<std::string>().c_str()) : most.get<std::int64_t>();
  StoredMessage& message = queue.messages.at(number);
  if (message.receives < limit) return false;
  const auto target = queues_.find(TextOf(*policy, "deadLetterTargetArn").substr(ArnOf("").size()));
  if (target == queues_.end()) return false;
  // Its age counts from when it was first sent: SentTimestamp stays.
  message.receives = 0;
  message.receipt = 0;
  message.first_received_at.reset();
  message.visible_at = message.sent_at;
  target->second.messages.emplace(number, std::move(message));
  queue.messages.erase(number);
  return true;
}

SqsResult SqsQueues::Receive(StoredQueue& queue, const std::string& name, const SqsCall& call) {
  const std::int64_t most = IntegerOf(call.request, "MaxNumberOfMessages", 1);
  const std::int64_t hide =
      IntegerOf(call.request, "VisibilityTimeout", queue.Number("VisibilityTimeout"));
  const std::int64_t wait = IntegerOf(call.request, "WaitTimeSeconds", 0);
  if (most < 1 || most > 10) {
    return Refusal("InvalidParameterValue",
                   fmt::format("Value {} for parameter MaxNumberOfMessages is invalid. Reason: "
                               "Must be between 1 and 10, if provided.",
                               most));
  }
  if (hide < 0 || hide > 43'200 || wait < 0 || wait > 20)
    return Refusal("InvalidParameterValue", "VisibilityTimeout or WaitTimeSeconds is invalid.");
  if (call.faults.Find(FaultKind::kSqsEmptyReceive) != nullptr) return {};
  std::size_t in_flight = 0;
  std::vector<std::uint64_t> ready;
  for (const auto& [number, message] : queue.messages) {
    if (message.visible_at > call.now) {
      in_flight += message.receives > 0 ? 1 : 0;
    } else if (ready.size() < 1'000) {
      ready.push_back(number);
    }
  }
  if (in_flight >= kMostInFlight) return Refusal("OverLimit", "Too many messages in flight.");
  if (call.faults.Find(FaultKind::kSqsReorder) != nullptr) std::reverse(ready.begin(), ready.end());
  const bool is_doubled = call.faults.Find(FaultKind::kSqsDuplicate) != nullptr;
  std::set<std::string> system;
  for (const char* member : {"AttributeNames", "MessageSystemAttributeNames"}) {
    for (const Json& item : call.request.value(member, Json::array()))
      system.insert(item.get<std::string>());
  }
  std::set<std::string> named;
  for (const Json& item : call.request.value("MessageAttributeNames", Json::array()))
    named.insert(item.get<std::string>());
  SqsResult result;
  std::int64_t given = 0;
  for (const std::uint64_t number : ready) {
    if (given == most) break;
    if (Redrive(queue, number)) continue;
    StoredMessage& message = queue.messages.at(number);
    ++message.receives;
    if (!message.first_received_at) message.first_received_at = call.now;
    message.receipt = next_receipt_++;
    // A duplicate: it stays visible although somebody has it.
    if (!is_doubled) message.visible_at = call.now + std::chrono::seconds(hide);
    const std::string handle =
        fmt::format("AQEB{:016x}{:012x}", Mix(0x726370, message.receipt), message.receipt);
    handles_[handle] = {name, number, message.receipt};
    OrderedJson item{{"MessageId", message.id},
                     {"ReceiptHandle", handle},
                     {"MD5OfBody", Md5Of(message.body)},
                     {"Body", message.body}};
    const OrderedJson known{
        {"SenderId", "AIDAEXAMPLE"},
        {"SentTimestamp", MillisecondsOf(message.sent_at)},
        {"ApproximateReceiveCount", std::to_string(message.receives)},
        {"ApproximateFirstReceiveTimestamp", MillisecondsOf(*message.first_received_at)}};
    for (const auto& [attribute, value] : known.items()) {
      if (system.contains("All") || system.contains(attribute))
        item["Attributes"][attribute] = value;
    }
    Json shown = Json::object();
    for (const auto& [attribute, value] : message.attributes.items()) {
      if (named.contains("All") || named.contains(".*") || named.contains(attribute))
        shown[attribute] = value;
    }
    if (!shown.empty()) {
      item["MD5OfMessageAttributes"] = AttributesMd5(shown);
      item["MessageAttributes"] = OrderedJson(shown);
    }
    result.document["Messages"].push_back(std::move(item));
    ++given;
  }
  while (static_cast<std::int64_t>(handles_.size()) > kMostHandles)
    handles_.erase(handles_.begin());
  return result;
}

SqsResult SqsQueues::DeleteOne(StoredQueue& queue, const std::string& name, const Json& entry) {
  const auto found = handles_.find(TextOf(entry, "ReceiptHandle"));
  if (found == handles_.end() || found->second.queue != name)
    return Refusal("ReceiptHandleIsInvalid", "The input receipt handle is invalid.");
  const auto message = queue.messages.find(found->second.message);
  // An older handle is accepted and deletes nothing.
  if (message != queue.messages.end() && message->second.receipt == found->second.receipt)
    queue.messages.erase(message);
  return {};
}

SqsResult SqsQueues::HideOne(StoredQueue& queue, const std::string& name, const Json& entry,
                             WallTime now) {
  const auto found = handles_.find(TextOf(entry, "ReceiptHandle"));
  if (found == handles_.end() || found->second.queue != name)
    return Refusal("ReceiptHandleIsInvalid", "The input receipt handle is invalid.");
  const std::int64_t seconds = IntegerOf(entry, "VisibilityTimeout", -1);
  if (seconds < 0 || seconds > 43'200)
    return Refusal("InvalidParameterValue", "Value for parameter VisibilityTimeout is invalid.");
  const auto message = queue.messages.find(found->second.message);
  if (message == queue.messages.end() || message->second.receipt != found->second.receipt ||
      message->second.visible_at <= now)
    return Refusal("MessageNotInflight", "The message is not in flight.");
  message->second.visible_at = now + std::chrono::seconds(seconds);
  return {};
}

SqsResult SqsQueues::Batch(StoredQueue& queue, const std::string& name, const SqsCall& call) {
  const Json entries = call.request.value("Entries", Json::array());
  if (entries.empty()) return Refusal("EmptyBatchRequest", "There should be at least one entry.");
  if (entries.size() > kMostEntries) {
    return Refusal("TooManyEntriesInBatchRequest",
                   fmt::format("Maximum number of entries per request are 10. You have sent {}.",
                               entries.size()));
  }
  std::set<std::string> ids;
  std::size_t bytes = 0;
  for (const Json& entry : entries) {
    const std::string id = TextOf(entry, "Id");
    if (!IsQueueName(id))
      return Refusal("InvalidBatchEntryId",
                     "A batch entry id can only contain alphanumeric "
                     "characters, hyphens and underscores.");
    if (!ids.insert(id).second)
      return Refusal("BatchEntryIdsNotDistinct", fmt::format("Id {} repeated.", id));
    bytes += TextOf(entry, "MessageBody").size();
  }
  if (bytes > 1'048'576) {
    return Refusal("BatchRequestTooLong", "Batch requests cannot be longer than 1048576 bytes.");
  }
  // One character that XML does not have costs the whole batch, not its entry.
  const bool sends = call.operation == Operation::kSendMessageBatch;
  if (sends && !std::all_of(entries.begin(), entries.end(), HasXmlTexts))
    return Refusal("InvalidMessageContents", "Invalid binary character in the message body.");
  std::int64_t spoilt = 0;
  if (const FaultRule* rule = call.faults.Find(FaultKind::kSqsBatchFailure))
    spoilt = rule->Number("n");
  SqsResult result;
  result.document = {{"Successful", OrderedJson::array()}, {"Failed", OrderedJson::array()}};
  for (const Json& entry : entries) {
    SqsResult one;
    if (spoilt-- > 0) {
      one = Refusal("InternalError", "We encountered an internal error.");
    } else if (call.operation == Operation::kSendMessageBatch) {
      one = SendOne(queue, entry, call.now);
    } else if (call.operation == Operation::kDeleteMessageBatch) {
      one = DeleteOne(queue, name, entry);
    } else {
      one = HideOne(queue, name, entry, call.now);
    }
    OrderedJson answer{{"Id", entry["Id"]}};
    if (one.error.empty()) {
      answer.update(one.document);
      result.document["Successful"].push_back(std::move(answer));
    } else {
      answer["SenderFault"] = one.error != "InternalError";
      answer["Code"] = one.error;
      answer["Message"] = one.message;
      result.document["Failed"].push_back(std::move(answer));
    }
  }
  return result;
}

SqsResult SqsQueues::Execute(const SqsCall& call) {
  if (call.operation == Operation::kCreateQueue) return CreateQueue(call);
  if (call.operation == Operation::kListQueues) {
    SqsResult result;
    const std::string prefix = TextOf(call.request, "QueueNamePrefix");
    for (const auto& [name, queue] : queues_) {
      if (name.starts_with(prefix))
        result.document["QueueUrls"].push_back(
            fmt::format("{}/{}/{}", call.base_url, kAccount, name));
    }
    return result;
  }
  const bool is_by_name = call.operation == Operation::kGetQueueUrl;
  const std::string name =
      is_by_name ? TextOf(call.request, "QueueName") : NameIn(TextOf(call.request, "QueueUrl"));
  const auto found = queues_.find(name);
  if (found == queues_.end())
    return Refusal("QueueDoesNotExist", "The specified queue does not exist.");
  StoredQueue& queue = found->second;
  Expire(queue, call.now);
  switch (call.operation) {
    case Operation::kGetQueueUrl:
      return {.document = {{"QueueUrl", fmt::format("{}/{}/{}", call.base_url, kAccount, name)}},
              .error = {},
              .message = {}};
    case Operation::kGetQueueAttributes:
      return GetAttributes(queue, name, call);
    case Operation::kSetQueueAttributes:
      return SetAttributes(queue, call.request.value("Attributes", Json::object()));
    case Operation::kPurgeQueue:
      queue.messages.clear();
      return {};
    case Operation::kSendMessage:
      return SendOne(queue, call.request, call.now);
    case Operation::kReceiveMessage:
      return Receive(queue, name, call);
    case Operation::kDeleteMessage:
      return DeleteOne(queue, name, call.request);
    case Operation::kChangeMessageVisibility:
      return HideOne(queue, name, call.request, call.now);
    case Operation::kSendMessageBatch:
    case Operation::kDeleteMessageBatch:
    case Operation::kChangeMessageVisibilityBatch:
      return Batch(queue, name, call);
    default:
      return Refusal("UnsupportedOperation", "The simulator's SQS has no such operation.");
  }
}

}  // namespace pcw::sim
