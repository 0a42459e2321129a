#include "pcw/net/url.h"

#include <charconv>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "pcw/base/storable_text.h"

namespace pcw::net {

Result<Url> ParseUrl(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return Error(ErrorCode::kConfig,
                 fmt::format("\"{}\" is not a usable URL: {}; expected https://host[:port]",
                             CutAtCharacter(text, 200), why));
  };
  Url url;
  if (text.starts_with("https://")) url.scheme = "https";
  if (text.starts_with("http://")) url.scheme = "http";
  if (url.scheme.empty()) return bad("it begins with neither https:// nor http://");
  std::string_view rest = text.substr(url.scheme.size() + 3);
  const auto slash = rest.find_first_of("/?#");
  std::string_view authority = rest.substr(0, slash);
  url.path = slash == std::string_view::npos ? "/" : std::string(rest.substr(slash));
  if (url.path.front() != '/') url.path.insert(0, "/");
  if (authority.find('@') != std::string_view::npos) return bad("a user name or password in it");
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f)
      return bad("a character that must be percent-encoded");
  }

  std::string_view port;
  std::string_view host = authority;
  if (authority.starts_with('[')) {
    const auto close = authority.find(']');
    if (close == std::string_view::npos) return bad("a bracket that is not closed");
    host = authority.substr(1, close - 1);
    port = authority.substr(close + 1);
  } else if (const auto colon = authority.find(':'); colon != std::string_view::npos) {
    host = authority.substr(0, colon);
    port = authority.substr(colon);
  }
  if (host.empty()) return bad("no host");
  int number = url.scheme == "https" ? 443 : 80;
  const int standard = number;
  if (!port.empty()) {
    port.remove_prefix(1);
    const auto [end, status] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (status != std::errc() || end != port.data() + port.size() || number < 1 || number > 65535)
      return bad("a bad port");
  }
  url.host = host;
  url.authority = authority.starts_with('[') ? fmt::format("[{}]", host) : std::string(host);
  if (number != standard) url.authority += fmt::format(":{}", number);
  return url;
}

bool IsIpAddress(std::string_view host) {
  const std::string text(host);
  in_addr four{};
  in6_addr six{};
  return ::inet_pton(AF_INET, text.c_str(), &four) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), &six) == 1;
}

bool IsLoopbackHost(std::string_view host) {
  if (host == "localhost") return true;
  const std::string text(host);
  in_addr four{};
  if (::inet_pton(AF_INET, text.c_str(), &four) == 1) return (ntohl(four.s_addr) >> 24U) == 127;
  in6_addr six{};
  return ::inet_pton(AF_INET6, text.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

}  // namespace pcw::net
