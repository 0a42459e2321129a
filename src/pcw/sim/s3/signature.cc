#include "pcw/sim/s3/signature.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "pcw/base/digest.h"
#include "pcw/base/time.h"
#include "pcw/sim/s3/text.h"
#include "pcw/sim/sigv4_form.h"

namespace pcw::sim {
namespace {

using net::server::Request;

constexpr std::chrono::minutes kMaxS3Skew{15};
constexpr std::uint64_t kMaxPresignedSeconds = 604'800;

constexpr std::array<std::pair<std::string_view, S3Payload>, 4> kPayloadWords{{
    {"UNSIGNED-PAYLOAD", S3Payload::kUnsigned},
    {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", S3Payload::kSignedChunks},
    {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", S3Payload::kSignedChunksTrailer},
    {"STREAMING-UNSIGNED-PAYLOAD-TRAILER", S3Payload::kUnsignedTrailer},
}};

S3Answer Malformed(std::string_view why,
                   const std::vector<std::pair<std::string, std::string>>& details = {}) {
  return S3Error(400, "AuthorizationHeaderMalformed",
                 fmt::format("The authorization header is malformed; {}", why), details);
}

S3Answer BadQuery(std::string_view why) {
  return S3Error(400, "AuthorizationQueryParametersError", why);
}

std::string Lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

/// What the request says about its signature, from wherever it stands.
struct Claim {
  Authorization auth;
  std::string amz_date;
  std::string token;
  std::string payload_hash;
  std::optional<std::uint64_t> expires;  ///< presigned only
};

std::optional<S3Answer> ReadHeaderClaim(const Request& request, Claim& claim) {
  const std::string_view header = *request.Header("Authorization");
  if (!header.starts_with(kSigV4Algorithm)) {
    return S3Error(400, "InvalidRequest",
                   "The authorization mechanism you have provided is not supported. Please use "
                   "AWS4-HMAC-SHA256.");
  }
  auto auth = ParseAuthorization(header);
  if (!auth) {
    return Malformed(
        "it needs Credential=KEY/YYYYMMDD/REGION/SERVICE/aws4_request, SignedHeaders and "
        "Signature.");
  }
  claim.auth = std::move(*auth);
  claim.amz_date = std::string(request.Header("X-Amz-Date").value_or(""));
  claim.token = std::string(request.Header("X-Amz-Security-Token").value_or(""));
  const auto hash = request.Header("X-Amz-Content-Sha256");
  if (!hash) {
    return S3Error(400, "InvalidRequest",
                   "Missing required header for this request: x-amz-content-sha256");
  }
  claim.payload_hash = std::string(*hash);
  return std::nullopt;
}

std::optional<S3Answer> ReadQueryClaim(const S3Request& target, Claim& claim) {
  for (const std::string_view name : {"X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires",
                                      "X-Amz-SignedHeaders", "X-Amz-Signature"}) {
    if (!target.Query(name)) {
      return BadQuery(
          "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
          "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.");
    }
  }
  if (*target.Query("X-Amz-Algorithm") != kSigV4Algorithm) {
    return BadQuery("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"");
  }
  if (!ReadCredential(*target.Query("X-Amz-Credential"), claim.auth)) {
    return BadQuery(
        "Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting "
        "\"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".");
  }
  claim.auth.signed_headers = SplitText(*target.Query("X-Amz-SignedHeaders"), ';');
  claim.auth.signature = std::string(*target.Query("X-Amz-Signature"));
  claim.amz_date = std::string(*target.Query("X-Amz-Date"));
  claim.token = std::string(target.Query("X-Amz-Security-Token").value_or(""));
  claim.payload_hash = "UNSIGNED-PAYLOAD";
  claim.expires = ParseDigits(*target.Query("X-Amz-Expires"));
  if (!claim.expires) return BadQuery("X-Amz-Expires should be a number");
  if (*claim.expires > kMaxPresignedSeconds) {
    return BadQuery(
        "X-Amz-Expires must be less than a week (in seconds); that is, the given "
        "X-Amz-Expires must be less than 604800 seconds");
  }
  return std::nullopt;
}

std::optional<S3Answer> CheckScope(const Claim& claim, std::string_view region) {
  const Authorization& auth = claim.auth;
  if (auth.region != region) {
    return Malformed(fmt::format("the region '{}' is wrong; expecting '{}'", auth.region, region),
                     {{"Region", std::string(region)}});
  }
  if (auth.service != "s3") {
    return Malformed(
        fmt::format("incorrect service \"{}\". This endpoint belongs to \"s3\".", auth.service));
  }
  if (auth.terminator != "aws4_request") {
    return Malformed(fmt::format("incorrect terminal \"{}\". This endpoint uses \"aws4_request\".",
                                 auth.terminator));
  }
  if (!claim.amz_date.empty() && auth.date != claim.amz_date.substr(0, 8)) {
    return Malformed(
        fmt::format("Invalid credential date \"{}\". This date is not the same as "
                    "X-Amz-Date: \"{}\".",
                    auth.date, claim.amz_date.substr(0, 8)));
  }
  return std::nullopt;
}

std::optional<S3Answer> CheckTime(const Claim& claim, WallTime now) {
  const auto signed_at = ParseAmzDate(claim.amz_date);
  if (!signed_at) {
    return S3Error(403, "AccessDenied",
                   "AWS authentication requires a valid Date or x-amz-date header");
  }
  if (claim.expires) {
    if (*signed_at > now + kMaxS3Skew) {
      return S3Error(403, "AccessDenied", "Request is not yet valid");
    }
    const WallTime end = *signed_at + std::chrono::seconds(*claim.expires);
    if (now <= end) return std::nullopt;
    return S3Error(403, "AccessDenied", "Request has expired",
                   {{"X-Amz-Expires", std::to_string(*claim.expires)},
                    {"Expires", S3Time(end)},
                    {"ServerTime", S3Time(now)}});
  }
  if (*signed_at >= now - kMaxS3Skew && *signed_at <= now + kMaxS3Skew) return std::nullopt;
  return S3Error(403, "RequestTimeTooSkewed",
                 "The difference between the request time and the current time is too large.",
                 {{"RequestTime", claim.amz_date},
                  {"ServerTime", S3Time(now)},
                  {"MaxAllowedSkewMilliseconds",
                   std::to_string(std::chrono::milliseconds(kMaxS3Skew).count())}});
}

std::optional<S3Answer> CheckKey(const Claim& claim, const std::optional<Key>& key, WallTime now) {
  if (!key) {
    return S3Error(403, "InvalidAccessKeyId",
                   "The AWS Access Key Id you provided does not exist in our records.",
                   {{"AWSAccessKeyId", claim.auth.access_key_id}});
  }
  if (claim.token != key->session_token) {
    return S3Error(400, "InvalidToken", "The provided token is malformed or otherwise invalid.",
                   {{"Token-0", claim.token}});
  }
  if (key->expires_at && now >= *key->expires_at) {
    return S3Error(400, "ExpiredToken", "The provided token has expired.",
                   {{"Token-0", claim.token}});
  }
  return std::nullopt;
}

std::optional<S3Answer> ReadPayload(const std::string& hash, S3Payload& payload) {
  for (const auto& [word, kind] : kPayloadWords) {
    if (hash != word) continue;
    payload = kind;
    return std::nullopt;
  }
  const bool hex = hash.size() == 64 && std::all_of(hash.begin(), hash.end(), [](char c) {
                     return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
                   });
  if (hex) {
    payload = S3Payload::kHashed;
    return std::nullopt;
  }
  return S3Error(400, "InvalidArgument",
                 "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, "
                 "STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, "
                 "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
                 {{"ArgumentName", "x-amz-content-sha256"}, {"ArgumentValue", hash}});
}

std::optional<S3Answer> CheckSignedHeaders(const Request& request, const Claim& claim) {
  const auto& names = claim.auth.signed_headers;
  const auto is_signed = [&](const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  std::string missing;
  for (const auto& [name, value] : request.headers) {
    const std::string lower = Lower(name);
    if (lower != "host" && !lower.starts_with("x-amz-")) continue;
    if (is_signed(lower)) continue;
    missing += (missing.empty() ? "" : ", ") + lower;
  }
  if (missing.empty()) return std::nullopt;
  return S3Error(403, "AccessDenied",
                 "There were headers present in the request which were not signed",
                 {{"HeadersNotSigned", missing}});
}

std::string CanonicalQuery(const S3Request& target) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto& [name, value] : target.query) {
    if (name == "X-Amz-Signature") continue;
    pairs.emplace_back(PercentEncode(name, Slash::kEncode), PercentEncode(value, Slash::kEncode));
  }
  std::sort(pairs.begin(), pairs.end());
  std::string out;
  for (const auto& [name, value] : pairs) {
    out += fmt::format("{}{}={}", out.empty() ? "" : "&", name, value);
  }
  return out;
}

/// The values of a header, joined as they are signed; nothing if it is absent.
std::optional<std::string> SignedValue(const Request& request, std::string_view wanted) {
  std::optional<std::string> out;
  for (const auto& [name, value] : request.headers) {
    if (Lower(name) != wanted) continue;
    out = out ? *out + "," + CanonicalValue(value) : CanonicalValue(value);
  }
  return out;
}

std::string CanonicalRequest(const Request& request, const S3Request& target, const Claim& claim) {
  // Decoded and encoded once more: a client that left a '+' bare on the wire signed something else.
  const std::string path =
      PercentEncode(PercentDecode(target.path, Plus::kPlus).value_or(""), Slash::kKeep);
  std::string canonical = fmt::format("{}\n{}\n{}\n", request.method, path, CanonicalQuery(target));
  std::string names;
  for (const std::string& name : claim.auth.signed_headers) {
    canonical += fmt::format("{}:{}\n", name, SignedValue(request, name).value_or(""));
    names += (names.empty() ? "" : ";") + name;
  }
  return canonical + fmt::format("\n{}\n{}", names, claim.payload_hash);
}

}  // namespace

std::optional<S3Answer> VerifyS3(const Request& request, const S3Request& target, const Keys& keys,
                                 std::string_view region, WallTime now, S3Signature& out) {
  const bool in_header = request.Header("Authorization").has_value();
  const bool in_query = target.Query("X-Amz-Algorithm").has_value();
  if (!in_header && !in_query) return S3Error(403, "AccessDenied", "Access Denied");
  if (in_header && in_query) {
    return S3Error(400, "InvalidArgument",
                   "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, "
                   "Signature query string parameter or the Authorization header should be "
                   "specified");
  }
  Claim claim;
  if (auto refused = in_header ? ReadHeaderClaim(request, claim) : ReadQueryClaim(target, claim)) {
    return refused;
  }
  if (auto refused = CheckScope(claim, region)) return refused;
  if (auto refused = CheckTime(claim, now)) return refused;
  std::optional<Key> key = keys.Find(claim.auth.access_key_id);
  if (auto refused = CheckKey(claim, key, now)) return refused;
  if (auto refused = ReadPayload(claim.payload_hash, out.payload)) return refused;
  if (auto refused = CheckSignedHeaders(request, claim)) return refused;

  out.presigned = in_query;
  out.amz_date = claim.amz_date;
  out.scope = fmt::format("{}/{}/s3/aws4_request", claim.auth.date, region);
  out.signing_key = DeriveSigningKey(*key, claim.auth.date, region, "s3");
  const std::string canonical = CanonicalRequest(request, target, claim);
  const std::string to_sign =
      fmt::format("{}\n{}\n{}\n{}", kSigV4Algorithm, out.amz_date, out.scope, Sha256Hex(canonical));
  out.signature = Hex(HmacSha256(out.signing_key, to_sign));
  if (!SameText(out.signature, claim.auth.signature)) {
    return S3Error(403, "SignatureDoesNotMatch",
                   "The request signature we calculated does not match the signature you provided. "
                   "Check your key and signing method.",
                   {{"AWSAccessKeyId", key->access_key_id},
                    {"StringToSign", to_sign},
                    {"SignatureProvided", claim.auth.signature},
                    {"CanonicalRequest", canonical}});
  }
  out.key = std::move(*key);
  if (out.payload != S3Payload::kHashed) return std::nullopt;
  const std::string real = Sha256Hex(request.body);
  if (real == claim.payload_hash) return std::nullopt;
  return S3Error(
      400, "XAmzContentSHA256Mismatch",
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
      {{"ClientComputedContentSHA256", claim.payload_hash}, {"S3ComputedContentSHA256", real}});
}

}  // namespace pcw::sim
