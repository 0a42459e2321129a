#include "pcw/base/uuid.h"

#include <cstdint>

#include <fmt/format.h>

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
    const bool is_hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (is_dash ? c != '-' : !is_hex) return false;
  }
  return true;
}

}  // namespace pcw
