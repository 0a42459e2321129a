#include "pcw/net/server/head_rules.h"

#include <algorithm>
#include <array>

#include <boost/beast/core/string.hpp>

namespace pcw::net::server {

namespace http = boost::beast::http;

std::optional<Refusal> CheckHead(const RequestHead& head) {
  if (head.method() == http::verb::unknown) return Refusal{501, "unknown method"};
  // All bodies here are small: refusing every transfer coding closes the whole smuggling family.
  if (head.count(http::field::transfer_encoding) > 0) {
    return Refusal{411, "Content-Length is required; chunked requests are not accepted"};
  }
  const auto hosts = head.count(http::field::host);
  if (hosts > 1 || (hosts == 0 && head.version() >= 11)) {
    return Refusal{400, "exactly one Host header is required"};
  }
  static constexpr std::array kSingle{http::field::authorization, http::field::content_type,
                                      http::field::content_length};
  for (const http::field name : kSingle) {
    if (head.count(name) > 1) return Refusal{400, "a header that may appear once is repeated"};
  }
  // The parser takes "2, 2" for 2; whoever stands in front of this server may not.
  const auto length = head[http::field::content_length];
  if (!std::all_of(length.begin(), length.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    return Refusal{400, "Content-Length must be one number"};
  }
  if (head.count("Idempotency-Key") > 1) {
    return Refusal{400, "a header that may appear once is repeated"};
  }
  if (head.count(http::field::upgrade) > 0 || head.count(http::field::trailer) > 0) {
    return Refusal{400, "Upgrade and Trailer are not accepted"};
  }
  if (head.count(http::field::expect) > 0 && !ExpectsContinue(head)) {
    return Refusal{417, "only Expect: 100-continue is understood"};
  }
  const auto target = head.target();
  const bool visible =
      std::all_of(target.begin(), target.end(), [](char c) { return c >= 0x21 && c <= 0x7e; });
  if (target.empty() || target.front() != '/' || !visible) {
    return Refusal{400, "the target must be an absolute path"};
  }
  return std::nullopt;
}

bool ExpectsContinue(const RequestHead& head) {
  return head.count(http::field::expect) == 1 &&
         boost::beast::iequals(head[http::field::expect], "100-continue");
}

}  // namespace pcw::net::server
