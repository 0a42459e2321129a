#include "pcw/aws/endpoint.h"

#include <fmt/format.h>

#include "pcw/net/url.h"

namespace pcw::aws {
namespace {

Result<Endpoint> Checked(std::string url, std::string origin) {
  while (url.ends_with('/')) url.pop_back();
  Result<net::Url> parts = net::ParseUrl(url);
  if (!parts)
    return Error(ErrorCode::kConfig, fmt::format("{}: {}", origin, parts.error().message()));
  if (parts->scheme == "http" && !net::IsLoopbackHost(parts->host)) {
    return Error(
        ErrorCode::kConfig,
        fmt::format("{} is {}: plain http goes to this machine only; use https", origin, url));
  }
  if (parts->path != "/")
    return Error(ErrorCode::kConfig,
                 fmt::format("{} is {}: expected no path or query after the host", origin, url));
  return Endpoint{std::move(url), std::move(origin)};
}

}  // namespace

Result<Endpoint> ResolveEndpoint(const ServiceDef& service, const std::string& region,
                                 const Environment& environment, const ProfileFiles& files,
                                 const std::string& profile) {
  const bool is_ignored = Lookup(environment, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") == "true";
  if (!is_ignored) {
    for (const std::string& variable : {"AWS_ENDPOINT_URL_" + std::string(service.endpoint_env),
                                        std::string("AWS_ENDPOINT_URL")}) {
      if (const auto url = Lookup(environment, variable)) return Checked(*url, variable);
    }
    if (const auto settings = files.profiles.find(profile); settings != files.profiles.end()) {
      if (const auto section = Lookup(settings->second, "services")) {
        if (const auto services = files.services.find(*section); services != files.services.end()) {
          if (const auto url =
                  Lookup(services->second, std::string(service.config_key) + ".endpoint_url"))
            return Checked(*url, fmt::format("services {}: {}", *section, service.config_key));
        }
      }
      if (const auto url = Lookup(settings->second, "endpoint_url"))
        return Checked(*url, fmt::format("profile {}: endpoint_url", profile));
    }
  }
  if (!service.only_region.empty() && region != service.only_region) {
    return Error(ErrorCode::kConfig,
                 fmt::format("{} is offered in {} only, not in {}; set aws.region: {}", service.id,
                             service.only_region, region, service.only_region));
  }
  std::string host(service.host_pattern);
  if (const auto at = host.find("{region}"); at != std::string::npos) host.replace(at, 8, region);
  return Endpoint{"https://" + host, "AWS's rule"};
}

}  // namespace pcw::aws
