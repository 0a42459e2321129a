// Where the REST interface listens.
#pragma once

#include <cstdint>
#include <string>

#include "pcw/base/result.h"
#include "pcw/config/config.h"

namespace pcw::config {

/// Where server.listen points. kConfig unless it is an IP address and a port, and for another
/// address than loopback without TLS, unless server.insecure_listen says so.
struct ListenAddress {
  std::string address;
  std::uint16_t port = 0;
  bool is_tls = false;
};
Result<ListenAddress> ListenAddressOf(const Config& config);

}  // namespace pcw::config
