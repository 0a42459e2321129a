#include "pcw/config/listen_address.h"

#include <algorithm>
#include <charconv>

#include <arpa/inet.h>
#include <fmt/format.h>

namespace pcw::config {
namespace {

bool IsLoopback(const std::string& address) {
  in_addr four{};
  if (::inet_pton(AF_INET, address.c_str(), &four) == 1) return (ntohl(four.s_addr) >> 24U) == 127;
  return address == "::1";
}

bool IsAddress(const std::string& address) {
  in_addr four{};
  in6_addr six{};
  return ::inet_pton(AF_INET, address.c_str(), &four) == 1 ||
         ::inet_pton(AF_INET6, address.c_str(), &six) == 1;
}

}  // namespace

Result<ListenAddress> ListenAddressOf(const Config& config) {
  const std::string& text = config.server.listen;
  const std::size_t colon = text.rfind(':');
  ListenAddress listen{.address = text.substr(0, std::min(colon, text.size())),
                       .port = 0,
                       .is_tls = !config.server.tls_cert.empty()};
  if (listen.address.starts_with('[') && listen.address.ends_with(']'))
    listen.address = listen.address.substr(1, listen.address.size() - 2);
  const char* const end = text.data() + text.size();
  const char* const begin = colon == std::string::npos ? end : text.data() + colon + 1;
  const auto [stopped, problem] = std::from_chars(begin, end, listen.port);
  if (problem != std::errc() || stopped != end || !IsAddress(listen.address)) {
    return Error(
        ErrorCode::kConfig,
        fmt::format("server.listen: \"{}\", expected an IP address and a port, for example "
                    "127.0.0.1:8080 or [::]:8443",
                    text));
  }
  if (!listen.is_tls && !IsLoopback(listen.address) && !config.server.insecure_listen) {
    return Error(ErrorCode::kConfig,
                 fmt::format("server.listen: {} is not a loopback address, and without TLS tokens "
                             "would travel readable; set server.tls_cert and server.tls_key, or "
                             "listen on 127.0.0.1 behind a proxy, or accept it with "
                             "server.insecure_listen: true",
                             text));
  }
  return listen;
}

}  // namespace pcw::config
