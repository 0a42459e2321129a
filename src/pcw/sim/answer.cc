#include "pcw/sim/answer.h"

#include <array>

#include <fmt/format.h>

#include "pcw/sim/json_text.h"

namespace pcw::sim {
namespace {

constexpr std::array<std::string_view, kOperations> kNames{
    "ListOpportunities", "GetOpportunity", "GetCallerIdentity", "AssumeRole", "other"};

}  // namespace

std::string_view NameOf(Operation operation) { return kNames[static_cast<std::size_t>(operation)]; }

Operation OperationNamed(std::string_view name) {
  for (std::size_t i = 0; i + 1 < kOperations; ++i) {
    if (kNames[i] == name) return static_cast<Operation>(i);
  }
  return Operation::kOther;
}

Answer SellingError(std::string_view name, std::string_view message, int status) {
  Answer answer{.status = status, .body = {}, .error = std::string(name), .headers = {}};
  JsonText(answer.body)
      .Open('{')
      .Member("__type", fmt::format("com.amazonaws.partnercentralselling#{}", name))
      .Member("Message", message)
      .Close('}');
  return answer;
}

Answer ValidationError(const std::vector<FieldError>& fields) {
  Answer answer{.status = 400, .body = {}, .error = "ValidationException", .headers = {}};
  JsonText json(answer.body);
  json.Open('{')
      .Member("__type", "com.amazonaws.partnercentralselling#ValidationException")
      .Member("Message", "The request failed validation.")
      .Member("Reason", "REQUEST_VALIDATION_FAILED");
  json.Key("ErrorList").Open('[');
  for (const FieldError& field : fields) {
    json.Open('{')
        .Member("FieldName", field.field)
        .Member("Message", field.message)
        .Member("Code", field.code)
        .Close('}');
  }
  json.Close(']').Close('}');
  return answer;
}

Answer FrontError(std::string_view name, std::string_view message, int status) {
  Answer answer{.status = status, .body = {}, .error = std::string(name), .headers = {}};
  JsonText(answer.body)
      .Open('{')
      .Member("__type", fmt::format("com.amazon.coral.service#{}", name))
      .Member("message", message)
      .Close('}');
  return answer;
}

std::string EscapeXml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

Answer QueryError(std::string_view code, std::string_view message, int status) {
  Answer answer{.status = status,
                .body = {},
                .error = std::string(code),
                .headers = {},
                .dialect = Dialect::kQuery};
  // The request id is put in where the answer is sent.
  answer.body = fmt::format(
      "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n  <Error>\n"
      "    <Type>Sender</Type>\n    <Code>{}</Code>\n    <Message>{}</Message>\n  </Error>\n"
      "  <RequestId>@REQUEST_ID@</RequestId>\n</ErrorResponse>\n",
      code, EscapeXml(message));
  return answer;
}

}  // namespace pcw::sim
