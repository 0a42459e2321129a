#include "pcw/sim/json_text.h"

#include <cstdint>

namespace pcw::sim {
namespace {

void AppendUnit(std::string& out, std::uint32_t unit) {
  static constexpr char kDigits[] = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) {
    out += kDigits[(unit >> static_cast<unsigned>(shift)) & 15U];
  }
}

// Decodes one code point of valid UTF-8 and moves `at` behind it.
std::uint32_t NextCodePoint(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]));
  };
  const std::uint32_t lead = byte(at);
  const std::size_t more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
  std::uint32_t code = lead & (more == 3 ? 0x07U : more == 2 ? 0x0fU : 0x1fU);
  for (std::size_t i = 1; i <= more && at + i < text.size(); ++i) {
    code = (code << 6U) | (byte(at + i) & 0x3fU);
  }
  at += more + 1;
  return code;
}

void AppendCodePoint(std::string& out, std::uint32_t code) {
  if (code < 0x10000) {
    AppendUnit(out, code);
    return;
  }
  AppendUnit(out, 0xd800U + ((code - 0x10000U) >> 10U));
  AppendUnit(out, 0xdc00U + ((code - 0x10000U) & 0x3ffU));
}

/// Quote, backslash and control characters.
void AppendEscaped(std::string& out, unsigned char byte) {
  switch (byte) {
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    default:
      AppendUnit(out, byte);
  }
}

}  // namespace

void JsonText::Separate() {
  if (out_.empty()) return;
  const char last = out_.back();
  if (last != '{' && last != '[' && last != ':' && last != ',') out_ += ',';
}

JsonText& JsonText::Key(std::string_view name) {
  Separate();
  out_ += '"';
  out_ += name;
  out_ += "\":";
  return *this;
}

JsonText& JsonText::String(std::string_view text) {
  Separate();
  out_ += '"';
  const unsigned char last_plain = escaping_ == Escaping::kUtf8 ? 0xff : 0x7f;
  std::size_t written = 0;
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x20 && byte <= last_plain && byte != '"' && byte != '\\') {
      ++i;
      continue;
    }
    out_.append(text, written, i - written);
    if (byte >= 0x80) {
      AppendCodePoint(out_, NextCodePoint(text, i));
    } else {
      AppendEscaped(out_, byte);
      ++i;
    }
    written = i;
  }
  out_.append(text, written);
  out_ += '"';
  return *this;
}

JsonText& JsonText::Raw(std::string_view json) {
  Separate();
  out_ += json;
  return *this;
}

JsonText& JsonText::Open(char bracket) {
  Separate();
  out_ += bracket;
  return *this;
}

JsonText& JsonText::Close(char bracket) {
  out_ += bracket;
  return *this;
}

}  // namespace pcw::sim
