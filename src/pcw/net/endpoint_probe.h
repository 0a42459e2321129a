// How far one gets on the way to an endpoint, and what stands in it: for diagnosis, not for calls.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "pcw/base/clock.h"
#include "pcw/base/result.h"

namespace pcw::net {

/// Where the way ends. One value a cause, because each has a fix of its own.
enum class ProbeFailure {
  kNone,
  kNameUnknown,           ///< the resolver says that there is no such name
  kResolverSilent,        ///< the resolver does not answer, or only that it cannot
  kRefused,               ///< nobody listens at that port
  kUnreachable,           ///< no route to that address
  kTimeout,               ///< packets vanish
  kProxyUnreachable,      ///< the configured proxy cannot be reached
  kProxyRefused,          ///< the configured proxy does not let this through
  kCertificateUntrusted,  ///< issued by nobody we trust
  kCertificateExpired,
  kCertificateName,  ///< for another host
  kTls,              ///< any other trouble of the handshake
  kNoAnswer          ///< connected, and no answer to a request
};

/// The certificate that the other side shows, checked or not.
struct PeerCertificate {
  std::string subject, issuer;
  std::string names;  ///< subject alternative names, as OpenSSL writes them
  std::string not_after;
  std::optional<WallTime> expires_at;
};

struct EndpointProbe {
  ProbeFailure failure = ProbeFailure::kNone;
  std::string detail;                  ///< in the words of the library that failed
  std::vector<std::string> addresses;  ///< that the name resolves to; empty through a proxy
  std::string address;                 ///< that was connected to
  std::chrono::milliseconds resolve{0}, connect{0}, tls{0},
      answer{0};                               ///< each from the step before
  int status = 0;                              ///< of an unsigned GET / (any status proves the way)
  std::optional<WallTime> server_date;         ///< its Date header
  WallTime asked_at;                           ///< local clock when that answer came
  std::optional<PeerCertificate> certificate;  ///< https only
};

struct ProbeOptions {
  std::string ca_bundle;  ///< empty = the system's
  std::string proxy;      ///< empty = none
  std::chrono::milliseconds step{2'000};
};

/// Resolves, connects, shakes hands and sends `GET /` without credentials; each step within
/// `options.step`. Never fails itself: what fails is in the result. kConfig for a bad URL.
/// Thread-safe.
Result<EndpointProbe> ProbeEndpoint(const std::string& url, const ProbeOptions& options,
                                    const Clock& clock, std::stop_token stop);

}  // namespace pcw::net
