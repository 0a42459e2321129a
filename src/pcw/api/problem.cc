#include "pcw/api/problem.h"

#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/json.h"

namespace pcw::api {
namespace {

using net::server::Response;

constexpr std::string_view kRetryAfterSeconds = "5";

struct Told {
  int status;
  std::string_view code;
  std::string detail;
};

// Errors of other modules: what a caller can do something about is told in their words, which are
// made for people; the rest only by kind.
Told Tell(const Error& error) {
  switch (error.code()) {
    case ErrorCode::kInvalidRequest:
      return {400, "invalid_request", error.message()};
    case ErrorCode::kNotFound:
      return {404, "not_found", "there is no such thing here"};
    case ErrorCode::kConflict:
      // A conflict of SQL is of two requests with each other, and passes.
      if (error.Find("sqlstate")) return {503, "unavailable", "try again"};
      return {409, "conflict", error.message()};
    case ErrorCode::kUnauthenticated:
      if (error.Find("sqlstate")) break;
      return {401, "unauthorized", "a valid bearer token is required"};
    case ErrorCode::kThrottled:
    case ErrorCode::kUnavailable:
    case ErrorCode::kTimeout:
    case ErrorCode::kCancelled:
      return {503, "unavailable", "the service cannot answer now; try again"};
    case ErrorCode::kPermissionDenied:
    case ErrorCode::kSchemaMismatch:
    case ErrorCode::kConfig:
    case ErrorCode::kInternal:
      break;
  }
  return {500, "internal", "the request failed; the log has more under its request id"};
}

Response Render(int status, std::string_view code, std::string_view detail, std::string_view field,
                std::string_view request_id) {
  OrderedJson json{{"type", fmt::format("urn:pcw:problem:{}", code)},
                   {"title", std::string(net::server::ReasonPhrase(status))},
                   {"status", status},
                   {"code", code},
                   {"detail", detail},
                   {"request_id", request_id},
                   {"doc", "docs/rest-api.md#error-codes"}};
  if (!field.empty()) json["field"] = field;
  Response response{status,
                    {{"Content-Type", "application/problem+json"},
                     {"X-Request-Id", std::string(request_id)},
                     {"Cache-Control", "no-store"},
                     {"X-Content-Type-Options", "nosniff"}},
                    DumpJson(json) + "\n"};
  if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (status == 503 || status == 429)
    response.headers.emplace_back("Retry-After", status == 429 ? "1" : kRetryAfterSeconds);
  return response;
}

}  // namespace

Error ApiError(int status, std::string_view code, std::string message, std::string_view field) {
  const ErrorCode kind = status == 503   ? ErrorCode::kUnavailable
                         : status == 404 ? ErrorCode::kNotFound
                         : status == 401 ? ErrorCode::kUnauthenticated
                         : status == 403 ? ErrorCode::kPermissionDenied
                         : status == 409 ? ErrorCode::kConflict
                                         : ErrorCode::kInvalidRequest;
  Error error(kind, std::move(message));
  error.With("api_status", std::to_string(status)).With("api_code", std::string(code));
  if (!field.empty()) error.With("api_field", std::string(field));
  return error;
}

Response ProblemResponse(const Error& error, std::string_view request_id) {
  if (const auto code = error.Find("api_code")) {
    int status = 500;
    const std::string_view text = error.Find("api_status").value_or("500");
    std::from_chars(text.data(), text.data() + text.size(), status);
    Response response =
        Render(status, *code, error.message(), error.Find("api_field").value_or(""), request_id);
    if (const auto allow = error.Find("allow"))
      response.headers.emplace_back("Allow", std::string(*allow));
    return response;
  }
  const Told told = Tell(error);
  return Render(told.status, told.code, told.detail, "", request_id);
}

Response RefusalResponse(int status, std::string_view why, std::string_view request_id) {
  return Render(status, CodeOfStatus(status), why, "", request_id);
}

std::string_view CodeOfStatus(int status) {
  switch (status) {
    case 404:
      return "not_found";
    case 405:
      return "method_not_allowed";
    case 408:
      return "request_timeout";
    case 411:
      return "length_required";
    case 413:
      return "body_too_large";
    case 414:
      return "target_too_long";
    case 417:
      return "expectation_failed";
    case 431:
      return "header_too_large";
    case 500:
      return "internal";
    case 501:
      return "unknown_method";
    case 503:
      return "busy";
    case 505:
      return "http_version_not_supported";
    default:
      return "malformed_request";
  }
}

}  // namespace pcw::api
