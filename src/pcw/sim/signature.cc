#include "pcw/sim/signature.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "pcw/base/digest.h"
#include "pcw/base/time.h"
#include "pcw/sim/sigv4_form.h"

namespace pcw::sim {
namespace {

using net::server::Request;

constexpr std::chrono::minutes kMaxSkew{5};
constexpr std::size_t kMaxDerived = 256;

/// Names of the same refusal in the two dialects.
Answer Refuse(Dialect dialect, std::string_view json_name, int json_status,
              std::string_view query_name, int query_status, std::string_view message) {
  return dialect == Dialect::kJson ? FrontError(json_name, message, json_status)
                                   : QueryError(query_name, message, query_status);
}

Answer BadSignature(Dialect dialect, std::string_view message) {
  return Refuse(dialect, "InvalidSignatureException", 403, "SignatureDoesNotMatch", 403, message);
}

Answer Incomplete(Dialect dialect, std::string_view message) {
  return Refuse(dialect, "IncompleteSignatureException", 400, "IncompleteSignature", 400, message);
}

std::optional<Answer> CheckDate(Dialect dialect, std::string_view amz_date, WallTime signed_at,
                                WallTime now) {
  const std::string here = FormatIso8601Basic(now);
  if (signed_at < now - kMaxSkew) {
    return BadSignature(
        dialect, fmt::format("Signature expired: {} is now earlier than {} ({} - 5 min.)", amz_date,
                             FormatIso8601Basic(now - kMaxSkew), here));
  }
  if (signed_at > now + kMaxSkew) {
    return BadSignature(
        dialect, fmt::format("Signature not yet current: {} is still later than {} ({} + 5 min.)",
                             amz_date, FormatIso8601Basic(now + kMaxSkew), here));
  }
  return std::nullopt;
}

std::optional<Answer> CheckScope(Dialect dialect, const Authorization& auth,
                                 std::string_view amz_date, std::string_view region,
                                 std::string_view service) {
  if (auth.date != amz_date.substr(0, 8)) {
    return BadSignature(dialect,
                        "Date in Credential scope does not match YYYYMMDD from ISO-8601 "
                        "version of date from HTTP.");
  }
  if (auth.region != region) {
    return BadSignature(dialect,
                        fmt::format("Credential should be scoped to a valid region. The region "
                                    "'{}' is wrong; expecting '{}'.",
                                    auth.region, region));
  }
  if (auth.service != service) {
    return BadSignature(
        dialect, fmt::format("Credential should be scoped to correct service: '{}'.", service));
  }
  if (auth.terminator != "aws4_request") {
    return BadSignature(dialect,
                        "Credential should be scoped with a valid terminator: "
                        "'aws4_request'.");
  }
  return std::nullopt;
}

std::optional<Answer> CheckSignedHeaders(Dialect dialect, const Authorization& auth,
                                         const Request& request) {
  const auto is_signed = [&](std::string_view name) {
    return std::find(auth.signed_headers.begin(), auth.signed_headers.end(), name) !=
           auth.signed_headers.end();
  };
  for (const std::string_view name :
       {"host", "x-amz-date", "x-amz-target", "x-amz-security-token"}) {
    if (request.Header(name) && !is_signed(name)) {
      return BadSignature(
          dialect, fmt::format("'{}' must be a 'SignedHeader' in the AWS Authorization.", name));
    }
  }
  if (!std::is_sorted(auth.signed_headers.begin(), auth.signed_headers.end())) {
    return BadSignature(dialect, "SignedHeaders must be sorted.");
  }
  return std::nullopt;
}

std::optional<Answer> CheckKey(Dialect dialect, const std::optional<Key>& key,
                               std::optional<std::string_view> token, WallTime now) {
  const bool token_fits = key && token.value_or("") == key->session_token;
  if (!token_fits) {
    return Refuse(dialect, "UnrecognizedClientException", 400, "InvalidClientTokenId", 403,
                  "The security token included in the request is invalid.");
  }
  if (key->expires_at && now >= *key->expires_at) {
    return Refuse(dialect, "ExpiredTokenException", 400, "ExpiredToken", 403,
                  "The security token included in the request is expired");
  }
  return std::nullopt;
}

// What is signed of the path: the path as it was sent, encoded once more. Older SQS clients send
// to the path of the queue, the others to "/".
std::string CanonicalPath(std::string_view target) {
  std::string path;
  for (const char c : target.substr(0, target.find('?'))) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') ||
                          std::string_view("/-_.~").find(c) != std::string_view::npos;
    path += is_plain ? std::string(1, c)
                     : fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
  }
  return path;
}

// AWS has these at an endpoint of every region; one simulator stands for all of them.
bool IsInEveryRegion(std::string_view service) {
  return service == "sts" || service == "sqs" || service == "events";
}

}  // namespace

std::string SignatureVerifier::SigningKey(const Key& key, std::string_view date,
                                          std::string_view region, std::string_view service) const {
  // The secret too: the key that the account's state adds may be replaced under the same id.
  const std::string name =
      fmt::format("{}/{}/{}/{}/{}", key.access_key_id, key.secret, date, region, service);
  const std::lock_guard lock(cache_mutex_);
  if (const auto found = derived_.find(name); found != derived_.end()) return found->second;
  std::string derived = DeriveSigningKey(key, date, region, service);
  if (derived_.size() >= kMaxDerived) derived_.clear();
  return derived_.emplace(name, std::move(derived)).first->second;
}

// The JSON services explain a refused signature with what they signed, headers and all; STS does
// not.
std::string Explanation(Dialect dialect, std::string_view canonical, std::string_view to_sign) {
  if (dialect == Dialect::kQuery) return "";
  return fmt::format(
      "\n\nThe Canonical String for this request should have been\n'{}'\n\nThe String-to-Sign "
      "should "
      "have been\n'{}'\n",
      canonical, to_sign);
}

std::variant<Key, Answer> SignatureVerifier::Verify(const Request& request,
                                                    std::string_view service, Dialect dialect,
                                                    WallTime now) const {
  const auto header = request.Header("Authorization");
  if (!header) {
    return Refuse(dialect, "MissingAuthenticationTokenException", 403, "MissingAuthenticationToken",
                  403, "Request is missing Authentication Token");
  }
  const auto auth = ParseAuthorization(*header);
  if (!auth)
    return Incomplete(dialect, "Authorization header is not a valid AWS4-HMAC-SHA256 header.");
  const auto amz_date = request.Header("X-Amz-Date");
  const auto signed_at = amz_date ? ParseAmzDate(*amz_date) : std::nullopt;
  if (!signed_at)
    return Incomplete(dialect, "Date must be in ISO-8601 'basic format' in X-Amz-Date.");

  if (auto refused = CheckDate(dialect, *amz_date, *signed_at, now)) return std::move(*refused);
  const std::string& region = IsInEveryRegion(service) ? auth->region : region_;
  if (auto refused = CheckScope(dialect, *auth, *amz_date, region, service)) {
    return std::move(*refused);
  }
  std::optional<Key> key = keys_.Find(auth->access_key_id);
  if (auto refused = CheckKey(dialect, key, request.Header("X-Amz-Security-Token"), now)) {
    return std::move(*refused);
  }
  if (auto refused = CheckSignedHeaders(dialect, *auth, request)) return std::move(*refused);

  const std::string payload_hash = Sha256Hex(request.body);
  const auto claimed = request.Header("X-Amz-Content-Sha256");
  std::string canonical = fmt::format("{}\n{}\n\n", request.method, CanonicalPath(request.target));
  std::string names;
  for (const std::string& name : auth->signed_headers) {
    const auto value = request.Header(name);
    if (!value)
      return BadSignature(dialect, fmt::format("The signed header '{}' is absent.", name));
    canonical += fmt::format("{}:{}\n", name, CanonicalValue(*value));
    if (!names.empty()) names += ';';
    names += name;
  }
  canonical += fmt::format("\n{}\n{}", names, payload_hash);
  const std::string to_sign =
      fmt::format("{}\n{}\n{}/{}/{}/aws4_request\n{}", kSigV4Algorithm, *amz_date, auth->date,
                  region, service, Sha256Hex(canonical));
  const std::string expected =
      Hex(HmacSha256(SigningKey(*key, auth->date, region, service), to_sign));
  if (!SameText(expected, auth->signature) || (claimed && *claimed != payload_hash)) {
    return BadSignature(dialect,
                        "The request signature we calculated does not match the signature you "
                        "provided. Check your AWS Secret Access Key and signing method. Consult "
                        "the service documentation for details." +
                            Explanation(dialect, canonical, to_sign));
  }
  return std::move(*key);
}

}  // namespace pcw::sim
