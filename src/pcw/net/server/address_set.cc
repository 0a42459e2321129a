#include "pcw/net/server/address_set.h"

#include <algorithm>
#include <charconv>

#include <arpa/inet.h>
#include <boost/beast/core/string.hpp>
#include <fmt/format.h>

namespace pcw::net::server {
namespace {

using Bytes = std::array<std::uint8_t, 16>;

constexpr unsigned kMappedBits = 96;  // ::ffff:0:0/96 holds the IPv4 addresses

struct Parsed {
  Bytes bytes{};
  bool is_four = false;
};

std::optional<Parsed> ParseAddress(std::string_view text) {
  const std::string copy(text);
  if (copy.find('\0') != std::string::npos) return std::nullopt;
  Parsed parsed;
  in_addr four{};
  if (::inet_pton(AF_INET, copy.c_str(), &four) == 1) {
    parsed.is_four = true;
    parsed.bytes[10] = parsed.bytes[11] = 0xff;
    const std::uint32_t host = ntohl(four.s_addr);
    for (unsigned i = 0; i < 4; ++i)
      parsed.bytes.at(12 + i) = static_cast<std::uint8_t>(host >> (24 - 8 * i));
    return parsed;
  }
  in6_addr six{};
  if (::inet_pton(AF_INET6, copy.c_str(), &six) != 1) return std::nullopt;
  std::copy(std::begin(six.s6_addr), std::end(six.s6_addr), parsed.bytes.begin());
  return parsed;
}

bool HasPrefix(const Bytes& address, const Bytes& network, unsigned bits) {
  const std::size_t whole = bits / 8;
  if (!std::equal(network.begin(), network.begin() + static_cast<std::ptrdiff_t>(whole),
                  address.begin()))
    return false;
  const unsigned rest = bits % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xffU << (8 - rest));
  return (address.at(whole) & mask) == (network.at(whole) & mask);
}

std::string_view Stripped(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Some proxies write the port as well: "192.0.2.7:4711", "[2001:db8::1]:4711", "[2001:db8::1]".
std::string_view WithoutPort(std::string_view entry) {
  if (entry.starts_with('[')) {
    const std::size_t end = entry.find(']');
    return end == std::string_view::npos ? entry : entry.substr(1, end - 1);
  }
  const std::size_t colon = entry.find(':');
  const bool is_one_colon = colon != std::string_view::npos && colon == entry.rfind(':');
  return is_one_colon ? entry.substr(0, colon) : entry;
}

// The header's entries from left to right; a second header goes on where the first ended.
std::vector<std::string_view> ForwardedFor(const Request& request) {
  std::vector<std::string_view> entries;
  for (const auto& [name, value] : request.headers) {
    if (!boost::beast::iequals(name, "X-Forwarded-For")) continue;
    for (std::string_view rest = value;;) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      entries.push_back(Stripped(rest.substr(0, comma)));
      if (comma == rest.size()) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return entries;
}

}  // namespace

Result<AddressSet> AddressSet::Parse(const std::vector<std::string>& networks) {
  AddressSet set;
  for (const std::string& text : networks) {
    const std::size_t slash = std::min(text.find('/'), text.size());
    const auto address = ParseAddress(std::string_view(text).substr(0, slash));
    unsigned most = address && address->is_four ? 32 : 128;
    unsigned bits = most;
    if (slash < text.size()) {
      const char* const end = text.data() + text.size();
      const auto [stopped, problem] = std::from_chars(text.data() + slash + 1, end, bits);
      if (problem != std::errc() || stopped != end) bits = most + 1;
    }
    if (!address || bits > most) {
      return Error(ErrorCode::kConfig,
                   fmt::format("\"{}\", expected a network such as 10.0.0.0/8 or 2001:db8::/32, or "
                               "an address",
                               text));
    }
    Network network{address->bytes, address->is_four ? bits + kMappedBits : bits};
    Bytes masked = network.bytes;
    for (unsigned bit = network.bits; bit < 128; ++bit)
      masked.at(bit / 8) &= static_cast<std::uint8_t>(~(0x80U >> (bit % 8)));
    if (masked != network.bytes) {
      return Error(ErrorCode::kConfig,
                   fmt::format("\"{}\" has bits beyond its prefix, expected a network", text));
    }
    set.networks_.push_back(network);
  }
  return set;
}

bool AddressSet::Contains(std::string_view address) const {
  if (networks_.empty()) return false;
  const auto parsed = ParseAddress(address);
  return parsed && std::any_of(networks_.begin(), networks_.end(), [&](const Network& network) {
           return HasPrefix(parsed->bytes, network.bytes, network.bits);
         });
}

std::string ClientOf(const Request& request, const AddressSet& trusted) {
  std::string client = request.peer;
  if (!trusted.Contains(client)) return client;
  const std::vector<std::string_view> entries = ForwardedFor(request);
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    const std::string_view address = WithoutPort(*entry);
    if (!ParseAddress(address)) return client;
    client = address;
    if (!trusted.Contains(client)) return client;
  }
  return client;
}

}  // namespace pcw::net::server
