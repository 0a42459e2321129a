// Which addresses a connection may go to, whatever name led there (I32).
#pragma once

struct sockaddr;

namespace pcw::net {

enum class AddressRule {
  kAny,
  kNoMetadata,  ///< not the link-local ones, among which are the metadata services of clouds
  kPublic       ///< nor this machine's, private or reserved ones
};

/// IPv4 and IPv6; an IPv4 address inside an IPv6 one is judged as what it is. Anything else is
/// refused, except by kAny.
bool IsAllowed(AddressRule rule, const sockaddr& address);

}  // namespace pcw::net
