#include "pcw/base/uuid.h"

#include <cstdint>

#include <fmt/format.h>

#include "pcw/base/hex.h"

namespace pcw {

std::string MakeUuidV7(WallTime now, Rng& rng) {
  const auto ms = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count());
  const std::uint64_t a = rng.Next();
  const std::uint64_t b = rng.Next();
  return fmt::format("{:08x}-{:04x}-7{:03x}-{:04x}-{:012x}", (ms >> 16) & 0xffffffffU, ms & 0xffffU,
                     a & 0xfffU, 0x8000U | ((a >> 12) & 0x3fffU), b & 0xffffffffffffU);
}

bool IsUuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (is_dash ? c != '-' : HexValue(c) < 0) return false;
  }
  return true;
}

std::optional<PackedUuid> PackUuid(std::string_view text) {
  if (!IsUuid(text)) return std::nullopt;
  PackedUuid packed{};
  std::size_t digit = 0;
  for (const char c : text) {
    if (c == '-') continue;
    std::uint8_t& byte = packed.at(digit++ / 2);
    byte = static_cast<std::uint8_t>(byte << 4U | static_cast<unsigned>(HexValue(c)));
  }
  return packed;
}

std::string UnpackUuid(const PackedUuid& packed) {
  std::string text = Hex({reinterpret_cast<const char*>(packed.data()), packed.size()});
  for (const std::size_t dash : {8U, 13U, 18U, 23U}) text.insert(dash, 1, '-');
  return text;
}

}  // namespace pcw
