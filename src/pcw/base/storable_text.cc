#include "pcw/base/storable_text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <optional>

#include <fmt/format.h>

#include "pcw/base/hex.h"

namespace pcw {
namespace {

constexpr std::string_view kCutMark = "...";
constexpr std::string_view kBom = "\xef\xbb\xbf";

// One character of UTF-8, or one byte that belongs to none.
struct Unit {
  std::size_t bytes = 1;
  std::uint32_t code_point = 0;
  bool is_valid = false;
};

// RFC 3629: no overlong form, no surrogate, nothing above U+10FFFF.
Unit UnitAt(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U;
  };
  const std::uint32_t first = byte(0);
  if (first < 0x80) return {.bytes = 1, .code_point = first, .is_valid = true};
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4) return {};
  std::uint32_t code_point = first & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80U) return {};
    code_point = code_point << 6U | (byte(i) & 0x3fU);
  }
  constexpr std::array<std::uint32_t, 5> kLeast{0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = code_point >= 0xd800 && code_point < 0xe000;
  if (code_point < kLeast[length] || code_point > 0x10ffff || is_surrogate) return {};
  return {.bytes = length, .code_point = code_point, .is_valid = true};
}

bool IsNoncharacter(std::uint32_t code_point) {
  return (code_point & 0xfffeU) == 0xfffeU || (code_point >= 0xfdd0 && code_point <= 0xfdef);
}

bool IsControl(std::uint32_t code_point) {
  return code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0);
}

bool IsLineBreak(std::uint32_t code_point) {
  return code_point == '\t' || code_point == '\n' || code_point == '\r';
}

void AppendByte(std::string& out, char c) {
  fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(c));
}

void AppendStorable(std::string& out, std::string_view text, const Unit& unit,
                    LineBreaks line_breaks) {
  if (!unit.is_valid) return AppendByte(out, text.front());
  const bool is_kept = line_breaks == LineBreaks::kKeep && IsLineBreak(unit.code_point);
  if (IsControl(unit.code_point) && !is_kept) {
    fmt::format_to(std::back_inserter(out), "\\x{:02x}", unit.code_point);
  } else if (IsNoncharacter(unit.code_point)) {
    fmt::format_to(std::back_inserter(out), "\\u{{{:X}}}", unit.code_point);
  } else {
    out += text.substr(0, unit.bytes);
  }
}

// Appends unit after unit; where the limit would be passed it goes back to the last unit that
// leaves room for the mark.
template <typename Append>
std::string Bounded(std::string_view text, std::size_t most_bytes, const Append& append) {
  const std::size_t mark = std::min(kCutMark.size(), most_bytes);
  std::string out;
  std::size_t fits = 0;  // the end of the last unit that a mark could follow
  for (std::size_t at = 0; at < text.size();) {
    at += append(out, text.substr(at));
    if (out.size() > most_bytes) {
      out.resize(fits);
      out += kCutMark.substr(0, mark);
      return out;
    }
    if (out.size() <= most_bytes - mark) fits = out.size();
  }
  return out;
}

std::optional<std::uint32_t> HexAt(std::string_view text, std::size_t at) {
  if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') return std::nullopt;
  std::uint32_t value = 0;
  for (const char c : text.substr(at + 2, 4)) {
    const int digit = HexValue(c);
    if (digit < 0) return std::nullopt;
    value = value << 4U | static_cast<std::uint32_t>(digit);
  }
  return value;
}

// An escape that begins at `at`, a backslash. Returns how many bytes of `json` were read.
std::size_t AppendEscape(std::string& out, std::string_view json, std::size_t at) {
  const std::optional<std::uint32_t> unit = HexAt(json, at);
  if (!unit) {
    // The byte behind the backslash is read with it only if it can follow one: all others are
    // looked at by themselves.
    const bool is_pair = at + 1 < json.size() && static_cast<unsigned char>(json[at + 1]) >= 0x20 &&
                         static_cast<unsigned char>(json[at + 1]) < 0x80;
    out += json.substr(at, is_pair ? 2 : 1);
    return is_pair ? 2 : 1;
  }
  const bool is_surrogate = *unit >= 0xd800 && *unit < 0xe000;
  if (is_surrogate && *unit < 0xdc00) {
    const std::optional<std::uint32_t> low = HexAt(json, at + 6);
    if (low && *low >= 0xdc00 && *low < 0xe000) {
      out += json.substr(at, 12);
      return 12;
    }
  }
  if (*unit == 0 || is_surrogate) out += '\\';
  out += json.substr(at, 6);
  return 6;
}

// A character of a JSON string that is neither quote nor backslash.
std::size_t AppendJsonCharacter(std::string& out, std::string_view json, std::size_t at) {
  const Unit unit = UnitAt(json, at);
  if (!unit.is_valid) {
    out += '\\';
    AppendByte(out, json[at]);
  } else if (unit.code_point == 0) {
    out += "\\\\u0000";
  } else if (unit.code_point < 0x20) {
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", unit.code_point);
  } else {
    out += json.substr(at, unit.bytes);
  }
  return unit.bytes;
}

}  // namespace

std::string_view CutAtCharacter(std::string_view text, std::size_t most_bytes) {
  if (text.size() <= most_bytes) return text;
  // The character that the limit may divide begins at most three bytes before it.
  for (std::size_t back = 1; back <= 3 && back <= most_bytes; ++back) {
    const Unit unit = UnitAt(text, most_bytes - back);
    if (unit.is_valid && unit.bytes > back) return text.substr(0, most_bytes - back);
    if (unit.is_valid) break;
  }
  return text.substr(0, most_bytes);
}

std::string StorableText(std::string_view text, std::size_t most_bytes, LineBreaks line_breaks) {
  return Bounded(text, most_bytes, [line_breaks](std::string& out, std::string_view rest) {
    const Unit unit = UnitAt(rest, 0);
    AppendStorable(out, rest, unit, line_breaks);
    return unit.bytes;
  });
}

bool IsStorableText(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const Unit unit = UnitAt(text, at);
    if (!unit.is_valid || IsControl(unit.code_point) || IsNoncharacter(unit.code_point))
      return false;
    at += unit.bytes;
  }
  return true;
}

bool IsUtf8WithoutNul(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const Unit unit = UnitAt(text, at);
    if (!unit.is_valid || unit.code_point == 0) return false;
    at += unit.bytes;
  }
  return true;
}

std::string AsciiText(std::string_view text, std::size_t most_bytes) {
  return Bounded(text, most_bytes, [](std::string& out, std::string_view rest) {
    if (rest.front() < 0x20 || rest.front() > 0x7e)
      AppendByte(out, rest.front());
    else
      out += rest.front();
    return std::size_t{1};
  });
}

std::string StorableJson(std::string_view json) {
  if (json.starts_with(kBom)) json.remove_prefix(kBom.size());
  std::string out;
  out.reserve(json.size());
  bool is_in_string = false;
  for (std::size_t at = 0; at < json.size();) {
    const char c = json[at];
    if (c == '"') is_in_string = !is_in_string;
    if (is_in_string && c == '\\') {
      at += AppendEscape(out, json, at);
    } else if (is_in_string && c != '"') {
      at += AppendJsonCharacter(out, json, at);
    } else {
      out += c;
      ++at;
    }
  }
  return out;
}

}  // namespace pcw
