#include "pcw/sim/sts/sts.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <variant>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/time.h"
#include "pcw/base/xml_text.h"
#include "pcw/sim/draw.h"

namespace pcw::sim {
namespace {

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

Answer Success(std::string_view operation, std::string_view result) {
  Answer answer{.status = 200, .body = {}, .error = {}, .headers = {}, .dialect = Dialect::kQuery};
  answer.body = fmt::format(
      "<{0}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n  <{0}Result>\n{1}  "
      "</{0}Result>\n  <ResponseMetadata>\n    <RequestId>@REQUEST_ID@</RequestId>\n  "
      "</ResponseMetadata>\n</{0}Response>\n",
      operation, result);
  return answer;
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

/// The request with its form checked, or the refusal.
std::variant<Json, Answer> CheckForm(const OperationFacts& facts, const FormFields& form) {
  auto request = ScalarsOf(facts.request, form);
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
  return std::move(*request);
}

}  // namespace

Result<FormFields> ParseForm(std::string_view body, std::size_t most_bytes) {
  const Error malformed(ErrorCode::kInvalidRequest, "the form is malformed");
  if (body.size() > most_bytes) return malformed;
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

Answer ExpiredWebIdentity() {
  return QueryError("ExpiredTokenException",
                    "Token expired: the current time must be before its expiration time");
}

Answer Sts::GetCallerIdentity(const Key& caller) const {
  return Success("GetCallerIdentity",
                 fmt::format("    <Arn>{}</Arn>\n    <UserId>{}</UserId>\n    "
                             "<Account>{}</Account>\n",
                             XmlEscape(caller.arn), XmlEscape(caller.user_id), caller.account));
}

Answer Sts::AssumeRole(const OperationFacts& facts, const FormFields& form, const Key& caller,
                       WallTime now) const {
  auto checked = CheckForm(facts, form);
  if (Answer* refused = std::get_if<Answer>(&checked)) return std::move(*refused);
  const Json& request = std::get<Json>(checked);
  const auto& role = request["RoleArn"].get_ref<const std::string&>();
  if (!IsTrusted(role, request.value("ExternalId", "")) || !IsAllowed(facts, role)) {
    return QueryError("AccessDenied",
                      fmt::format("User: {} is not authorized to perform: {} on resource: {}",
                                  caller.arn, facts.action, role),
                      403);
  }
  return Grant(facts, request, {}, now);
}

Answer Sts::AssumeRoleWithWebIdentity(const OperationFacts& facts, const FormFields& form,
                                      WallTime now) const {
  auto checked = CheckForm(facts, form);
  if (Answer* refused = std::get_if<Answer>(&checked)) return std::move(*refused);
  const Json& request = std::get<Json>(checked);
  const auto& token = request["WebIdentityToken"].get_ref<const std::string&>();
  if (token == "expired") return ExpiredWebIdentity();
  if (token == "invalid") {
    return QueryError("InvalidIdentityToken", "The ID Token provided is not a valid JWT.");
  }
  if (!IsAllowed(facts, request["RoleArn"].get_ref<const std::string&>())) {
    return QueryError("AccessDenied", fmt::format("Not authorized to perform {}", facts.action),
                      403);
  }
  return Grant(facts, request,
               fmt::format("    <SubjectFromWebIdentityToken>subject-{:016x}"
                           "</SubjectFromWebIdentityToken>\n",
                           MixText(token)),
               now);
}

bool Sts::IsTrusted(std::string_view role, std::string_view external_id) const {
  const auto state = account_.state();
  if (state->roles.empty()) return external_id_.empty() || external_id == external_id_;
  return std::any_of(state->roles.begin(), state->roles.end(), [&](const TrustedRole& known) {
    return known.arn == role && (known.external_id.empty() || known.external_id == external_id);
  });
}

bool Sts::IsAllowed(const OperationFacts& facts, std::string_view role) const {
  return role.starts_with(fmt::format("arn:aws:iam::{}:role/", kAccount)) &&
         !account_.state()->denied_actions.contains(facts.action);
}

Answer Sts::Grant(const OperationFacts& facts, const Json& request, std::string_view more,
                  WallTime now) const {
  const auto asked = request.contains("DurationSeconds")
                         ? std::chrono::seconds(request["DurationSeconds"].get<std::int64_t>())
                         : kDefaultSession;
  const WallTime expires =
      std::chrono::floor<std::chrono::seconds>(now + std::min(asked, max_session_));
  const Key key =
      keys_.IssueSession(request["RoleArn"].get_ref<const std::string&>(),
                         request["RoleSessionName"].get_ref<const std::string&>(), expires);
  return Success(facts.name,
                 fmt::format("{}    <AssumedRoleUser>\n      <AssumedRoleId>{}</AssumedRoleId>\n"
                             "      <Arn>{}</Arn>\n    </AssumedRoleUser>\n    <Credentials>\n"
                             "      <AccessKeyId>{}</AccessKeyId>\n"
                             "      <SecretAccessKey>{}</SecretAccessKey>\n"
                             "      <SessionToken>{}</SessionToken>\n"
                             "      <Expiration>{}</Expiration>\n    </Credentials>\n",
                             more, XmlEscape(key.user_id), XmlEscape(key.arn), key.access_key_id,
                             key.secret, key.session_token, FormatRfc3339(expires)));
}

}  // namespace pcw::sim
