// Runbook 1.4: the way to AWS.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "pcw/base/time.h"
#include "pcw/diagnose/catalogue.h"
#include "pcw/diagnose/rules.h"
#include "pcw/net/url.h"

namespace pcw::diagnose {
namespace {

using net::EndpointProbe;
using net::ProbeFailure;

constexpr std::chrono::milliseconds kSlowAnswer{1'000};
constexpr std::chrono::hours kEndsSoonForCertificates{14 * 24};

std::string HostOf(const EndpointFacts& endpoint) {
  const Result<net::Url> url = net::ParseUrl(endpoint.url);
  return url ? url->host : endpoint.url;
}

// RFC 1918 and unique local addresses: what a VPC endpoint has.
bool IsPrivate(const std::string& address) {
  if (address.starts_with("10.") || address.starts_with("192.168.") || address.starts_with("fd") ||
      address.starts_with("fc"))
    return true;
  const bool is_172 = address.starts_with("172.");
  if (!is_172 && !address.starts_with("100.")) return false;
  const int second = std::atoi(address.c_str() + 4);
  // 100.64.0.0/10 is what many EKS subnets use.
  return is_172 ? second >= 16 && second <= 31 : second >= 64 && second <= 127;
}

enum class Path { kLoopback, kVpcEndpoint, kInternet };

Path PathOf(const EndpointProbe& probe) {
  const std::string& address =
      !probe.address.empty() ? probe.address
                             : (probe.addresses.empty() ? probe.address : probe.addresses.front());
  if (net::IsLoopbackHost(address)) return Path::kLoopback;
  return IsPrivate(address) ? Path::kVpcEndpoint : Path::kInternet;
}

std::string_view TextOf(Path path) {
  switch (path) {
    case Path::kLoopback:
      return "this machine";
    case Path::kVpcEndpoint:
      return "a private address: a VPC endpoint";
    case Path::kInternet:
      return "a public address: through NAT or an internet gateway";
  }
  return "";
}

std::string_view CodeOf(ProbeFailure failure) {
  switch (failure) {
    case ProbeFailure::kNone:
      return "";
    case ProbeFailure::kNameUnknown:
      return "PCW1401";
    case ProbeFailure::kResolverSilent:
      return "PCW1402";
    case ProbeFailure::kRefused:
      return "PCW1403";
    case ProbeFailure::kUnreachable:
      return "PCW1413";
    case ProbeFailure::kTimeout:
      return "PCW1404";
    case ProbeFailure::kProxyUnreachable:
    case ProbeFailure::kProxyRefused:
      return "PCW1408";
    case ProbeFailure::kCertificateUntrusted:
      return "PCW1405";
    case ProbeFailure::kCertificateExpired:
      return "PCW1406";
    case ProbeFailure::kCertificateName:
      return "PCW1407";
    case ProbeFailure::kTls:
      return "PCW1412";
    case ProbeFailure::kNoAnswer:
      return "PCW1415";
  }
  return "";
}

bool IsExempt(const Facts& facts, const std::string& host) {
  for (const char* name : {"NO_PROXY", "no_proxy"}) {
    const auto found = facts.settings.environment.find(name);
    if (found == facts.settings.environment.end()) continue;
    std::string_view list = found->second;
    while (!list.empty()) {
      const auto end = std::min(list.find(','), list.size());
      std::string_view suffix = list.substr(0, end);
      list.remove_prefix(std::min(end + 1, list.size()));
      while (suffix.starts_with(' ') || suffix.starts_with('*') || suffix.starts_with('.'))
        suffix.remove_prefix(1);
      if (!suffix.empty() && host.ends_with(suffix)) return true;
    }
  }
  return false;
}

// The proxy that the environment names and pcw does not use, as aws.proxy wants it.
std::string UnusedProxy(const Facts& facts, const std::string& host) {
  if (!facts.settings.proxy.empty() || IsExempt(facts, host)) return "";
  for (const char* name : {"HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"}) {
    const auto found = facts.settings.environment.find(name);
    if (found == facts.settings.environment.end() || found->second.empty()) continue;
    std::string_view rest = found->second;
    if (const auto scheme = rest.find("://"); scheme != std::string_view::npos)
      rest.remove_prefix(scheme + 3);
    // A name and password belong to nobody's screen.
    if (const auto login = rest.rfind('@'); login != std::string_view::npos)
      rest.remove_prefix(login + 1);
    while (rest.ends_with('/')) rest.remove_suffix(1);
    return fmt::format("http://{}", rest);
  }
  return "";
}

std::vector<std::string> StepsOnTheNetwork(const EndpointFacts& endpoint) {
  const std::string host = HostOf(endpoint);
  if (endpoint.probe && PathOf(*endpoint.probe) == Path::kVpcEndpoint) {
    return {fmt::format("aws ec2 describe-vpc-endpoints --filters "
                        "'Name=service-name,Values=*{}*'   # state available, private DNS on",
                        endpoint.service),
            "allow inbound 443 from pcw's security group in the VPC endpoint's security group, and "
            "outbound 443 in pcw's own"};
  }
  return {"aws ec2 describe-security-groups --group-ids SG   # outbound 443 must be allowed",
          "aws ec2 describe-nat-gateways --filter Name=state,Values=available   # the subnet's "
          "route must lead to one, or to a VPC endpoint",
          fmt::format("from the same machine: curl -sv --max-time 5 https://{}/", host)};
}

std::vector<std::string> StepsFor(const Facts& facts, const EndpointFacts& endpoint) {
  const EndpointProbe& probe = *endpoint.probe;
  const std::string host = HostOf(endpoint);
  switch (probe.failure) {
    case ProbeFailure::kNameUnknown:
      return {fmt::format("nslookup {}", host),
              "pcw config show --origin   # aws.region, AWS_ENDPOINT_URL*; Partner Central is "
              "offered in us-east-1 only"};
    case ProbeFailure::kResolverSilent:
      return {
          fmt::format("nslookup {}", host),
          "see that /etc/resolv.conf names a resolver that answers, and that UDP and TCP 53 are "
          "allowed"};
    case ProbeFailure::kRefused:
    case ProbeFailure::kUnreachable:
    case ProbeFailure::kTimeout:
    case ProbeFailure::kNoAnswer:
      return StepsOnTheNetwork(endpoint);
    case ProbeFailure::kProxyUnreachable:
    case ProbeFailure::kProxyRefused:
      return {fmt::format("curl -sv --proxy {} https://{}/   # as pcw does", facts.settings.proxy,
                          host),
              fmt::format("allow CONNECT to {}:443 in the proxy, or unset aws.proxy", host)};
    case ProbeFailure::kCertificateUntrusted:
      return {
          fmt::format("openssl s_client -connect {0}:443 -servername {0} </dev/null", host),
          "export AWS_CA_BUNDLE=/path/to/the/inspector's-authority.pem, or exempt the host from "
          "TLS inspection"};
    case ProbeFailure::kCertificateExpired:
    case ProbeFailure::kCertificateName:
      return {
          fmt::format("openssl s_client -connect {0}:443 -servername {0} </dev/null | openssl "
                      "x509 -noout -subject -dates -ext subjectAltName",
                      host)};
    case ProbeFailure::kTls:
      return {fmt::format("openssl s_client -tls1_2 -connect {0}:443 -servername {0} </dev/null",
                          host)};
    case ProbeFailure::kNone:
      break;
  }
  return {};
}

std::string MessageOf(const EndpointFacts& endpoint, const Facts& facts) {
  const EndpointProbe& probe = *endpoint.probe;
  const std::string host = HostOf(endpoint);
  const std::string peer = probe.certificate ? probe.certificate->issuer : "unknown";
  switch (probe.failure) {
    case ProbeFailure::kNameUnknown:
      return fmt::format("{} does not exist (NXDOMAIN)", host);
    case ProbeFailure::kResolverSilent:
      return fmt::format("{} cannot be resolved: {}", host, probe.detail);
    case ProbeFailure::kRefused:
      return fmt::format("{} refuses the connection", host);
    case ProbeFailure::kUnreachable:
      return fmt::format("there is no route to {}: {}", host, probe.detail);
    case ProbeFailure::kTimeout:
      return fmt::format("{} does not answer to a connection within the time", host);
    case ProbeFailure::kProxyUnreachable:
      return fmt::format("the proxy {} cannot be reached: {}", facts.settings.proxy, probe.detail);
    case ProbeFailure::kProxyRefused:
      return fmt::format("the proxy {} does not let {} through: {}", facts.settings.proxy, host,
                         probe.detail);
    case ProbeFailure::kCertificateUntrusted:
      return fmt::format("the certificate of {} is issued by {}, whom this machine does not trust",
                         host, peer);
    case ProbeFailure::kCertificateExpired:
      if (probe.detail.find("not yet valid") != std::string::npos)
        return fmt::format(
            "the certificate of {} is not valid yet: is this machine's clock behind?", host);
      return fmt::format("the certificate of {} ended {}", host,
                         probe.certificate ? probe.certificate->not_after : "before now");
    case ProbeFailure::kCertificateName:
      return fmt::format("the certificate that {} shows is for {}", host,
                         probe.certificate && !probe.certificate->names.empty()
                             ? probe.certificate->names
                             : "another host");
    case ProbeFailure::kTls:
      if (probe.detail.find("certificate file") != std::string::npos ||
          probe.detail.find("certificate verify locations") != std::string::npos)
        return fmt::format("AWS_CA_BUNDLE cannot be used: {}", probe.detail);
      return fmt::format("the TLS handshake with {} fails: {}", host, probe.detail);
    case ProbeFailure::kNoAnswer:
      return fmt::format("{} accepts the connection and answers nothing: {}", host, probe.detail);
    case ProbeFailure::kNone:
      break;
  }
  return "";
}

void AddEvidence(Finding& finding, const EndpointFacts& endpoint) {
  const EndpointProbe& probe = *endpoint.probe;
  finding.evidence.emplace_back("endpoint", endpoint.url);
  finding.evidence.emplace_back("from", endpoint.origin);
  if (!probe.addresses.empty())
    finding.evidence.emplace_back("addresses", fmt::format("{}", fmt::join(probe.addresses, ", ")));
  if (!probe.address.empty() || !probe.addresses.empty())
    finding.evidence.emplace_back("path", std::string(TextOf(PathOf(probe))));
  if (!probe.detail.empty()) finding.evidence.emplace_back("said", probe.detail);
  if (probe.certificate) {
    finding.evidence.emplace_back("certificate", probe.certificate->subject);
    finding.evidence.emplace_back("issuer", probe.certificate->issuer);
    finding.evidence.emplace_back("valid_until", probe.certificate->not_after);
  }
}

Finding FailureFinding(const Facts& facts, const EndpointFacts& endpoint) {
  Finding finding;
  const ProbeFailure failure = endpoint.probe->failure;
  const bool is_network = failure == ProbeFailure::kRefused || failure == ProbeFailure::kTimeout ||
                          failure == ProbeFailure::kUnreachable;
  finding.resource = HostOf(endpoint);
  finding.message = MessageOf(endpoint, facts);
  finding.next_steps = StepsFor(facts, endpoint);
  const bool is_private = PathOf(*endpoint.probe) == Path::kVpcEndpoint;
  if (const std::string proxy = UnusedProxy(facts, finding.resource);
      is_network && !proxy.empty() && !endpoint.is_override && !is_private) {
    finding.def = &DefOf("PCW1408");
    finding.message +=
        fmt::format("; the environment names a proxy ({}) that pcw does not use", proxy);
    finding.next_steps = {fmt::format(
        "pcw --set aws.proxy={} doctor connectivity   # then set aws.proxy in the configuration; "
        "pcw logs in to no proxy",
        proxy)};
  } else if (endpoint.is_override && (is_network || failure == ProbeFailure::kNameUnknown ||
                                      failure == ProbeFailure::kNoAnswer)) {
    finding.def = &DefOf("PCW1409");
    finding.message = fmt::format("{} comes from {} and does not work: {}", endpoint.url,
                                  endpoint.origin, finding.message);
    finding.next_steps = {endpoint.origin.starts_with("AWS_")
                              ? fmt::format("unset {}", endpoint.origin)
                              : fmt::format("remove it: {}", endpoint.origin),
                          "pcw config show --origin"};
  } else {
    finding.def = &DefOf(CodeOf(failure));
  }
  AddEvidence(finding, endpoint);
  return finding;
}

Finding PathFinding(const EndpointFacts& endpoint) {
  const EndpointProbe& probe = *endpoint.probe;
  Finding finding;
  finding.def = &DefOf("PCW1411");
  finding.resource = HostOf(endpoint);
  finding.message = fmt::format(
      "{} is reached at {} ({}): {} ms to connect, {} ms for TLS, {} ms "
      "for an answer",
      endpoint.service, probe.address, TextOf(PathOf(probe)), probe.connect.count(),
      probe.tls.count(), probe.answer.count());
  AddEvidence(finding, endpoint);
  if (endpoint.service == "partnercentral-selling") {
    finding.evidence.emplace_back(
        "not",
        "partnercentral.us-east-1.amazonaws.com, the name in the runbook: AWS has no such host; "
        "Partner Central is reached at api.aws only");
  }
  return finding;
}

}  // namespace

bool IsBlocked(const Facts& facts, std::string_view service) {
  return std::any_of(facts.endpoints.begin(), facts.endpoints.end(), [&](const EndpointFacts& e) {
    return e.service == service && e.probe && e.probe->failure != ProbeFailure::kNone;
  });
}

std::vector<Finding> JudgeConnectivity(const Facts& facts) {
  std::vector<Finding> findings;
  for (const EndpointFacts& endpoint : facts.endpoints) {
    if (!endpoint.probe) continue;
    const EndpointProbe& probe = *endpoint.probe;
    if (probe.failure != ProbeFailure::kNone) {
      Finding finding = FailureFinding(facts, endpoint);
      // One cause behind several services is one finding.
      const auto same = std::find_if(findings.begin(), findings.end(), [&](const Finding& other) {
        return other.def == finding.def &&
               (other.resource == finding.resource || finding.def->code == "PCW1409" ||
                finding.def->code == "PCW1408" || finding.def->code == "PCW1402");
      });
      if (same == findings.end()) {
        findings.push_back(std::move(finding));
      } else {
        same->evidence.emplace_back("also",
                                    fmt::format("{} at {}", endpoint.service, endpoint.url));
      }
      continue;
    }
    if (probe.status >= 500) {
      findings.push_back(
          {.def = &DefOf("PCW1414"),
           .resource = HostOf(endpoint),
           .message = fmt::format("{} answers with status {}", endpoint.service, probe.status),
           .evidence = {{"endpoint", endpoint.url}},
           .next_steps = {"open https://health.aws.amazon.com/health/status"}});
    }
    if (probe.answer + probe.connect + probe.tls > kSlowAnswer) {
      findings.push_back(
          {.def = &DefOf("PCW1410"),
           .resource = HostOf(endpoint),
           .message = fmt::format("{} needed {} ms to connect, {} ms for TLS and {} ms to answer",
                                  endpoint.service, probe.connect.count(), probe.tls.count(),
                                  probe.answer.count()),
           .evidence = {{"endpoint", endpoint.url}},
           .next_steps = {fmt::format("curl -so /dev/null -w '%{{time_connect}} "
                                      "%{{time_appconnect}} %{{time_total}}\\n' {}/",
                                      endpoint.url)}});
    }
    if (probe.certificate && probe.certificate->expires_at &&
        *probe.certificate->expires_at - facts.now < kEndsSoonForCertificates) {
      findings.push_back({.def = &DefOf("PCW1416"),
                          .resource = HostOf(endpoint),
                          .message = fmt::format("the certificate of {} ends {}", HostOf(endpoint),
                                                 probe.certificate->not_after),
                          .evidence = {{"issuer", probe.certificate->issuer}},
                          .next_steps = {"renew it where the endpoint is run"}});
    }
    findings.push_back(PathFinding(endpoint));
  }
  return findings;
}

}  // namespace pcw::diagnose
