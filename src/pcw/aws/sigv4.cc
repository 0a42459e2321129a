#include "pcw/aws/sigv4.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>

#include <fmt/format.h>

#include "pcw/base/hex.h"
#include "pcw/base/time.h"

namespace pcw::aws {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
// Hop-by-hop and tracing headers may change on the way, so they are never signed (botocore's list).
constexpr std::array<std::string_view, 11> kUnsigned{"connection",
                                                     "expect",
                                                     "keep-alive",
                                                     "proxy-authenticate",
                                                     "proxy-authorization",
                                                     "te",
                                                     "trailer",
                                                     "transfer-encoding",
                                                     "upgrade",
                                                     "user-agent",
                                                     "x-amzn-trace-id"};

std::string Lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

// Trimmed, with inner runs of white space (also folded lines) as one space.
std::string Collapse(std::string_view value) {
  std::string out;
  for (const char c : value) {
    const bool is_space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!is_space) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

std::string NormalizePath(std::string_view path) {
  std::vector<std::string_view> segments;
  bool ends_in_slash = path.ends_with('/');
  for (std::size_t pos = 0; pos < path.size();) {
    const auto slash = std::min(path.find('/', pos), path.size());
    const std::string_view segment = path.substr(pos, slash - pos);
    pos = slash + 1;
    if (segment == "..") {
      if (!segments.empty()) segments.pop_back();
    } else if (!segment.empty() && segment != ".") {
      segments.push_back(segment);
    }
    if (slash == path.size()) ends_in_slash = segment == "." || segment == "..";
  }
  std::string out = "/";
  for (const std::string_view segment : segments) {
    if (out.size() > 1) out += '/';
    out += segment;
  }
  if (ends_in_slash && out.size() > 1) out += '/';
  return out;
}

std::string CanonicalPath(const SigningRequest& request) {
  const std::string_view path = request.path.empty() ? "/" : request.path;
  // S3 signs a key encoded once, as it is on the wire; every other service what is on the wire,
  // encoded once more.
  if (request.path_form == PathForm::kAsIs) return PercentEncode(PercentDecode(path), true);
  return PercentEncode(NormalizePath(path), true);
}

using Parameters = std::vector<std::pair<std::string, std::string>>;  // decoded

Parameters ParseQuery(std::string_view query) {
  Parameters parameters;
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    const auto equals = std::min(pair.find('='), pair.size());
    if (!pair.empty())
      parameters.emplace_back(PercentDecode(pair.substr(0, equals)),
                              PercentDecode(equals < pair.size() ? pair.substr(equals + 1) : ""));
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return parameters;
}

std::string CanonicalQuery(const Parameters& parameters) {
  Parameters encoded;
  for (const auto& [name, value] : parameters)
    encoded.emplace_back(PercentEncode(name), PercentEncode(value));
  std::sort(encoded.begin(), encoded.end());
  std::string out;
  for (const auto& [name, value] : encoded)
    out += fmt::format("{}{}={}", out.empty() ? "" : "&", name, value);
  return out;
}

std::string PayloadHash(const SigningRequest& request) {
  return request.payload_sha256.empty() ? Sha256Hex(request.body)
                                        : std::string(request.payload_sha256);
}

struct CanonicalHeaders {
  std::string text;
  std::string names;
};

CanonicalHeaders Canonicalize(const net::Headers& headers) {
  std::map<std::string, std::string> merged;
  for (const auto& [name, value] : headers) {
    std::string key = Lower(name);
    if (std::find(kUnsigned.begin(), kUnsigned.end(), key) != kUnsigned.end()) continue;
    const auto [slot, is_new] = merged.try_emplace(std::move(key), Collapse(value));
    if (!is_new) slot->second += "," + Collapse(value);
  }
  CanonicalHeaders canonical;
  for (const auto& [name, value] : merged) {
    canonical.text.append(name).append(":").append(value).append("\n");
    if (!canonical.names.empty()) canonical.names += ';';
    canonical.names += name;
  }
  return canonical;
}

std::string ScopeText(const SigningScope& scope, std::string_view date) {
  return fmt::format("{}/{}/{}/aws4_request", date.substr(0, 8), scope.region, scope.service);
}

void Complete(Signature& signature, const SigningScope& scope, std::string_view date,
              const Sha256Digest& key) {
  signature.string_to_sign = fmt::format("{}\n{}\n{}\n{}", kAlgorithm, date, ScopeText(scope, date),
                                         Sha256Hex(signature.canonical_request));
  signature.signature = Hex(HmacSha256(BytesOf(key), signature.string_to_sign));
}

}  // namespace

std::string PercentEncode(std::string_view text, bool keeps_slash) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const bool is_plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                          (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~' ||
                          (keeps_slash && c == '/');
    if (is_plain) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kDigits[byte >> 4U];
      out += kDigits[byte & 15U];
    }
  }
  return out;
}

std::string PercentDecode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && HexValue(text[i + 1]) >= 0 &&
        HexValue(text[i + 2]) >= 0) {
      out += static_cast<char>(HexValue(text[i + 1]) * 16 + HexValue(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

Sha256Digest SigningKey(std::string_view secret, const SigningScope& scope) {
  const std::string date = FormatIso8601Basic(scope.time).substr(0, 8);
  const Secret first("AWS4" + std::string(secret));
  const Sha256Digest day = HmacSha256(first.Reveal(), date);
  const Sha256Digest region = HmacSha256(BytesOf(day), scope.region);
  const Sha256Digest service = HmacSha256(BytesOf(region), scope.service);
  return HmacSha256(BytesOf(service), "aws4_request");
}

Signature SignHeaders(const SigningRequest& request, const Credentials& credentials,
                      const SigningScope& scope, const Sha256Digest& key) {
  const std::string date = FormatIso8601Basic(scope.time);
  const std::string payload_hash = PayloadHash(request);
  Signature signature;
  net::Headers headers = request.headers;
  const auto add = [&](std::string name, std::string value, bool is_signed) {
    if (is_signed) headers.emplace_back(name, value);
    signature.added.emplace_back(std::move(name), std::move(value));
  };
  add("X-Amz-Date", date, true);
  if (request.payload_header == PayloadHeader::kAdd)
    add("x-amz-content-sha256", payload_hash, true);
  if (!credentials.session_token.empty())
    add("X-Amz-Security-Token", std::string(credentials.session_token.Reveal()),
        !request.omits_session_token);

  const CanonicalHeaders canonical = Canonicalize(headers);
  signature.signed_headers = canonical.names;
  signature.canonical_request = fmt::format(
      "{}\n{}\n{}\n{}\n{}\n{}", request.method, CanonicalPath(request),
      CanonicalQuery(ParseQuery(request.query)), canonical.text, canonical.names, payload_hash);
  Complete(signature, scope, date, key);
  signature.added.emplace_back(
      "Authorization", fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}",
                                   kAlgorithm, credentials.access_key_id, ScopeText(scope, date),
                                   canonical.names, signature.signature));
  return signature;
}

Signature SignQuery(const SigningRequest& request, const Credentials& credentials,
                    const SigningScope& scope, std::chrono::seconds expires,
                    const Sha256Digest& key) {
  const std::string date = FormatIso8601Basic(scope.time);
  const std::string payload_hash = PayloadHash(request);
  Signature signature;
  const CanonicalHeaders canonical = Canonicalize(request.headers);
  signature.signed_headers = canonical.names;

  Parameters parameters = ParseQuery(request.query);
  parameters.emplace_back("X-Amz-Algorithm", kAlgorithm);
  parameters.emplace_back("X-Amz-Credential",
                          fmt::format("{}/{}", credentials.access_key_id, ScopeText(scope, date)));
  parameters.emplace_back("X-Amz-Date", date);
  parameters.emplace_back("X-Amz-SignedHeaders", canonical.names);
  parameters.emplace_back("X-Amz-Expires", std::to_string(expires.count()));
  const bool has_token = !credentials.session_token.empty();
  const std::pair<std::string, std::string> token("X-Amz-Security-Token",
                                                  std::string(credentials.session_token.Reveal()));
  if (has_token && !request.omits_session_token) parameters.push_back(token);

  signature.canonical_request =
      fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, CanonicalPath(request),
                  CanonicalQuery(parameters), canonical.text, canonical.names, payload_hash);
  Complete(signature, scope, date, key);
  if (has_token && request.omits_session_token) parameters.push_back(token);
  parameters.emplace_back("X-Amz-Signature", signature.signature);
  for (const auto& [name, value] : parameters) {
    signature.query += fmt::format("{}{}={}", signature.query.empty() ? "" : "&",
                                   PercentEncode(name), PercentEncode(value));
  }
  return signature;
}

Sha256Digest Signer::KeyFor(const Credentials& credentials, const SigningScope& scope) {
  // The secret is part of what the key is cached for: a rotated secret under one id must not sign
  // with the old one.
  const std::string wanted = FormatIso8601Basic(scope.time).substr(0, 8) +
                             credentials.access_key_id +
                             Sha256Hex(credentials.secret_access_key.Reveal());
  const std::lock_guard lock(mutex_);
  if (cached_for_ != wanted) {
    cached_key_ = SigningKey(credentials.secret_access_key.Reveal(), scope);
    cached_for_ = wanted;
  }
  return cached_key_;
}

net::Headers Signer::Sign(SigningRequest request, const Credentials& credentials, WallTime now) {
  const SigningScope scope{region_, service_, now};
  Signature signature = SignHeaders(request, credentials, scope, KeyFor(credentials, scope));
  net::Headers headers = std::move(request.headers);
  for (auto& header : signature.added) headers.push_back(std::move(header));
  return headers;
}

}  // namespace pcw::aws
