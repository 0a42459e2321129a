#include "pcw/sim/sts.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/time.h"

namespace pcw::sim {
namespace {

constexpr std::size_t kMaxForm = 64U << 10U;
constexpr std::size_t kMaxFields = 500;
constexpr std::chrono::seconds kDefaultSession{3'600};

std::optional<std::string> Decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      unsigned value = 0;
      if (i + 2 >= text.size()) return std::nullopt;
      const auto [end, problem] =
          std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16);
      if (problem != std::errc{} || end != text.data() + i + 3) return std::nullopt;
      out += static_cast<char>(value);
      i += 2;
    }
  }
  return out;
}

std::string Xml(std::string_view operation, std::string_view result) {
  return fmt::format(
      "<{0}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n  <{0}Result>\n{1}  "
      "</{0}Result>\n  <ResponseMetadata>\n    <RequestId>@REQUEST_ID@</RequestId>\n  "
      "</ResponseMetadata>\n</{0}Response>\n",
      operation, result);
}

/// The scalar members of the request as JSON of their modelled types, so that the generic check can
/// read them. Structured members (Tags and the like) are not interpreted by this simulator.
Result<Json> ScalarsOf(const Shape& shape, const FormFields& form) {
  Json request = Json::object();
  for (const auto& [name, member] : shape.members) {
    const auto field = form.find(name);
    if (field == form.end()) continue;
    if (member.type != Shape::Type::kInteger) {
      request[name] = field->second;
      continue;
    }
    std::int64_t number = 0;
    const std::string& text = field->second;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (problem != std::errc{} || end != text.data() + text.size()) {
      return Error(ErrorCode::kInvalidRequest, fmt::format("{} is not a number", name));
    }
    request[name] = number;
  }
  return request;
}

}  // namespace

Result<FormFields> ParseForm(std::string_view body) {
  const Error malformed(ErrorCode::kInvalidRequest, "the form is malformed");
  if (body.size() > kMaxForm) return malformed;
  FormFields fields;
  for (std::size_t at = 0; at < body.size();) {
    const std::size_t end = std::min(body.find('&', at), body.size());
    const std::string_view pair = body.substr(at, end - at);
    at = end + 1;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    auto name = Decode(pair.substr(0, equals));
    auto value = Decode(pair.substr(std::min(equals + 1, pair.size())));
    if (!name || !value || fields.size() >= kMaxFields ||
        !fields.emplace(std::move(*name), std::move(*value)).second) {
      return malformed;
    }
  }
  return fields;
}

Answer Sts::GetCallerIdentity(const Key& caller) const {
  Answer answer{.status = 200, .body = {}, .error = {}, .headers = {}, .dialect = Dialect::kQuery};
  answer.body = Xml("GetCallerIdentity",
                    fmt::format("    <Arn>{}</Arn>\n    <UserId>{}</UserId>\n    "
                                "<Account>{}</Account>\n",
                                EscapeXml(caller.arn), EscapeXml(caller.user_id), kAccount));
  return answer;
}

Answer Sts::AssumeRole(const OperationFacts& facts, const FormFields& form, WallTime now) const {
  const auto request = ScalarsOf(facts.request, form);
  if (!request) return QueryError("ValidationError", request.error().message());
  const Findings findings = CheckRequest(facts.request, *request);
  if (findings.wrong_type) return QueryError("ValidationError", *findings.wrong_type);
  if (!findings.violations.empty()) {
    const FieldError& first = findings.violations.front();
    return QueryError("ValidationError",
                      fmt::format("{} validation error detected: '{}' failed to satisfy "
                                  "constraint: {}",
                                  findings.violations.size(), first.field, first.message));
  }
  const std::string role = (*request)["RoleArn"].get<std::string>();
  const auto external_id = form.find("ExternalId");
  const bool trusted =
      external_id_.empty() || (external_id != form.end() && external_id->second == external_id_);
  if (!role.starts_with(fmt::format("arn:aws:iam::{}:role/", kAccount)) || !trusted) {
    return QueryError(
        "AccessDenied",
        fmt::format("User is not authorized to perform: sts:AssumeRole on resource: {}", role),
        403);
  }
  const std::string session = (*request)["RoleSessionName"].get<std::string>();
  const auto asked = request->contains("DurationSeconds")
                         ? std::chrono::seconds((*request)["DurationSeconds"].get<std::int64_t>())
                         : kDefaultSession;
  const WallTime expires =
      std::chrono::floor<std::chrono::seconds>(now + std::min(asked, max_session_));
  const Key key = keys_.IssueSession(role, session, expires);
  Answer answer{.status = 200, .body = {}, .error = {}, .headers = {}, .dialect = Dialect::kQuery};
  answer.body =
      Xml("AssumeRole",
          fmt::format("    <AssumedRoleUser>\n      <AssumedRoleId>{}</AssumedRoleId>\n      "
                      "<Arn>{}</Arn>\n    </AssumedRoleUser>\n    <Credentials>\n      "
                      "<AccessKeyId>{}</AccessKeyId>\n      <SecretAccessKey>{}</SecretAccessKey>\n"
                      "      <SessionToken>{}</SessionToken>\n      <Expiration>{}</Expiration>\n"
                      "    </Credentials>\n",
                      EscapeXml(key.user_id), EscapeXml(key.arn), key.access_key_id, key.secret,
                      key.session_token, FormatRfc3339(expires)));
  return answer;
}

}  // namespace pcw::sim
