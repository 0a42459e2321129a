#include "pcw/lake/part.h"

#include <algorithm>

#include <fmt/format.h>
#include <simdjson.h>

#include "pcw/base/digest.h"
#include "pcw/base/json_form.h"
#include "pcw/base/storable_text.h"

namespace pcw::lake {
namespace {

constexpr std::string_view kPayloadMember = ",\"payload\":";

// Line breaks, quotes and backslashes are for the writer to escape; only UTF-8 is asked for.
bool IsUtf8(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c & 0x80) == 0; }) ||
         simdjson::validate_utf8(text.data(), text.size());
}

void AppendMetaText(std::string& out, std::string_view text) {
  // A header may hold any byte, and so may an id.
  std::string storable;
  if (!IsUtf8(text)) text = storable = StorableText(text);
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
  AppendMetaText(out, value);
}

bool IsBreak(char c) { return c == '\n' || c == '\r'; }

bool HasBreak(std::string_view text) {
  return text.find('\n') != std::string_view::npos || text.find('\r') != std::string_view::npos;
}

}  // namespace

void AppendLineStart(std::string& out, std::string_view id) {
  out += "{\"meta\":{\"id\":";
  AppendMetaText(out, id);
}

Stored PartBuilder::AppendAnswer(std::string_view payload, std::string_view malformed,
                                 bool is_respaced) {
  text_ += kPayloadMember;
  if (!malformed.empty()) {
    const Stored stored{.offset = text_.size(), .size = 4};
    text_.append("null,\"payload_base64\":\"").append(Base64(payload)).append("\"");
    return stored;
  }
  const Stored stored{.offset = text_.size(), .size = payload.size()};
  text_ += payload;
  // Inside strings JSON allows no raw line break, so each one stands between tokens, where a space
  // means the same.
  if (is_respaced)
    std::replace_if(text_.begin() + static_cast<std::ptrdiff_t>(stored.offset), text_.end(),
                    IsBreak, ' ');
  return stored;
}

AppendedLine PartBuilder::Append(RecordMeta meta, std::string_view payload, Form form) {
  return Append(std::move(meta), payload, {}, {}, form);
}

AppendedLine PartBuilder::Append(RecordMeta meta, std::string_view payload, CompanionMeta companion,
                                 std::string_view companion_payload, Form form) {
  AppendedLine line{.line = ++records_, .payload = {}, .sha256 = Sha256(payload)};
  const std::string malformed = form == Form::kGood ? "" : WhyMalformed(payload);
  const bool is_respaced = malformed.empty() && HasBreak(payload);
  AppendLineStart(text_, meta.id);
  AppendMember(text_, "operation", meta.operation);
  AppendMember(text_, "request_id", meta.request_id);
  AppendMember(text_, "fetched_at", meta.fetched_at);
  if (!meta.served_at.empty()) AppendMember(text_, "served_at", meta.served_at);
  if (!meta.version.empty()) AppendMember(text_, "version", meta.version);
  AppendMember(text_, "source", meta.source);
  if (meta.index >= 0) text_ += fmt::format(",\"index\":{}", meta.index);
  AppendMember(text_, "sha256", Hex(line.sha256));
  if (!malformed.empty()) AppendMember(text_, "malformed", malformed);
  if (malformed.empty() && !companion_payload.empty())
    text_ += fmt::format(",\"size\":{}", payload.size());
  if (is_respaced) text_ += ",\"respaced\":true";
  if (meta.accepts_older) text_ += ",\"accept_older\":true";
  text_ += '}';
  line.payload = AppendAnswer(payload, malformed, is_respaced);
  line.malformed = malformed;
  if (!companion_payload.empty()) {
    line.companion_sha256 = Sha256(companion_payload);
    const std::string other_malformed = WhyMalformed(companion_payload);
    const bool is_other_respaced = other_malformed.empty() && HasBreak(companion_payload);
    text_ += ",\"companion\":{\"meta\":{\"operation\":";
    AppendMetaText(text_, companion.operation);
    AppendMember(text_, "request_id", companion.request_id);
    AppendMember(text_, "fetched_at", companion.fetched_at);
    AppendMember(text_, "sha256", Hex(line.companion_sha256));
    if (!other_malformed.empty()) AppendMember(text_, "malformed", other_malformed);
    if (is_other_respaced) text_ += ",\"respaced\":true";
    text_ += '}';
    line.companion = AppendAnswer(companion_payload, other_malformed, is_other_respaced);
    if (malformed.empty()) line.malformed = other_malformed;
    text_ += '}';
  }
  text_ += "}\n";
  return line;
}

}  // namespace pcw::lake
