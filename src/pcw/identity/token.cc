#include "pcw/identity/token.h"

#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

namespace pcw::identity {
namespace {

constexpr std::string_view kPrefix = "pcw_";
constexpr std::size_t kIdLength = 16;
constexpr std::size_t kSecretLength = 64;
constexpr std::size_t kChecksumLength = 8;
constexpr std::size_t kTokenLength =
    kPrefix.size() + kIdLength + 1 + kSecretLength + 1 + kChecksumLength;

bool IsLowerHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string ChecksumOf(std::string_view body) { return Sha256Hex(body).substr(0, kChecksumLength); }

std::string RandomHex(Rng& rng, std::size_t digits) {
  std::string text;
  while (text.size() < digits) text += fmt::format("{:016x}", rng.Next());
  return text;
}

}  // namespace

Token MintToken(Rng& rng) {
  std::string id = RandomHex(rng, kIdLength);
  return {std::move(id), Secret(RandomHex(rng, kSecretLength))};
}

Secret FormatToken(const Token& token) {
  std::string text = fmt::format("{}{}_{}", kPrefix, token.id, token.secret.Reveal());
  text += "_" + ChecksumOf(text);
  return Secret(std::move(text));
}

std::optional<Token> ParseToken(std::string_view text) {
  if (text.size() != kTokenLength || !text.starts_with(kPrefix)) return std::nullopt;
  const std::string_view id = text.substr(kPrefix.size(), kIdLength);
  const std::string_view secret = text.substr(kPrefix.size() + kIdLength + 1, kSecretLength);
  const std::string_view body = text.substr(0, kTokenLength - kChecksumLength - 1);
  const bool is_well_formed = text[kPrefix.size() + kIdLength] == '_' && text[body.size()] == '_' &&
                              IsLowerHex(id) && IsLowerHex(secret) &&
                              text.substr(body.size() + 1) == ChecksumOf(body);
  if (!is_well_formed) return std::nullopt;
  return Token{std::string(id), Secret(std::string(secret))};
}

Sha256Digest HashOf(const Token& token) { return Sha256(token.secret.Reveal()); }

bool IsSameDigest(const Sha256Digest& a, const Sha256Digest& b) {
  // volatile: the loop must not learn to stop early.
  volatile std::uint8_t difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    difference = static_cast<std::uint8_t>(difference | (a[i] ^ b[i]));
  return difference == 0;
}

}  // namespace pcw::identity
