// Signs requests to the simulated S3 in unit tests, straight from the published algorithm: headers
// are signed, the path stands as on the wire.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "pcw/base/digest.h"
#include "pcw/base/time.h"
#include "pcw/net/server/message.h"
#include "pcw/sim/keys.h"

namespace pcw::sim {

/// What a request to S3 is made of; tests bend single members.
struct S3Parts {
  std::string method = "GET";
  std::string path = "/";  ///< encoded, as it goes on the wire
  std::string query{};     ///< encoded and sorted, "a=1&b="
  net::server::Headers headers{};
  std::string body{};
  std::string host = "127.0.0.1:9000";
  std::string payload_hash{};  ///< empty = the body's
  std::string access_key_id{kAccessKeyId};
  std::string secret{kSecretAccessKey};
  std::string session_token{};
  std::string region = "us-east-1";
  WallTime at{};
};

/// A signed request, and what its body's chunks would be signed with.
struct S3Signed {
  net::server::Request request;
  std::string signing_key;  ///< raw
  std::string signature;
  std::string date;
  std::string scope;
};

inline S3Signed SignForS3(const S3Parts& parts) {
  S3Signed out;
  out.date = FormatIso8601Basic(parts.at);
  const std::string day = out.date.substr(0, 8);
  const std::string hash = parts.payload_hash.empty() ? Sha256Hex(parts.body) : parts.payload_hash;
  net::server::Headers headers = parts.headers;
  headers.emplace_back("host", parts.host);
  headers.emplace_back("x-amz-content-sha256", hash);
  headers.emplace_back("x-amz-date", out.date);
  if (!parts.session_token.empty()) {
    headers.emplace_back("x-amz-security-token", parts.session_token);
  }
  std::sort(headers.begin(), headers.end());
  std::string canonical = fmt::format("{}\n{}\n{}\n", parts.method, parts.path, parts.query);
  std::string names;
  for (const auto& [name, value] : headers) {
    canonical += fmt::format("{}:{}\n", name, value);
    names += (names.empty() ? "" : ";") + name;
  }
  canonical += fmt::format("\n{}\n{}", names, hash);
  out.scope = fmt::format("{}/{}/s3/aws4_request", day, parts.region);
  const Sha256Digest of_day = HmacSha256("AWS4" + parts.secret, day);
  const Sha256Digest of_region = HmacSha256(BytesOf(of_day), parts.region);
  const Sha256Digest of_service = HmacSha256(BytesOf(of_region), "s3");
  out.signing_key = std::string(BytesOf(HmacSha256(BytesOf(of_service), "aws4_request")));
  out.signature =
      Hex(HmacSha256(out.signing_key, fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", out.date,
                                                  out.scope, Sha256Hex(canonical))));
  headers.emplace_back(
      "Authorization",
      fmt::format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}",
                  parts.access_key_id, out.scope, names, out.signature));
  headers.emplace_back("Content-Length", std::to_string(parts.body.size()));
  out.request = {parts.method, parts.path + (parts.query.empty() ? "" : "?" + parts.query),
                 std::move(headers), parts.body, "127.0.0.1"};
  return out;
}

}  // namespace pcw::sim
