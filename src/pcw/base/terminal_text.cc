#include "pcw/base/terminal_text.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include <fmt/format.h>

namespace pcw {
namespace {

struct Range {
  std::uint32_t first, last;
};

// Unicode's default-ignorable and format characters, without U+200C and U+200D.
constexpr std::array kUnseen{
    Range{0xAD, 0xAD},       Range{0x34F, 0x34F},     Range{0x61C, 0x61C},
    Range{0x115F, 0x1160},   Range{0x17B4, 0x17B5},   Range{0x180B, 0x180F},
    Range{0x200B, 0x200B},   Range{0x200E, 0x200F},   Range{0x2028, 0x202E},
    Range{0x2060, 0x206F},   Range{0x3164, 0x3164},   Range{0xFEFF, 0xFEFF},
    Range{0xFFA0, 0xFFA0},   Range{0xFFF0, 0xFFFB},   Range{0x1BCA0, 0x1BCA3},
    Range{0x1D173, 0x1D17A}, Range{0xE0000, 0xE0FFF},
};

// A character of several bytes and its size; size 0 if the bytes are not UTF-8.
struct Character {
  std::uint32_t code = 0;
  std::size_t size = 0;
};

Character Decode(std::string_view text) {
  const auto first = static_cast<std::uint8_t>(text.front());
  const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  constexpr std::array<std::uint32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
  if (first < 0xC2 || first > 0xF4 || text.size() < size) return {};
  std::uint32_t code = first & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    const auto byte = static_cast<std::uint8_t>(text[i]);
    if ((byte & 0xC0U) != 0x80U) return {};
    code = (code << 6U) | (byte & 0x3FU);
  }
  const bool is_character =
      code >= kSmallest[size] && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
  return is_character ? Character{code, size} : Character{};
}

bool IsUnseen(std::uint32_t code) {
  return std::any_of(kUnseen.begin(), kUnseen.end(), [code](const Range& range) {
    return code >= range.first && code <= range.last;
  });
}

}  // namespace

std::string TerminalText(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const char c = text.front();
    const auto byte = static_cast<std::uint8_t>(c);
    std::size_t size = 1;
    if (c == '\t' || c == '\n' || c == '\r') {
      out += ' ';
    } else if (byte >= 0x20 && byte < 0x7F) {
      out += c;
    } else if (byte < 0x80) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      const Character character = Decode(text);
      size = std::max<std::size_t>(character.size, 1);
      if (character.size == 0) {
        out += fmt::format("\\x{:02x}", byte);
      } else if (character.code < 0xA0) {
        out += fmt::format("\\x{:02x}", character.code);
      } else if (IsUnseen(character.code)) {
        out += fmt::format("\\u{{{:04X}}}", character.code);
      } else {
        out.append(text, 0, size);
      }
    }
    text.remove_prefix(size);
  }
  return out;
}

}  // namespace pcw
