#include "pcw/net/address_rule.h"

#include <array>
#include <cstdint>
#include <cstring>

#include <netinet/in.h>
#include <sys/socket.h>

namespace pcw::net {
namespace {

struct Block4 {
  std::uint32_t base;
  int bits;
};

// IANA's special-purpose registry; the first is where metadata services live.
constexpr std::array<Block4, 13> kReserved4{{
    {0xa9fe0000, 16},  // 169.254.0.0/16 link-local
    {0x00000000, 8},   // "this network"
    {0x0a000000, 8},   // 10.0.0.0/8
    {0x64400000, 10},  // 100.64.0.0/10 shared, where ECS and Alibaba have metadata too
    {0x7f000000, 8},   // loopback
    {0xac100000, 12},  // 172.16.0.0/12
    {0xc0000000, 24},  // 192.0.0.0/24
    {0xc0000200, 24},  // documentation
    {0xc0a80000, 16},  // 192.168.0.0/16
    {0xc6120000, 15},  // benchmarking
    {0xc6336400, 24},  // documentation
    {0xcb007100, 24},  // documentation
    {0xe0000000, 3},   // multicast, reserved, broadcast
}};

bool IsIn(std::uint32_t address, const Block4& block) {
  return (address ^ block.base) >> static_cast<unsigned>(32 - block.bits) == 0;
}

bool IsAllowed4(AddressRule rule, std::uint32_t address) {
  if (IsIn(address, kReserved4.front())) return false;
  if (rule == AddressRule::kNoMetadata) return true;
  for (const Block4& block : kReserved4) {
    if (IsIn(address, block)) return false;
  }
  return true;
}

std::uint32_t Embedded4(const std::uint8_t* bytes) {
  return (std::uint32_t{bytes[0]} << 24U) | (std::uint32_t{bytes[1]} << 16U) |
         (std::uint32_t{bytes[2]} << 8U) | bytes[3];
}

bool IsAllowed6(AddressRule rule, const std::uint8_t* bytes) {
  static constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  static constexpr std::array<std::uint8_t, 12> kTranslated{0, 0x64, 0xff, 0x9b, 0, 0,
                                                            0, 0,    0,    0,    0, 0};
  if (std::memcmp(bytes, kMapped.data(), 12) == 0 ||
      std::memcmp(bytes, kTranslated.data(), 12) == 0)
    return IsAllowed4(rule, Embedded4(bytes + 12));
  const bool is_link_local = bytes[0] == 0xfe && (bytes[1] & 0xc0U) == 0x80;
  const bool is_ec2 = bytes[0] == 0xfd && bytes[1] == 0x00 && bytes[2] == 0x0e && bytes[3] == 0xc2;
  if (is_link_local || is_ec2) return false;
  if (rule == AddressRule::kNoMetadata) return true;
  // Of IPv6 only 2000::/3 is given out for the open net; 2001:db8::/32 is for documents.
  const bool is_global = (bytes[0] & 0xe0U) == 0x20;
  const bool is_document =
      bytes[0] == 0x20 && bytes[1] == 0x01 && bytes[2] == 0x0d && bytes[3] == 0xb8;
  return is_global && !is_document;
}

}  // namespace

bool IsAllowed(AddressRule rule, const sockaddr& address) {
  if (rule == AddressRule::kAny) return true;
  if (address.sa_family == AF_INET) {
    sockaddr_in four{};
    std::memcpy(&four, &address, sizeof four);
    return IsAllowed4(rule, ntohl(four.sin_addr.s_addr));
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 six{};
    std::memcpy(&six, &address, sizeof six);
    return IsAllowed6(rule, six.sin6_addr.s6_addr);
  }
  return false;
}

}  // namespace pcw::net
