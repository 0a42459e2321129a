#include "pcw/connector/decimal.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace pcw::connector {
namespace {

bool AreDigits(std::string_view text) {
  return text.find_first_not_of("0123456789") == std::string_view::npos;
}

// The number behind "e"; nullopt if it is none, or beyond what could ever fit.
std::optional<std::int64_t> Exponent(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  std::int64_t exponent = 0;
  const char* end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, exponent);
  const bool is_number = problem == std::errc() && stop == end;
  if (!is_number || std::abs(exponent) > static_cast<std::int64_t>(kMostDecimalDigits))
    return std::nullopt;
  return exponent;
}

}  // namespace

std::optional<std::string> PlainDecimal(std::string_view text) {
  const bool is_negative = text.starts_with('-');
  if (is_negative || text.starts_with('+')) text.remove_prefix(1);
  std::int64_t exponent = 0;
  if (const auto at = text.find_first_of("eE"); at != std::string_view::npos) {
    const std::optional<std::int64_t> read = Exponent(text.substr(at + 1));
    if (!read) return std::nullopt;
    exponent = *read;
    text = text.substr(0, at);
  }
  const auto point = text.find('.');
  const std::string_view whole_part = text.substr(0, point);
  const std::string_view fraction_part =
      point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
  if (!AreDigits(whole_part) || !AreDigits(fraction_part) ||
      (whole_part.empty() && fraction_part.empty()) || text.size() > kMostDecimalDigits)
    return std::nullopt;

  std::string whole(whole_part);
  std::string fraction(fraction_part);
  if (exponent > 0) {
    const auto moved = static_cast<std::size_t>(exponent);
    fraction.resize(std::max(fraction.size(), moved), '0');
    whole += fraction.substr(0, moved);
    fraction.erase(0, moved);
  } else if (exponent < 0) {
    const auto moved = static_cast<std::size_t>(-exponent);
    if (whole.size() < moved) whole.insert(0, moved - whole.size(), '0');
    fraction.insert(0, whole.substr(whole.size() - moved));
    whole.resize(whole.size() - moved);
  }
  // An exponent leaves zeros in front that nobody wrote.
  if (exponent != 0) whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size()));
  if (whole.empty()) whole = "0";
  if (whole.size() + fraction.size() > kMostDecimalDigits) return std::nullopt;
  return (is_negative ? "-" : "") + whole + (fraction.empty() ? "" : "." + fraction);
}

}  // namespace pcw::connector
