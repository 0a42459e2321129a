#include "pcw/net/url.h"

#include <memory>
#include <optional>

#include <arpa/inet.h>
#include <curl/curl.h>
#include <fmt/format.h>

namespace pcw::net {
namespace {

// What libcurl splits is what it connects to: a reading of our own could be another one.
using UrlHandle = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

std::optional<std::string> Part(const UrlHandle& handle, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(handle.get(), part, &text, flags) != CURLUE_OK || text == nullptr)
    return std::nullopt;
  const std::unique_ptr<char, decltype(&curl_free)> owned(text, curl_free);
  return std::string(text);
}

std::string_view WordsOf(CURLUcode problem) {
  switch (problem) {
    case CURLUE_USER_NOT_ALLOWED:
      return "a user name or password in it";
    case CURLUE_BAD_PORT_NUMBER:
      return "a bad port";
    case CURLUE_NO_HOST:
    case CURLUE_BAD_HOSTNAME:
      return "no host, or a bad one";
    case CURLUE_BAD_IPV6:
      return "a bad IPv6 address";
    default:
      return curl_url_strerror(problem);
  }
}

}  // namespace

Result<Url> ParseUrl(std::string_view text) {
  // The text itself is never repeated: it may hold a password, or be a secret that came by a wrong
  // reference (I29). Callers name the setting.
  const auto bad = [](std::string_view why) {
    return Error(ErrorCode::kConfig,
                 fmt::format("not a usable URL: {}; expected https://host[:port]", why));
  };
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f)
      return bad("a character that must be percent-encoded");
  }
  const auto scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos)
    return bad("it begins with neither https:// nor http://");
  // libcurl takes a slash too many for none.
  if (text.substr(scheme_end + 3).starts_with('/')) return bad("no host");
  const UrlHandle handle(curl_url(), curl_url_cleanup);
  const CURLUcode problem =
      curl_url_set(handle.get(), CURLUPART_URL, std::string(text).c_str(),
                   CURLU_DISALLOW_USER | CURLU_PATH_AS_IS | CURLU_NON_SUPPORT_SCHEME);
  if (problem != CURLUE_OK) return bad(WordsOf(problem));
  Url url;
  url.scheme = Part(handle, CURLUPART_SCHEME).value_or("");
  if (url.scheme != "https" && url.scheme != "http")
    return bad("it begins with neither https:// nor http://");
  std::string host = Part(handle, CURLUPART_HOST).value_or("");
  for (char& c : host) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (host.empty() || host == "[]") return bad("no host");
  url.authority = host;
  url.host = host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
  if (const auto port = Part(handle, CURLUPART_PORT)) {
    if (*port == "0") return bad("a bad port");
    if (*port != (url.scheme == "https" ? "443" : "80")) url.authority += ":" + *port;
  }
  url.path = Part(handle, CURLUPART_PATH).value_or("/");
  if (const auto query = Part(handle, CURLUPART_QUERY)) url.path += "?" + *query;
  if (Part(handle, CURLUPART_FRAGMENT)) return bad("a fragment (#...)");
  return url;
}

std::string ShownUrl(std::string_view text) {
  const Result<Url> url = ParseUrl(text);
  if (!url) return "****";
  return fmt::format("{}://{}{}", url->scheme, url->authority, url->path == "/" ? "" : "/****");
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
