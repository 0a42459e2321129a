// The real HttpClient: libcurl, kept-alive connections, TLS verified.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pcw/net/address_rule.h"
#include "pcw/net/http.h"

namespace pcw::net {

struct CurlOptions {
  std::string ca_bundle;  ///< AWS_CA_BUNDLE; empty = the system's certificates
  std::string proxy;  ///< explicit proxy URL; empty = none (the environment's proxy variables are
                      ///< not used unless asked for)
  std::vector<std::string> plain_http_hosts;  ///< that plain http may go to, beside loopback (I32)
  /// Which addresses a name may lead to. Of a proxy, if there is one, its own.
  AddressRule addresses = AddressRule::kAny;
};

/// Sends through libcurl. An address that `addresses` refuses is not connected to: kConfig with
/// context `net`="refused". Thread-safe: every thread borrows a handle of its own from an internal
/// free list, so connections are kept alive.
class CurlHttpClient final : public HttpClient {
 public:
  explicit CurlHttpClient(CurlOptions options = {});
  ~CurlHttpClient() override;
  Result<HttpResponse> Send(const HttpRequest& request, const HttpLimits& limits,
                            std::stop_token stop) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace pcw::net
