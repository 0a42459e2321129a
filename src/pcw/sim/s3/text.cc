#include "pcw/sim/s3/text.h"

#include <charconv>
#include <chrono>
#include <cstdint>

#include <fmt/format.h>

#include "pcw/base/hex.h"
#include "pcw/base/time.h"
#include "pcw/base/xml_text.h"
#include "pcw/sim/answer.h"

namespace pcw::sim {
namespace {

constexpr std::string_view kBase64Letters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool IsPlain(char c, std::string_view also) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
         also.find(c) != std::string_view::npos;
}

void AppendEscape(std::string& out, char c) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(c);
  out += '%';
  out += kDigits[byte >> 4U];
  out += kDigits[byte & 15U];
}

std::string EncodeAllBut(std::string_view text, std::string_view also) {
  std::string out;
  for (const char c : text) {
    if (IsPlain(c, also)) {
      out += c;
    } else {
      AppendEscape(out, c);
    }
  }
  return out;
}

}  // namespace

std::optional<std::string> PercentDecode(std::string_view text, Plus plus) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i] == '+' && plus == Plus::kBlank ? ' ' : text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = HexValue(text[i + 1]);
    const int low = HexValue(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::string PercentEncode(std::string_view text, Slash slash) {
  return EncodeAllBut(text, slash == Slash::kKeep ? "-._~/" : "-._~");
}

std::string ListingEncode(std::string_view text) {
  std::string out = EncodeAllBut(text, "-._*/ ");
  for (char& c : out) {
    if (c == ' ') c = '+';
  }
  return out;
}

std::string Base64(std::string_view bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = (group << 8U) | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      const bool used = i + k <= bytes.size();
      out += used ? kBase64Letters[(group >> (18 - 6 * k)) & 63U] : '=';
    }
  }
  return out;
}

std::optional<std::string> FromBase64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 4) {
    std::string_view group = text.substr(i, 4);
    if (i + 4 == text.size()) group = group.substr(0, group.find('='));
    if (group.size() < 2) return std::nullopt;
    const std::size_t padding = 4 - group.size();
    if (padding == 2 && text.substr(i + 2, 2) != "==") return std::nullopt;
    std::uint32_t bits = 0;
    for (const char c : group) {
      const std::size_t value = kBase64Letters.find(c);
      if (value == std::string_view::npos) return std::nullopt;
      bits = (bits << 6U) | static_cast<std::uint32_t>(value);
    }
    bits <<= 6 * padding;
    for (std::size_t k = 0; k < 3 - padding; ++k) {
      out += static_cast<char>((bits >> (16 - 8 * k)) & 255U);
    }
  }
  return out;
}

std::string XmlText(std::string_view text) {
  std::string out;
  for (const char c : XmlEscape(text)) {
    if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("&#x{:x};", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out;
}

bool IsUtf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if ((lead >= 0x80 && lead < 0xc2) || lead > 0xf4 || i + size > text.size()) return false;
    std::uint32_t point = size == 1 ? lead : lead & (0xffU >> (size + 1));
    for (std::size_t k = 1; k < size; ++k) {
      const auto byte = static_cast<unsigned char>(text[i + k]);
      if ((byte & 0xc0U) != 0x80) return false;
      point = (point << 6U) | (byte & 0x3fU);
    }
    const bool overlong = (size == 3 && point < 0x800) || (size == 4 && point < 0x10000);
    if (overlong || (point >= 0xd800 && point < 0xe000) || point > 0x10ffff) return false;
    i += size;
  }
  return true;
}

std::string S3Time(WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(time - seconds).count();
  std::string text = FormatRfc3339(seconds);
  text.pop_back();
  return fmt::format("{}.{:03}Z", text, millis);
}

std::optional<std::uint64_t> ParseDigits(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace pcw::sim
