#include "pcw/config/queue_urls.h"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include "pcw/aws/endpoint.h"
#include "pcw/aws/eventbridge.h"
#include "pcw/aws/queue_host.h"
#include "pcw/aws/sqs.h"
#include "pcw/net/url.h"

namespace pcw::config {
namespace {

constexpr std::size_t kMostOfBusName = 256;

bool HasSqsEndpoint(const std::map<std::string, std::string>& environment,
                    std::string_view profile) {
  // Profile files that cannot be read are told of by whatever needs them.
  const Result<aws::ProfileFiles> files = aws::LoadProfiles(environment);
  if (!files) return true;
  const auto endpoint = aws::ResolveEndpoint(aws::sqs::kService, "us-east-1", environment, *files,
                                             aws::ProfileName(environment, std::string(profile)));
  return !endpoint || endpoint->origin != "AWS's rule";
}

bool IsBusName(std::string_view name) {
  return !name.empty() && name.size() <= kMostOfBusName &&
         name.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_/") ==
             std::string_view::npos;
}

std::vector<std::string_view> Split(std::string_view text, char mark, std::size_t most) {
  std::vector<std::string_view> parts;
  while (parts.size() + 1 < most) {
    const std::size_t at = text.find(mark);
    if (at == std::string_view::npos) break;
    parts.push_back(text.substr(0, at));
    text.remove_prefix(at + 1);
  }
  parts.push_back(text);
  return parts;
}

bool IsAccount(std::string_view text) {
  return text.size() == 12 && text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

std::string QueueUrlProblem(std::string_view url,
                            const std::map<std::string, std::string>& environment,
                            std::string_view profile) {
  const Result<net::Url> parsed = net::ParseUrl(url);
  if (!parsed) return "is not a URL, expected https://sqs.<region>.amazonaws.com/<account>/<name>";
  const bool is_aws = parsed->scheme == "https" && parsed->authority == parsed->host &&
                      aws::RegionOfQueueHost(parsed->host).has_value();
  if (is_aws || HasSqsEndpoint(environment, profile)) return "";
  return fmt::format(
      "{} is not a host of SQS, expected https://sqs.<region>.amazonaws.com/<account>/<name>; for "
      "another endpoint set AWS_ENDPOINT_URL_SQS",
      parsed->host);
}

std::string BusProblem(std::string_view bus) {
  constexpr std::string_view kExpected =
      "expected eventbridge: and the name of a bus, or "
      "arn:aws:events:<region>:<account>:event-bus/<name>";
  if (!bus.starts_with("arn:")) {
    const bool is_host =
        bus.ends_with(".amazonaws.com") || bus.find("//") != std::string_view::npos;
    return IsBusName(bus) && !is_host ? "" : std::string(kExpected);
  }
  constexpr std::string_view kBus = "event-bus/";
  static constexpr std::array<std::string_view, 3> kPartitions{"aws", "aws-cn", "aws-us-gov"};
  const auto parts = Split(bus, ':', 6);
  const bool is_bus =
      parts.size() == 6 &&
      std::find(kPartitions.begin(), kPartitions.end(), parts[1]) != kPartitions.end() &&
      parts[2] == "events" && !parts[3].empty() && IsAccount(parts[4]) &&
      parts[5].starts_with(kBus) && IsBusName(parts[5].substr(kBus.size()));
  return is_bus ? "" : std::string(kExpected);
}

std::string WebhookProblem(std::string_view url) {
  const Result<net::Url> parsed = net::ParseUrl(url);
  // What it is stands in its parts, which may be secret.
  if (!parsed) return "is not a URL, expected https://host/path";
  const std::string_view host = parsed->host;
  const bool is_bus = host.starts_with("events.") &&
                      (host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn"));
  if (is_bus)
    return "is EventBridge's own endpoint, which takes no webhooks; write eventbridge: and the "
           "name "
           "of a bus";
  if (aws::RegionOfQueueHost(host))
    return "is SQS's own endpoint, which takes no webhooks, expected https://host/path";
  return "";
}

}  // namespace pcw::config
