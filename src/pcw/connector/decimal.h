// Amounts as AWS, JSON and people write them, made plain without losing a digit.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pcw::connector {

/// Digits that a plain decimal may have, before and behind the point together. AWS's pattern allows
/// 33. PostgreSQL's numeric takes 131,072; a bound keeps "1E+99999" from becoming 100 kB of text a
/// value.
inline constexpr std::size_t kMostDecimalDigits = 1000;

/// The same number as sign, digits and at most one point with digits on both sides: "100." is
/// "100", "1E+6" is "1000000", ".5" is "0.5". Digits behind the point stay as many as were written
/// ("1.50"). nullopt for what is not a decimal number (an empty text too, "1,5", "NaN", a space)
/// and for one of more than kMostDecimalDigits digits. Exact: nothing passes through binary.
std::optional<std::string> PlainDecimal(std::string_view text);

}  // namespace pcw::connector
