#include "pcw/sim/partner_central/page_token.h"

#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "pcw/base/digest.h"
#include "pcw/base/hex.h"

namespace pcw::sim {
namespace {

constexpr std::string_view kPrefix = "AAMA-";
constexpr std::size_t kChecksumDigits = 16;
constexpr std::size_t kMaxToken = 4'096;

template <typename T>
bool ReadNumber(std::string_view& text, T& value) {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end == text.data() + text.size() || *end != '|') return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  return true;
}

}  // namespace

std::string TokenMint::Checksum(std::string_view content) const {
  return Hex(HmacSha256(fmt::format("page-token-{}", seed_), content)).substr(0, kChecksumDigits);
}

std::string TokenMint::Make(const std::optional<SortKey>& last, std::uint64_t served,
                            std::uint64_t fingerprint, WallTime now) {
  // The style in force when the token is read decides which of the two positions counts.
  const SortKey key = last.value_or(SortKey{});
  const std::string content = fmt::format("{}|{}|{}|{}|{}|{}|{}|{}", made_.fetch_add(1),
                                          now.time_since_epoch().count() / 1'000'000, fingerprint,
                                          served, last ? 1 : 0, key.number, key.tie, key.text);
  return std::string(kPrefix) + Hex(content) + Checksum(content);
}

Result<TokenContent> TokenMint::Read(std::string_view token, std::uint64_t fingerprint,
                                     WallTime now) const {
  const Error unknown(ErrorCode::kInvalidRequest, "The provided NextToken is not valid.");
  if (token.size() < kPrefix.size() + kChecksumDigits || token.size() > kMaxToken ||
      !token.starts_with(kPrefix)) {
    return unknown;
  }
  const std::string_view checksum = token.substr(token.size() - kChecksumDigits);
  token.remove_suffix(kChecksumDigits);
  const auto content = HexDecode(token.substr(kPrefix.size()));
  if (!content || Checksum(*content) != checksum) return unknown;

  std::string_view rest = *content;
  std::uint64_t serial = 0;
  std::int64_t issued = 0;
  std::uint64_t bound_to = 0;
  std::uint64_t served = 0;
  int has_last = 0;
  SortKey last;
  if (!ReadNumber(rest, serial) || !ReadNumber(rest, issued) || !ReadNumber(rest, bound_to) ||
      !ReadNumber(rest, served) || !ReadNumber(rest, has_last) || !ReadNumber(rest, last.number) ||
      !ReadNumber(rest, last.tie)) {
    return unknown;
  }
  last.text = std::string(rest);
  if (bound_to != fingerprint) {
    return Error(ErrorCode::kInvalidRequest,
                 "The provided NextToken does not belong to this request.");
  }
  if (now - WallTime(std::chrono::seconds(issued)) > life_) {
    return Error(ErrorCode::kInvalidRequest, "The provided NextToken has expired.");
  }
  TokenContent says{{}, std::nullopt, served};
  if (has_last != 0) says.last = std::move(last);
  if (style_ == TokenStyle::kOffset) {
    says.position.skip = served;
  } else {
    says.position.after = says.last;
  }
  return says;
}

}  // namespace pcw::sim
