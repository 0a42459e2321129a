// HTTP as values: a request, a response, and the port that exchanges one for the other.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pcw/base/result.h"

namespace pcw::net {

using Headers = std::vector<std::pair<std::string, std::string>>;

/// One request. `url` is absolute (scheme, host, optional port, path, query) and already
/// percent-encoded; it is sent as it stands, also with "..", "//" and a method of any name.
struct HttpRequest {
  std::string method = "POST";
  std::string url;
  Headers headers;
  std::string body;
  /// Instead of `body`, a body that somebody else holds until the exchange ends: objects of many
  /// megabytes are not copied.
  std::string_view borrowed_body{};

  std::string_view payload() const { return borrowed_body.empty() ? body : borrowed_body; }
};

/// The first header of that name, case-insensitively.
std::optional<std::string_view> FindHeader(const Headers& headers, std::string_view name);

/// One complete response: Content-Length or the last chunk was seen. Any status is a response, also
/// 404 and 503.
struct HttpResponse {
  int status = 0;
  Headers headers;
  std::string body;
  std::chrono::microseconds elapsed{0};

  /// The first header of that name, case-insensitively.
  std::optional<std::string_view> Header(std::string_view name) const {
    return FindHeader(headers, name);
  }
};

/// Bounds of one exchange (I12). All run from its start; none is an idle time.
struct HttpLimits {
  std::chrono::milliseconds connect{3'000};
  std::chrono::milliseconds first_byte{15'000};  ///< until the answer begins
  std::chrono::milliseconds total{60'000};
  std::size_t max_body_bytes = 16U << 20U;
  std::size_t max_header_bytes = 64U << 10U;
};

/// Sends requests. Does not retry, sign, follow redirects or judge statuses.
///
/// Errors: kTimeout (a deadline passed), kUnavailable (DNS, refused, reset, truncated, over a cap,
/// TLS; the message names which, and context `net` holds one of
/// dns|connect|tls|send|receive|truncated|too_large), kCancelled, kConfig (URL or plain http to a
/// host that is not loopback). TLS failures that a retry cannot fix (bad certificate, wrong host
/// name) carry context `permanent`="true".
class HttpClient {
 public:
  virtual ~HttpClient() = default;
  virtual Result<HttpResponse> Send(const HttpRequest& request, const HttpLimits& limits,
                                    std::stop_token stop) = 0;
};

}  // namespace pcw::net
