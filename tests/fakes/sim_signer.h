// Signs requests to the simulator in unit tests, straight from the published algorithm.
#pragma once

#include <string>
#include <string_view>

#include <fmt/format.h>

#include "pcw/base/digest.h"
#include "pcw/base/time.h"
#include "pcw/net/server/message.h"
#include "pcw/sim/keys.h"

namespace pcw::sim {

/// What a signed request is made of; tests bend single members.
struct SignedParts {
  std::string access_key_id{kAccessKeyId};
  std::string secret{kSecretAccessKey};
  std::string session_token{};
  std::string region = "us-east-1";
  std::string service = "partnercentral-selling";
  std::string content_type = "application/x-amz-json-1.0";
  std::string target{};  ///< empty = no X-Amz-Target
  std::string body = "{}";
  WallTime at{};
};

/// The request, with Authorization over all its headers.
inline net::server::Request SignForSim(const SignedParts& parts) {
  net::server::Request request;
  request.method = "POST";
  request.target = "/";
  request.body = parts.body;
  request.peer = "127.0.0.1";
  const std::string date = FormatIso8601Basic(parts.at);
  request.headers = {
      {"content-type", parts.content_type}, {"host", "localhost"}, {"x-amz-date", date}};
  if (!parts.session_token.empty()) {
    request.headers.emplace_back("x-amz-security-token", parts.session_token);
  }
  if (!parts.target.empty()) request.headers.emplace_back("x-amz-target", parts.target);

  std::string canonical = "POST\n/\n\n";
  std::string names;
  for (const auto& [name, value] : request.headers) {
    canonical += name + ":" + value + "\n";
    names += (names.empty() ? "" : ";") + name;
  }
  canonical += "\n" + names + "\n" + Sha256Hex(parts.body);
  const std::string day = date.substr(0, 8);
  const std::string scope = fmt::format("{}/{}/{}/aws4_request", day, parts.region, parts.service);
  const Sha256Digest of_day = HmacSha256("AWS4" + parts.secret, day);
  const Sha256Digest of_region = HmacSha256(BytesOf(of_day), parts.region);
  const Sha256Digest of_service = HmacSha256(BytesOf(of_region), parts.service);
  const Sha256Digest key = HmacSha256(BytesOf(of_service), "aws4_request");
  const std::string signature =
      Hex(HmacSha256(BytesOf(key), fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", date, scope,
                                               Sha256Hex(canonical))));
  request.headers.emplace_back(
      "Authorization",
      fmt::format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}",
                  parts.access_key_id, scope, names, signature));
  return request;
}

}  // namespace pcw::sim
