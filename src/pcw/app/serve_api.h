// Where the role `api` of the service listens. The role itself is StartApi in serve.h.
#pragma once

#include <cstdint>
#include <string>

#include "pcw/app/config.h"
#include "pcw/base/result.h"

namespace pcw::app {

/// Where server.listen points. kConfig unless it is an IP address and a port, and for another
/// address than loopback without TLS, unless server.insecure_listen says so.
struct ListenAddress {
  std::string address;
  std::uint16_t port = 0;
  bool is_tls = false;
};
Result<ListenAddress> ListenAddressOf(const Config& config);

}  // namespace pcw::app
