#include "pcw/api/bodies.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/api/problem.h"
#include "pcw/base/hex.h"
#include "pcw/base/storable_text.h"

namespace pcw::api {
namespace {

constexpr std::size_t kMostText = 8U << 10U;
constexpr JsonLimits kBodyLimits{.max_bytes = 1U << 20U, .max_depth = 32, .max_values = 1'000};

std::string Lowered(std::string_view text) {
  std::string lowered(text);
  std::transform(lowered.begin(), lowered.end(), lowered.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lowered;
}

std::string_view Stripped(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string_view CodeOfJsonProblem(std::string_view message) {
  if (message.starts_with("nested deeper")) return "json_too_deep";
  if (message.starts_with("duplicate key")) return "duplicate_key";
  return "invalid_json";
}

Status CheckTexts(const Json& value, const std::string& field) {
  if (value.is_string() && value.get_ref<const std::string&>().size() > kMostText)
    return ApiError(400, "invalid_field", "a text may have 8,192 bytes", field);
  // PostgreSQL's texts end at a NUL: what stands before it would be taken for the whole.
  if (value.is_string() && value.get_ref<const std::string&>().find('\0') != std::string::npos)
    return ApiError(400, "invalid_field", "a text may not have the character U+0000", field);
  if (value.is_structured()) {
    for (const auto& [key, inner] : value.items()) {
      // Below the top the field is still the one the caller named.
      PCW_TRY_OK(CheckTexts(inner, field.empty() ? key : field));
    }
  }
  return Ok{};
}

std::optional<std::string> Unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = HexValue(text[i + 1]);
    const int low = HexValue(text[i + 2]);
    // No parameter of ours has control characters or other than ASCII.
    const int byte = high * 16 + low;
    if (high < 0 || low < 0 || byte < 0x20 || byte > 0x7e) return std::nullopt;
    plain += static_cast<char>(byte);
    i += 2;
  }
  return plain;
}

}  // namespace

Status CheckMediaType(const net::server::Request& request) {
  const auto refuse = [](const char* why) { return ApiError(415, "unsupported_media_type", why); };
  if (request.Header("Content-Encoding"))
    return refuse("a body must come without Content-Encoding");
  const auto header = request.Header("Content-Type");
  if (!header) return Ok{};
  const std::string text = Lowered(*header);
  const std::size_t semicolon = std::min(text.find(';'), text.size());
  const std::string_view type = Stripped(std::string_view(text).substr(0, semicolon));
  if (type != "application/json" && type != "application/x-ndjson" &&
      type != "application/x-www-form-urlencoded")
    return refuse("expected a body of application/json");
  for (std::string_view rest = std::string_view(text).substr(semicolon); !rest.empty();) {
    rest.remove_prefix(1);
    const std::size_t end = std::min(rest.find(';'), rest.size());
    const std::string_view parameter = Stripped(rest.substr(0, end));
    if (parameter.starts_with("charset=") && parameter != "charset=utf-8" &&
        parameter != "charset=\"utf-8\"")
      return refuse("expected UTF-8");
    rest.remove_prefix(end);
  }
  return Ok{};
}

Result<Json> ReadJsonObject(std::string_view body, std::span<const std::string_view> allowed) {
  Result<Json> parsed = ParseJson(body, kBodyLimits);
  if (!parsed) {
    const std::string& message = parsed.error().message();
    return ApiError(400, CodeOfJsonProblem(message), message);
  }
  if (!parsed->is_object()) return ApiError(400, "invalid_json", "expected a JSON object");
  for (const auto& [name, value] : parsed->items()) {
    if (std::find(allowed.begin(), allowed.end(), name) == allowed.end()) {
      return ApiError(400, "unknown_field",
                      fmt::format("the fields are {}", fmt::join(allowed, ", ")),
                      std::string(CutAtCharacter(name, 64)));
    }
  }
  PCW_TRY_OK(CheckTexts(*parsed, ""));
  return std::move(*parsed);
}

Result<std::string> ReadChoice(const Json& object, const char* member,
                               const std::vector<std::string>& values, std::string_view fallback,
                               std::string_view code) {
  const auto found = object.find(member);
  if (found == object.end() && !fallback.empty()) return std::string(fallback);
  if (found != object.end() && found->is_string()) {
    std::string text = found->get<std::string>();
    if (std::find(values.begin(), values.end(), text) != values.end()) return text;
  }
  return ApiError(400, code, fmt::format("expected one of {}", fmt::join(values, ", ")), member);
}

std::string_view PathOf(std::string_view target) { return target.substr(0, target.find('?')); }

Result<std::map<std::string, std::string>> ReadQuery(std::string_view target,
                                                     std::span<const std::string_view> known) {
  std::map<std::string, std::string> query;
  const std::size_t mark = target.find('?');
  if (mark == std::string_view::npos) return query;
  for (std::string_view rest = target.substr(mark + 1); !rest.empty();) {
    const std::size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string name(pair.substr(0, equals));
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return ApiError(400, "unknown_parameter",
                      known.empty() ? "this route has no parameters"
                                    : fmt::format("the parameters are {}", fmt::join(known, ", ")),
                      std::string(CutAtCharacter(name, 64)));
    }
    const auto value = Unescaped(pair.substr(std::min(equals + 1, pair.size())));
    if (!value)
      return ApiError(400, "invalid_parameter", "expected visible ASCII, escaped as %XX", name);
    if (!query.emplace(name, *value).second)
      return ApiError(400, "invalid_parameter", "a parameter may be given once", name);
  }
  return query;
}

std::optional<std::string_view> BearerOf(const net::server::Request& request) {
  const auto header = request.Header("Authorization");
  constexpr std::string_view kScheme = "bearer ";
  if (!header || header->size() <= kScheme.size() ||
      Lowered(header->substr(0, kScheme.size())) != kScheme)
    return std::nullopt;
  return header->substr(kScheme.size());
}

}  // namespace pcw::api
