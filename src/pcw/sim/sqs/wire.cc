#include "pcw/sim/sqs/wire.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/xml_text.h"
#include "pcw/sim/sts/sts.h"

namespace pcw::sim {
namespace {

using net::server::Request;

constexpr std::string_view kTargetPrefix = "AmazonSQS.";
constexpr std::string_view kVersion = "2012-11-05";
/// A batch of the largest messages, percent-encoded.
constexpr std::size_t kMostQueryBytes = 4U << 20U;

bool IsNumber(std::string_view member) {
  return member == "MaxNumberOfMessages" || member == "VisibilityTimeout" ||
         member == "WaitTimeSeconds" || member == "DelaySeconds" || member == "MaxResults";
}

/// Names of lists and maps in the query protocol, and the members they are in the JSON one.
struct FormMember {
  std::string_view form, json;
  bool is_map = false;  ///< N.Name and N.Value
};
constexpr FormMember kLists[] = {{"AttributeName", "AttributeNames"},
                                 {"MessageSystemAttributeName", "MessageSystemAttributeNames"},
                                 {"MessageAttributeName", "MessageAttributeNames"},
                                 {"Attribute", "Attributes", true},
                                 {"MessageAttribute", "MessageAttributes", true},
                                 {"SendMessageBatchRequestEntry", "Entries"},
                                 {"DeleteMessageBatchRequestEntry", "Entries"},
                                 {"ChangeMessageVisibilityBatchRequestEntry", "Entries"}};

const FormMember* ListNamed(std::string_view name) {
  const auto* found = std::find_if(std::begin(kLists), std::end(kLists),
                                   [&](const FormMember& list) { return list.form == name; });
  return found == std::end(kLists) ? nullptr : found;
}

Json Scalar(std::string_view member, const std::string& text) {
  std::int64_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_whole = problem == std::errc() && end == text.data() + text.size();
  return IsNumber(member) && is_whole ? Json(number) : Json(text);
}

/// The members below `prefix` as a JSON object: "Name.N", "Name.N.Name", "Entry.N.Member".
Json ReadMembers(const FormFields& form, const std::string& prefix);

Json ReadList(const FormFields& form, const std::string& prefix, const FormMember& list) {
  Json items = list.is_map ? Json::object() : Json::array();
  for (int i = 1; i <= 50; ++i) {
    const std::string at = fmt::format("{}{}.{}", prefix, list.form, i);
    if (const auto plain = form.find(at); plain != form.end()) {
      items.push_back(plain->second);
      continue;
    }
    const auto next = form.lower_bound(at + ".");
    if (next == form.end() || !next->first.starts_with(at + ".")) break;
    if (!list.is_map) {
      items.push_back(ReadMembers(form, at + "."));
      continue;
    }
    const auto name = form.find(at + ".Name");
    if (name == form.end()) break;
    if (const auto value = form.find(at + ".Value"); value != form.end()) {
      items[name->second] = value->second;
    } else {
      items[name->second] = ReadMembers(form, at + ".Value.");
    }
  }
  return items;
}

Json ReadMembers(const FormFields& form, const std::string& prefix) {
  Json object = Json::object();
  for (auto field = form.lower_bound(prefix);
       field != form.end() && field->first.starts_with(prefix); ++field) {
    const std::string_view rest = std::string_view(field->first).substr(prefix.size());
    const std::string_view head = rest.substr(0, rest.find('.'));
    if (const FormMember* list = ListNamed(head); list != nullptr && rest != head) {
      if (!object.contains(list->json))
        object[std::string(list->json)] = ReadList(form, prefix, *list);
    } else if (rest == head) {
      object[std::string(head)] = Scalar(head, field->second);
    }
  }
  return object;
}

// The same document as XML: lists flattened, under the names that the query protocol has.
std::string_view ElementOf(std::string_view member, Operation operation) {
  if (member == "Messages") return "Message";
  if (member == "QueueUrls") return "QueueUrl";
  if (member == "Failed") return "BatchResultErrorEntry";
  if (member != "Successful") return member;
  if (operation == Operation::kSendMessageBatch) return "SendMessageBatchResultEntry";
  return operation == Operation::kDeleteMessageBatch ? "DeleteMessageBatchResultEntry"
                                                     : "ChangeMessageVisibilityBatchResultEntry";
}

std::string XmlOf(const OrderedJson& object, Operation operation);

std::string XmlValue(const OrderedJson& value, Operation operation) {
  if (value.is_object()) return XmlOf(value, operation);
  return XmlEscape(value.is_string() ? value.get<std::string>() : value.dump());
}

std::string XmlOf(const OrderedJson& object, Operation operation) {
  std::string xml;
  for (const auto& [member, value] : object.items()) {
    if (member == "Attributes" || member == "MessageAttributes") {
      const std::string_view element = member == "Attributes" ? "Attribute" : "MessageAttribute";
      for (const auto& [name, item] : value.items()) {
        xml += fmt::format("<{0}><Name>{1}</Name><Value>{2}</Value></{0}>", element,
                           XmlEscape(name), XmlValue(item, operation));
      }
      continue;
    }
    const std::string_view element = ElementOf(member, operation);
    if (value.is_array()) {
      for (const OrderedJson& item : value)
        xml += fmt::format("<{0}>{1}</{0}>", element, XmlValue(item, operation));
    } else {
      xml += fmt::format("<{0}>{1}</{0}>", element, XmlValue(value, operation));
    }
  }
  return xml;
}

/// What errors were called before the JSON protocol.
std::string LegacyCode(const std::string& error) {
  if (error == "QueueDoesNotExist") return "AWS.SimpleQueueService.NonExistentQueue";
  if (error == "QueueNameExists") return "QueueAlreadyExists";
  for (const std::string_view name :
       {"EmptyBatchRequest", "TooManyEntriesInBatchRequest", "BatchEntryIdsNotDistinct",
        "BatchRequestTooLong", "InvalidBatchEntryId", "UnsupportedOperation",
        "MessageNotInflight"}) {
    if (error == name) return fmt::format("AWS.SimpleQueueService.{}", name);
  }
  return error;
}

constexpr Operation kSqsOperations[] = {Operation::kCreateQueue,
                                        Operation::kListQueues,
                                        Operation::kGetQueueUrl,
                                        Operation::kGetQueueAttributes,
                                        Operation::kSetQueueAttributes,
                                        Operation::kPurgeQueue,
                                        Operation::kSendMessage,
                                        Operation::kSendMessageBatch,
                                        Operation::kReceiveMessage,
                                        Operation::kDeleteMessage,
                                        Operation::kDeleteMessageBatch,
                                        Operation::kChangeMessageVisibility,
                                        Operation::kChangeMessageVisibilityBatch};

bool IsSqsOperation(Operation operation) {
  return std::find(std::begin(kSqsOperations), std::end(kSqsOperations), operation) !=
         std::end(kSqsOperations);
}

}  // namespace

bool IsSqs(const Request& request) {
  if (request.method != "POST") return false;
  if (const auto target = request.Header("X-Amz-Target")) return target->starts_with(kTargetPrefix);
  return request.Header("Content-Type")
             .value_or("")
             .starts_with("application/x-www-form-urlencoded") &&
         request.body.find("Version=2012-11-05") != std::string::npos;
}

SqsRequest ReadSqsRequest(const Request& request) {
  SqsRequest read;
  read.wants_query_error = request.Header("x-amzn-query-mode") == "true";
  Operation named = Operation::kOther;
  if (const auto target = request.Header("X-Amz-Target")) {
    named = OperationNamed(target->substr(kTargetPrefix.size()));
    Result<Json> body = ParseJson(request.body);
    read.is_readable = body.has_value() && body->is_object();
    if (read.is_readable) read.body = std::move(*body);
  } else {
    read.dialect = Dialect::kQuery;
    Result<FormFields> form = ParseForm(request.body, kMostQueryBytes);
    read.is_readable = form.has_value() && (*form)["Version"] == kVersion;
    if (read.is_readable) {
      named = OperationNamed((*form)["Action"]);
      read.body = ReadMembers(*form, "");
    }
  }
  if (IsSqsOperation(named)) read.operation = named;
  return read;
}

Answer RenderSqs(const SqsRequest& request, const SqsResult& result, int status) {
  Answer answer;
  answer.dialect = request.dialect;
  answer.error = result.error;
  if (request.dialect == Dialect::kJson) {
    if (result.error.empty()) {
      answer.body = result.document.empty() ? "{}" : DumpJson(result.document);
      return answer;
    }
    answer.status = status;
    answer.body = DumpJson(
        OrderedJson{{"__type", "com.amazonaws.sqs#" + result.error}, {"message", result.message}});
    if (request.wants_query_error) {
      answer.headers.emplace_back(
          "x-amzn-query-error",
          LegacyCode(result.error) + (status < 500 ? ";Sender" : ";Receiver"));
    }
    return answer;
  }
  const std::string_view name = NameOf(request.operation);
  if (result.error.empty()) {
    answer.body = fmt::format(
        "<?xml version=\"1.0\"?><{0}Response "
        "xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\"><{0}Result>{1}</{0}Result>"
        "<ResponseMetadata><RequestId>@REQUEST_ID@</RequestId></ResponseMetadata></{0}Response>",
        name, XmlOf(result.document, request.operation));
    return answer;
  }
  answer.status = status;
  answer.body = fmt::format(
      "<?xml version=\"1.0\"?><ErrorResponse "
      "xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\"><Error><Type>{}</Type><Code>{}</Code>"
      "<Message>{}</Message><Detail/></Error><RequestId>@REQUEST_ID@</RequestId></ErrorResponse>",
      status < 500 ? "Sender" : "Receiver", LegacyCode(result.error), XmlEscape(result.message));
  return answer;
}

std::string SqsActionOf(Operation operation) {
  std::string name(NameOf(operation));
  if (name.ends_with("Batch")) name.resize(name.size() - 5);
  return "sqs:" + name;
}

std::vector<std::string> SqsActions() {
  std::vector<std::string> actions;
  for (const Operation operation : kSqsOperations) {
    if (std::string action = SqsActionOf(operation);
        std::find(actions.begin(), actions.end(), action) == actions.end())
      actions.push_back(std::move(action));
  }
  return actions;
}

}  // namespace pcw::sim
