// The parts of an absolute URL, and which hosts plain http may go to.
#pragma once

#include <string>
#include <string_view>

#include "pcw/base/result.h"

namespace pcw::net {

struct Url {
  std::string scheme;     ///< "http" or "https"
  std::string host;       ///< without brackets, in lower case
  std::string authority;  ///< host with brackets and non-default port: what the Host header says
  std::string path;       ///< with the query, begins with "/"
};

/// Splits "scheme://host[:port]/path?query" as libcurl does, which connects to it; scheme and host
/// in lower case. kConfig for other schemes, user names, fragments or a bad port; the message never
/// repeats the text, which may hold a secret.
Result<Url> ParseUrl(std::string_view text);

/// A URL as people may see it: "https://host:8443/****". Its path and query may be what lets one
/// in, and "****" stands for what cannot be read, which may be anything (I29).
std::string ShownUrl(std::string_view text);

/// For CURLOPT_NOPROXY: this machine, which plain http may go to (I32).
inline constexpr const char* kNeverThroughAProxy = "localhost,127.0.0.0/8,::1";

/// An IPv4 or IPv6 address, without brackets.
bool IsIpAddress(std::string_view host);

/// localhost, 127.0.0.0/8 and ::1, literally: names are not resolved.
bool IsLoopbackHost(std::string_view host);

}  // namespace pcw::net
