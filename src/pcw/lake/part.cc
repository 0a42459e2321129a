#include "pcw/lake/part.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/json.h"

namespace pcw::lake {
namespace {

constexpr std::string_view kPayloadMember = ",\"payload\":";

void AppendJsonString(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += fmt::format("\\u{:04x}", byte);
    } else {
      out += c;
    }
  }
  out += '"';
}

void AppendMember(std::string& out, std::string_view key, std::string_view value) {
  out += fmt::format(",\"{}\":", key);
  AppendJsonString(out, value);
}

Error BadLine(int line, std::string_view what) {
  return Error(ErrorCode::kSchemaMismatch, fmt::format("line {}: {}", line, what))
      .With("line", std::to_string(line));
}

int Nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool ReadHex(std::string_view hex, Sha256Digest& digest) {
  if (hex.size() != digest.size() * 2) return false;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    const int high = Nibble(hex[2 * i]);
    const int low = Nibble(hex[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    digest[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return true;
}

// Where the meta object ends: it holds strings and numbers only, so its first brace outside a
// string closes it.
std::size_t EndOfMeta(std::string_view line, std::size_t begin) {
  bool is_in_string = false;
  for (std::size_t i = begin; i < line.size(); ++i) {
    if (is_in_string && line[i] == '\\') {
      ++i;
    } else if (line[i] == '"') {
      is_in_string = !is_in_string;
    } else if (line[i] == '}' && !is_in_string) {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

Result<PartLine> ReadLine(std::string_view line, int number) {
  constexpr std::string_view kStart = "{\"meta\":";
  if (!line.starts_with(kStart) || !line.ends_with('}'))
    return BadLine(number, "not a {\"meta\":...,\"payload\":...} object");
  const std::size_t meta_end = EndOfMeta(line, kStart.size() + 1);
  if (meta_end == std::string_view::npos ||
      line.substr(meta_end, kPayloadMember.size()) != kPayloadMember)
    return BadLine(number, "meta or payload is missing");
  const Result<Json> meta = ParseJson(line.substr(kStart.size(), meta_end - kStart.size()));
  if (!meta || !meta->is_object()) return BadLine(number, "meta is not a JSON object");

  PartLine part;
  part.line = number;
  part.payload = line.substr(meta_end + kPayloadMember.size());
  part.payload.remove_suffix(1);
  const auto text = [&meta](const char* key) {
    return meta->contains(key) && (*meta)[key].is_string() ? (*meta)[key].get<std::string>()
                                                           : std::string();
  };
  part.meta.id = text("id");
  part.meta.operation = text("operation");
  part.meta.request_id = text("request_id");
  part.meta.fetched_at = text("fetched_at");
  part.meta.source = text("source");
  if (const auto index = meta->find("index"); index != meta->end() && index->is_number_integer())
    part.meta.index = index->get<int>();
  part.meta.is_respaced = meta->contains("respaced");
  if (!ReadHex(text("sha256"), part.meta.sha256))
    return BadLine(number, "meta.sha256 is not a SHA-256");
  if (!part.meta.is_respaced && Sha256(part.payload) != part.meta.sha256)
    return BadLine(number, "the payload was altered: its SHA-256 is not meta.sha256");
  return part;
}

}  // namespace

AppendedLine PartBuilder::Append(RecordMeta meta, std::string_view payload) {
  meta.sha256 = Sha256(payload);
  const auto is_break = [](char c) { return c == '\n' || c == '\r'; };
  meta.is_respaced = std::any_of(payload.begin(), payload.end(), is_break);

  text_ += "{\"meta\":{\"id\":";
  AppendJsonString(text_, meta.id);
  AppendMember(text_, "operation", meta.operation);
  AppendMember(text_, "request_id", meta.request_id);
  AppendMember(text_, "fetched_at", meta.fetched_at);
  AppendMember(text_, "source", meta.source);
  if (meta.index >= 0) text_ += fmt::format(",\"index\":{}", meta.index);
  AppendMember(text_, "sha256", Hex(meta.sha256));
  if (meta.is_respaced) text_ += ",\"respaced\":true";
  text_ += '}';
  text_ += kPayloadMember;
  const std::size_t start = text_.size();
  text_ += payload;
  // Inside strings JSON allows no raw line break, so each one stands between tokens, where a space
  // means the same.
  if (meta.is_respaced)
    std::replace_if(text_.begin() + static_cast<std::ptrdiff_t>(start), text_.end(), is_break, ' ');
  text_ += "}\n";
  return {.line = ++records_, .offset = start, .size = payload.size(), .sha256 = meta.sha256};
}

Result<std::vector<PartLine>> ReadPart(std::string_view text) {
  std::vector<PartLine> lines;
  while (!text.empty()) {
    const int number = static_cast<int>(lines.size()) + 1;
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return BadLine(number, "cut off: no line break at its end");
    PCW_TRY(PartLine line, ReadLine(text.substr(0, end), number));
    lines.push_back(std::move(line));
    text.remove_prefix(end + 1);
  }
  return lines;
}

}  // namespace pcw::lake
