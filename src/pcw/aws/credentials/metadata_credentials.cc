#include "pcw/aws/credentials/metadata_credentials.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "pcw/aws/credentials/credentials_document.h"
#include "pcw/base/file.h"
#include "pcw/net/url.h"

namespace pcw::aws {
namespace {

using std::chrono::milliseconds;

constexpr int kContainerTries = 3;
constexpr std::size_t kLargestContainerToken = 16U << 10U;

net::HttpLimits Within(milliseconds time) {
  net::HttpLimits limits;
  limits.connect = limits.first_byte = limits.total = time;
  limits.max_body_bytes = 64U << 10U;
  return limits;
}

bool IsLineBreak(char c) { return c == '\r' || c == '\n'; }
// What may not stand in a header: it would end it.
bool EndsALine(char c) { return IsLineBreak(c) || c == '\0'; }

Error NotFound(std::string what) { return Error(ErrorCode::kNotFound, std::move(what)); }

int NumberOf(const Environment& environment, const char* name, int fallback) {
  const std::string text = Lookup(environment, name).value_or("");
  int number = fallback;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return std::clamp(number, 1, 60);
}

}  // namespace

Result<std::string> ContainerCredentials::Url() const {
  if (const auto path = Lookup(environment_, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")) {
    if (!path->starts_with('/')) {
      // The path is a capability: it is not repeated.
      return Error(ErrorCode::kConfig,
                   "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: expected a path that begins with /");
    }
    return "http://169.254.170.2" + *path;
  }
  const auto full = Lookup(environment_, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (!full) return NotFound("no container endpoint in the environment");
  const Result<net::Url> parsed = net::ParseUrl(*full);
  if (!parsed)
    return Error(ErrorCode::kConfig,
                 "AWS_CONTAINER_CREDENTIALS_FULL_URI: " + parsed.error().message());
  const net::Url& url = *parsed;
  const bool is_known = net::IsLoopbackHost(url.host) ||
                        std::find(std::begin(kMetadataHosts), std::end(kMetadataHosts), url.host) !=
                            std::end(kMetadataHosts);
  if (url.scheme == "http" && !is_known) {
    return Error(
        ErrorCode::kConfig,
        fmt::format("AWS_CONTAINER_CREDENTIALS_FULL_URI names {} in plain http; credentials "
                    "go in plain http to this machine and the metadata addresses only",
                    url.authority));
  }
  return *full;
}

Result<std::string> ContainerCredentials::Token() const {
  std::string token = Lookup(environment_, "AWS_CONTAINER_AUTHORIZATION_TOKEN").value_or("");
  std::string source = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
  if (const auto file = Lookup(environment_, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")) {
    Result<std::string> text = ReadFile(*file, kLargestContainerToken);
    if (!text) {
      return Error(ErrorCode::kUnauthenticated,
                   "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: " + text.error().message());
    }
    token = *text;
    source = fmt::format("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE ({})", *file);
    while (!token.empty() && IsLineBreak(token.back())) token.pop_back();
  }
  if (std::any_of(token.begin(), token.end(), EndsALine)) {
    return Error(ErrorCode::kConfig,
                 fmt::format("{}: the token holds a line break or NUL; nothing was sent", source));
  }
  return token;
}

Result<CredentialsPtr> ContainerCredentials::Fetch(std::stop_token stop) {
  PCW_TRY(const std::string url, Url());
  // The path is a capability on ECS: only the host is ever named.
  PCW_TRY(const net::Url parts, net::ParseUrl(url));
  const std::string source = fmt::format("container endpoint {}", parts.authority);
  std::optional<Error> failure;
  for (int attempt = 0; attempt < kContainerTries; ++attempt) {
    if (attempt > 0 && !sleeper_.SleepFor(std::chrono::seconds(1), stop))
      return Error(ErrorCode::kCancelled, "stopped while asking for credentials");
    PCW_TRY(const std::string token, Token());
    net::HttpRequest request{.method = "GET", .url = url, .headers = {}, .body = ""};
    request.headers.emplace_back("Accept", "application/json");
    if (!token.empty()) request.headers.emplace_back("Authorization", token);
    const Result<net::HttpResponse> answer =
        http_.Send(request, Within(std::chrono::seconds(2)), stop);
    if (answer && answer->status == 200) return ParseCredentialsDocument(answer->body, source);
    if (!answer && answer.error().code() == ErrorCode::kCancelled) return answer.error();
    failure = answer ? Error(ErrorCode::kUnauthenticated,
                             fmt::format("{} answered {}", source, answer->status))
                     : Error(ErrorCode::kUnauthenticated,
                             fmt::format("{}: {}", source, answer.error().message()))
                           .As(ErrorMark::kUnreachable)
                           .With("unreachable", parts.authority);
    // The agent throttles (429), and right after the start of a task does not know it yet (400,
    // 404); only a refusal of the token stays one.
    if (answer && (answer->status == 401 || answer->status == 403)) break;
  }
  return *failure;
}

Result<net::HttpResponse> InstanceCredentials::Ask(const net::HttpRequest& request,
                                                   std::stop_token stop) const {
  const milliseconds timeout(1000 * NumberOf(environment_, "AWS_METADATA_SERVICE_TIMEOUT", 1));
  const int attempts = NumberOf(environment_, "AWS_METADATA_SERVICE_NUM_ATTEMPTS", 1);
  Result<net::HttpResponse> answer = http_.Send(request, Within(timeout), stop);
  for (int attempt = 1; attempt < attempts && !stop.stop_requested(); ++attempt) {
    if (answer && answer->status < 500) break;
    answer = http_.Send(request, Within(timeout), stop);
  }
  return answer;
}

Result<CredentialsPtr> InstanceCredentials::Fetch(std::stop_token stop) {
  if (IsTrue(Lookup(environment_, "AWS_EC2_METADATA_DISABLED").value_or("")))
    return NotFound("instance metadata is switched off (AWS_EC2_METADATA_DISABLED)");
  const bool is_ipv6 = IsSameWord(
      Lookup(environment_, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE").value_or(""), "IPv6");
  std::string base = Lookup(environment_, "AWS_EC2_METADATA_SERVICE_ENDPOINT")
                         .value_or(is_ipv6 ? "http://[fd00:ec2::254]" : "http://169.254.169.254");
  while (base.ends_with('/')) base.pop_back();
  const std::string source = fmt::format("instance metadata {}", net::ShownUrl(base));

  net::HttpRequest ask_token{.method = "PUT",
                             .url = base + "/latest/api/token",
                             .headers = {{"x-aws-ec2-metadata-token-ttl-seconds", "21600"}},
                             .body = ""};
  const Result<net::HttpResponse> token = Ask(ask_token, stop);
  if (!token &&
      (token.error().code() == ErrorCode::kCancelled || token.error().code() == ErrorCode::kConfig))
    return token.error();
  if (!token) {
    return NotFound(fmt::format("{} does not answer (in a container on an instance, its hop limit "
                                "must be 2: aws ec2 "
                                "modify-instance-metadata-options --http-put-response-hop-limit 2)",
                                source))
        .As(ErrorMark::kUnreachable)
        .With("unreachable", net::ShownUrl(base));
  }
  if (token->status != 200 || token->body.empty() ||
      std::any_of(token->body.begin(), token->body.end(), EndsALine)) {
    return NotFound(fmt::format("{} gave no IMDSv2 token (status {})", source, token->status));
  }

  const auto get = [&](const std::string& path) {
    return Ask({.method = "GET",
                .url = base + "/latest/meta-data/iam/security-credentials/" + path,
                .headers = {{"x-aws-ec2-metadata-token", token->body}},
                .body = ""},
               stop);
  };
  const auto failed = [&](const Result<net::HttpResponse>& answer) {
    if (!answer && answer.error().code() == ErrorCode::kCancelled) return answer.error();
    return Error(ErrorCode::kUnauthenticated,
                 answer ? fmt::format("{} answered {}", source, answer->status)
                        : fmt::format("{}: {}", source, answer.error().message()));
  };
  const Result<net::HttpResponse> roles = get("");
  if (roles && roles->status == 404)
    return NotFound(fmt::format("{}: no role is attached to this instance", source));
  if (!roles || roles->status != 200) return failed(roles);
  const std::string role = roles->body.substr(0, roles->body.find_first_of("\r\n"));
  if (role.empty())
    return NotFound(fmt::format("{}: no role is attached to this instance", source));
  const Result<net::HttpResponse> keys = get(role);
  if (!keys || keys->status != 200) return failed(keys);
  return ParseCredentialsDocument(keys->body, fmt::format("{}, role {}", source, role));
}

}  // namespace pcw::aws
