// Hex digits as bytes and back.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace pcw {

/// Lower-case hex.
std::string Hex(std::string_view bytes);

/// The value of a hex digit of either case; -1 if it is not one.
constexpr int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// The bytes of hex digits of either case; nullopt for an odd count or anything else.
std::optional<std::string> HexDecode(std::string_view hex);

/// The same into an array of exactly that many bytes; false, and no bytes to use, for any other
/// text.
bool HexDecode(std::string_view hex, std::span<std::uint8_t> bytes);

}  // namespace pcw
