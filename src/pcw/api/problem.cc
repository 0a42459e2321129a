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

// What the caller meets of an error. What PostgreSQL refuses is not theirs: its conflicts are of
// two requests with each other, and pass; the login is this service's.
ErrorCode CodeForCaller(const Error& error) {
  if (error.origin() != Origin::kDatabase) return error.code();
  switch (error.code()) {
    case ErrorCode::kConflict:
      return ErrorCode::kUnavailable;
    case ErrorCode::kUnauthenticated:
    case ErrorCode::kPermissionDenied:
      return ErrorCode::kConfig;
    default:
      return error.code();
  }
}

// Errors of other modules: what a caller can do something about is told in their words, which are
// made for people; the rest only by kind.
Told Tell(const Error& error) {
  const Reaction& reaction = ReactionOf(CodeForCaller(error));
  const int status =
      error.origin() == Origin::kAws ? reaction.rest_aws_fault : reaction.rest_own_fault;
  switch (status) {
    case 400:
      return {status, "invalid_request", error.message()};
    case 401:
      return {status, "unauthorized", "a valid bearer token is required"};
    case 403:
      return {status, "forbidden", "this is not allowed"};
    case 404:
      return {status, "not_found", "there is no such thing here"};
    case 409:
      return {status, "conflict", error.message()};
    case 502:
      return {status, "aws_failed",
              "AWS gave no usable answer; the log has more under the request id"};
    case 503:
      return {status, "unavailable", "the service cannot answer now; try again"};
    case 504:
      return {status, "aws_timeout", "AWS did not answer in time; try again"};
    default:
      return {status, "internal", "the request failed; the log has more under its request id"};
  }
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
