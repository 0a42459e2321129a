// Addresses and networks, and who a request is from when proxies stand between.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/base/result.h"
#include "pcw/net/server/message.h"

namespace pcw::net::server {

/// A set of IP networks. A value; an IPv4 address and its IPv6-mapped form are the same.
class AddressSet {
 public:
  AddressSet() = default;
  /// "10.0.0.0/8", "2001:db8::/32", "192.0.2.7". kConfig with the first that is none, or that has
  /// bits beyond its prefix.
  static Result<AddressSet> Parse(const std::vector<std::string>& networks);

  bool Contains(std::string_view address) const;
  bool empty() const { return networks_.empty(); }

 private:
  struct Network {
    std::array<std::uint8_t, 16> bytes{};
    unsigned bits = 0;
  };
  std::vector<Network> networks_;
};

/// Whom a request is from: the peer, unless it is one of the `trusted` proxies; then the rightmost
/// address of X-Forwarded-For that is not one of them. What stands left of that was written by
/// whoever sent the request and proves nothing. An entry that is not an address ends the walk: the
/// proxy that passed it on is the client.
std::string ClientOf(const Request& request, const AddressSet& trusted);

}  // namespace pcw::net::server
