#include "pcw/net/endpoint_probe.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <thread>

#include <arpa/inet.h>
#include <curl/curl.h>
#include <fmt/format.h>
#include <netdb.h>

#include "pcw/base/time.h"
#include "pcw/net/url.h"

namespace pcw::net {
namespace {

using std::chrono::milliseconds;

// Codes of X509_V_ERR_* that libcurl passes on (openssl/x509_vfy.h).
constexpr long kCertNotYetValid = 9;
constexpr long kCertHasExpired = 10;

struct Resolution {
  int code = 0;
  bool is_done = false;
  std::vector<std::string> addresses;
  std::mutex mutex;
  std::condition_variable_any done;
};

std::string AddressText(const addrinfo& info) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  // The layouts of the socket API; which one is told by ai_family.
  if (info.ai_family == AF_INET) {
    sockaddr_in address{};
    std::memcpy(&address, info.ai_addr, sizeof address);
    ::inet_ntop(AF_INET, &address.sin_addr, text.data(), text.size());
  } else if (info.ai_family == AF_INET6) {
    sockaddr_in6 address{};
    std::memcpy(&address, info.ai_addr, sizeof address);
    ::inet_ntop(AF_INET6, &address.sin6_addr, text.data(), text.size());
  }
  return text.data();
}

// getaddrinfo cannot be interrupted: a thread that outlives us asks, and ends when the resolver
// gives up.
void Resolve(const std::string& host, const ProbeOptions& options, EndpointProbe& probe,
             std::stop_token stop) {
  const auto started = std::chrono::steady_clock::now();
  const auto shared = std::make_shared<Resolution>();
  std::thread([shared, host] {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int code = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
    const std::lock_guard lock(shared->mutex);
    shared->code = code;
    for (const addrinfo* info = found; code == 0 && info != nullptr; info = info->ai_next)
      shared->addresses.push_back(AddressText(*info));
    if (code == 0) ::freeaddrinfo(found);
    shared->is_done = true;
    shared->done.notify_all();
  }).detach();
  std::unique_lock lock(shared->mutex);
  const bool is_done =
      shared->done.wait_for(lock, stop, options.step, [&shared] { return shared->is_done; });
  probe.resolve =
      std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - started);
  if (!is_done) {
    probe.failure = ProbeFailure::kResolverSilent;
    probe.detail = fmt::format("no answer within {} ms", options.step.count());
  } else if (shared->code != 0) {
    const bool is_unknown = shared->code == EAI_NONAME || shared->code == EAI_NODATA;
    probe.failure = is_unknown ? ProbeFailure::kNameUnknown : ProbeFailure::kResolverSilent;
    probe.detail = ::gai_strerror(shared->code);
  } else {
    probe.addresses = shared->addresses;
  }
}

std::size_t Ignore(char* /*data*/, std::size_t size, std::size_t count, void* /*context*/) {
  return size * count;
}

std::size_t ReadDate(char* data, std::size_t size, std::size_t count, void* context) {
  constexpr std::string_view kDate = "date:";
  std::string_view line(data, size * count);
  if (line.size() > kDate.size() && curl_strnequal(line.data(), kDate.data(), kDate.size()) != 0) {
    line.remove_prefix(kDate.size());
    while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
    while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
    if (const Result<WallTime> date = ParseHttpDate(line))
      *static_cast<std::optional<WallTime>*>(context) = *date;
  }
  return size * count;
}

int OnProgress(void* context, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<std::stop_token*>(context)->stop_requested() ? 1 : 0;
}

struct CurlDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using Curl = std::unique_ptr<CURL, CurlDeleter>;

Curl Open(const std::string& url, const ProbeOptions& options, std::stop_token& stop) {
  Curl curl(curl_easy_init());
  CURL* handle = curl.get();
  curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "https,http");
  curl_easy_setopt(handle, CURLOPT_PROXY, options.proxy.c_str());
  // Explicit, so that the environment's NO_PROXY counts as little as its HTTPS_PROXY.
  curl_easy_setopt(handle, CURLOPT_NOPROXY, kNeverThroughAProxy);
  curl_easy_setopt(handle, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
  if (!options.ca_bundle.empty())
    curl_easy_setopt(handle, CURLOPT_CAINFO, options.ca_bundle.c_str());
  curl_easy_setopt(handle, CURLOPT_CERTINFO, 1L);
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.step.count()));
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(2 * options.step.count()));
  curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, OnProgress);
  curl_easy_setopt(handle, CURLOPT_XFERINFODATA, &stop);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, Ignore);
  return curl;
}

milliseconds TimeOf(CURL* handle, CURLINFO info) {
  curl_off_t microseconds = 0;
  curl_easy_getinfo(handle, info, &microseconds);
  return milliseconds(microseconds / 1000);
}

// Whether a step was done at all: on this machine it takes less than a millisecond.
bool WasDone(CURL* handle, CURLINFO info) {
  curl_off_t microseconds = 0;
  curl_easy_getinfo(handle, info, &microseconds);
  return microseconds > 0;
}

std::optional<PeerCertificate> CertificateOf(CURL* handle) {
  curl_certinfo* chain = nullptr;
  if (curl_easy_getinfo(handle, CURLINFO_CERTINFO, &chain) != CURLE_OK || chain == nullptr ||
      chain->num_of_certs == 0)
    return std::nullopt;
  PeerCertificate certificate;
  for (const curl_slist* line = chain->certinfo[0]; line != nullptr; line = line->next) {
    const std::string_view text(line->data);
    const auto take = [&](std::string_view name, std::string& into) {
      if (text.starts_with(name)) into = text.substr(name.size());
    };
    take("Subject:", certificate.subject);
    take("Issuer:", certificate.issuer);
    take("Expire date:", certificate.not_after);
    take("X509v3 Subject Alternative Name:", certificate.names);
  }
  const time_t end = curl_getdate(certificate.not_after.c_str(), nullptr);
  if (end >= 0) certificate.expires_at = WallTime(std::chrono::seconds(end));
  return certificate;
}

// What is shown by somebody we do not trust: for evidence only, nothing is sent.
std::optional<PeerCertificate> UncheckedCertificate(const std::string& url,
                                                    const ProbeOptions& options,
                                                    std::stop_token stop) {
  const Curl curl = Open(url, options, stop);
  curl_easy_setopt(curl.get(), CURLOPT_SSL_VERIFYPEER, 0L);
  curl_easy_setopt(curl.get(), CURLOPT_SSL_VERIFYHOST, 0L);
  curl_easy_setopt(curl.get(), CURLOPT_CONNECT_ONLY, 1L);
  if (curl_easy_perform(curl.get()) != CURLE_OK) return std::nullopt;
  return CertificateOf(curl.get());
}

ProbeFailure CertificateFailure(CURL* handle, std::string_view detail) {
  long verified = 0;
  curl_easy_getinfo(handle, CURLINFO_SSL_VERIFYRESULT, &verified);
  if (verified == kCertHasExpired || verified == kCertNotYetValid ||
      detail.find("expired") != std::string_view::npos)
    return ProbeFailure::kCertificateExpired;
  // libcurl compares the name itself, after the chain was found good.
  const bool is_name = verified == 0 || detail.find("subject name") != std::string_view::npos;
  return is_name ? ProbeFailure::kCertificateName : ProbeFailure::kCertificateUntrusted;
}

// What the proxy said to CONNECT; 0 = nothing.
long TunnelStatus(CURL* handle) {
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_HTTP_CONNECTCODE, &status);
  return status;
}

ProbeFailure FailureOf(CURL* handle, CURLcode code, const ProbeOptions& options, bool is_https,
                       std::string_view detail) {
  const bool has_proxy = !options.proxy.empty();
  long system_error = 0;
  curl_easy_getinfo(handle, CURLINFO_OS_ERRNO, &system_error);
  switch (code) {
    case CURLE_OK:
      return ProbeFailure::kNone;
    case CURLE_COULDNT_RESOLVE_PROXY:
      return ProbeFailure::kProxyUnreachable;
    case CURLE_COULDNT_RESOLVE_HOST:
      return ProbeFailure::kResolverSilent;
    case CURLE_COULDNT_CONNECT:
      if (has_proxy) return ProbeFailure::kProxyUnreachable;
      return system_error == ECONNREFUSED ? ProbeFailure::kRefused : ProbeFailure::kUnreachable;
    case CURLE_OPERATION_TIMEDOUT:
      if (!WasDone(handle, CURLINFO_CONNECT_TIME_T))
        return has_proxy ? ProbeFailure::kProxyUnreachable : ProbeFailure::kTimeout;
      if (is_https && !WasDone(handle, CURLINFO_APPCONNECT_TIME_T))
        return has_proxy && TunnelStatus(handle) == 0 ? ProbeFailure::kProxyRefused
                                                      : ProbeFailure::kTls;
      return ProbeFailure::kNoAnswer;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
      return CertificateFailure(handle, detail);
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
      return ProbeFailure::kTls;
    default: {
      const long tunnel_status = TunnelStatus(handle);
      if (has_proxy && tunnel_status / 100 != 2 && tunnel_status != 0)
        return ProbeFailure::kProxyRefused;
      return ProbeFailure::kNoAnswer;
    }
  }
}

}  // namespace

Result<EndpointProbe> ProbeEndpoint(const std::string& url, const ProbeOptions& options,
                                    const Clock& clock, std::stop_token stop) {
  PCW_TRY(const Url parts, ParseUrl(url));
  const bool is_https = parts.scheme == "https";
  EndpointProbe probe;
  if (options.proxy.empty()) {
    Resolve(parts.host, options, probe, stop);
    if (probe.failure != ProbeFailure::kNone) return probe;
  }
  std::array<char, CURL_ERROR_SIZE> detail{};
  const Curl curl = Open(url + "/", options, stop);
  CURL* handle = curl.get();
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, detail.data());
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, ReadDate);
  curl_easy_setopt(handle, CURLOPT_HEADERDATA, &probe.server_date);
  const CURLcode code = curl_easy_perform(handle);
  probe.asked_at = clock.Now();
  probe.detail = detail.data();
  if (probe.detail.empty() && code != CURLE_OK) probe.detail = curl_easy_strerror(code);
  probe.failure = FailureOf(handle, code, options, is_https, probe.detail);

  const char* address = nullptr;
  curl_easy_getinfo(handle, CURLINFO_PRIMARY_IP, &address);
  if (address != nullptr) probe.address = address;
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  probe.status = static_cast<int>(status);
  const milliseconds named = TimeOf(handle, CURLINFO_NAMELOOKUP_TIME_T);
  const milliseconds connected = TimeOf(handle, CURLINFO_CONNECT_TIME_T);
  const milliseconds secured = TimeOf(handle, CURLINFO_APPCONNECT_TIME_T);
  const milliseconds answered = TimeOf(handle, CURLINFO_STARTTRANSFER_TIME_T);
  probe.connect = std::max(milliseconds(0), connected - named);
  probe.tls = std::max(milliseconds(0), secured - connected);
  probe.answer = std::max(milliseconds(0), answered - std::max(connected, secured));
  if (!is_https) return probe;
  probe.certificate = CertificateOf(handle);
  const bool is_refused_certificate = probe.failure == ProbeFailure::kCertificateUntrusted ||
                                      probe.failure == ProbeFailure::kCertificateExpired ||
                                      probe.failure == ProbeFailure::kCertificateName;
  if (is_refused_certificate) probe.certificate = UncheckedCertificate(url, options, stop);
  return probe;
}

}  // namespace pcw::net
