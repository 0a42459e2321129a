#include "pcw/aws/endpoint.h"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "pcw/net/url.h"

namespace pcw::aws {
namespace {

constexpr std::string_view kOldDomain = ".amazonaws.com";
constexpr std::string_view kDualStackDomain = ".api.aws";

// Names whose dual-stack form is not the usual one (AWS's endpoint rules of 2026-08).
constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kDualStackNames{
    {{"metering.marketplace", "metering-marketplace"},
     {"entitlement.marketplace", "entitlement-marketplace"}}};

Result<Endpoint> Checked(std::string url, std::string origin, const std::string& region) {
  while (url.ends_with('/')) url.pop_back();
  Result<net::Url> parts = net::ParseUrl(url);
  if (!parts)
    return Error(ErrorCode::kConfig, fmt::format("{}: {}", origin, parts.error().message()));
  if (parts->scheme == "http" && !net::IsLoopbackHost(parts->host)) {
    return Error(ErrorCode::kConfig,
                 fmt::format("{} is {}: plain http goes to this machine only; use https", origin,
                             net::ShownUrl(url)));
  }
  if (parts->path != "/")
    return Error(ErrorCode::kConfig,
                 fmt::format("{} is {}: expected no path or query after the host", origin,
                             net::ShownUrl(url)));
  return Endpoint{std::move(url), std::move(origin), region};
}

// The host by AWS's endpoint rules, which botocore's answers in endpoint_test.cc come from.
std::string RuleHost(const ServiceDef& service, const std::string& region, bool is_fips,
                     bool is_dual_stack) {
  constexpr std::string_view kRegion = ".{region}";
  std::string host(service.host_pattern);
  const auto at = host.find(kRegion);
  if (at == std::string::npos) return host;
  std::string name = host.substr(0, at);
  std::string domain = host.substr(at + kRegion.size());
  if (is_dual_stack && domain == kOldDomain) {
    for (const auto& [usual, other] : kDualStackNames) {
      if (name == usual && !is_fips) name = other;
    }
    if (service.protocol != Protocol::kRestXml) domain = kDualStackDomain;
  }
  if (is_fips) name += "-fips";
  if (is_dual_stack && service.protocol == Protocol::kRestXml) name += ".dualstack";
  return fmt::format("{}.{}{}", name, region, domain);
}

}  // namespace

std::optional<std::string> AwsSetting(const Environment& environment, const ProfileFiles& files,
                                      const std::string& profile, const char* variable,
                                      const char* key) {
  if (auto value = Lookup(environment, variable)) return value;
  const auto settings = files.profiles.find(profile);
  return settings == files.profiles.end() ? std::nullopt : Lookup(settings->second, key);
}

Result<Endpoint> ResolveEndpoint(const ServiceDef& service, const std::string& configured_region,
                                 const Environment& environment, const ProfileFiles& files,
                                 const std::string& profile) {
  const std::string region =
      service.only_region.empty() ? configured_region : std::string(service.only_region);
  const auto is_on = [&](const char* variable, const char* key) {
    return IsTrue(AwsSetting(environment, files, profile, variable, key).value_or(""));
  };
  if (!is_on("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls")) {
    for (const std::string& variable : {"AWS_ENDPOINT_URL_" + std::string(service.endpoint_env),
                                        std::string("AWS_ENDPOINT_URL")}) {
      if (const auto url = Lookup(environment, variable)) return Checked(*url, variable, region);
    }
    if (const auto settings = files.profiles.find(profile); settings != files.profiles.end()) {
      if (const auto section = Lookup(settings->second, "services")) {
        if (const auto services = files.services.find(*section); services != files.services.end()) {
          if (const auto url =
                  Lookup(services->second, std::string(service.config_key) + ".endpoint_url"))
            return Checked(*url, fmt::format("services {}: {}", *section, service.config_key),
                           region);
        }
      }
      if (const auto url = Lookup(settings->second, "endpoint_url"))
        return Checked(*url, fmt::format("profile {}: endpoint_url", profile), region);
    }
  }
  const bool is_dual_stack =
      is_on("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint") ||
      (service.id == "s3" && is_on("AWS_USE_DUALSTACK_ENDPOINT", "s3.use_dualstack_endpoint"));
  const bool is_fips = is_on("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint");
  return Endpoint{"https://" + RuleHost(service, region, is_fips, is_dual_stack), "AWS's rule",
                  region};
}

}  // namespace pcw::aws
