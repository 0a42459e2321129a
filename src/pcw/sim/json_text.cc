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
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == '"' || byte == '\\') {
      out_ += '\\';
      out_ += text[i++];
    } else if (byte >= 0x20 && byte < 0x80) {
      out_ += text[i++];
    } else if (byte < 0x20) {
      ++i;
      if (byte == '\n') {
        out_ += "\\n";
      } else if (byte == '\r') {
        out_ += "\\r";
      } else if (byte == '\t') {
        out_ += "\\t";
      } else {
        AppendUnit(out_, byte);
      }
    } else if (escaping_ == Escaping::kUtf8) {
      out_ += text[i++];
    } else {
      const std::uint32_t code = NextCodePoint(text, i);
      if (code >= 0x10000) {
        AppendUnit(out_, 0xd800U + ((code - 0x10000U) >> 10U));
        AppendUnit(out_, 0xdc00U + ((code - 0x10000U) & 0x3ffU));
      } else {
        AppendUnit(out_, code);
      }
    }
  }
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
