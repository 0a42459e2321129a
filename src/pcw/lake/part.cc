#include "pcw/lake/part.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/json.h"
#include "pcw/lake/part_reader.h"

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

// One {"meta":...,"payload":...} object without its closing brace, read from the front of `text`.
struct Answer {
  Json meta;
  std::string_view payload;
};

// `text` begins behind "{". Where meta has no size, the payload is all that follows.
Result<Answer> ReadAnswer(std::string_view text, int number) {
  constexpr std::string_view kStart = "\"meta\":";
  const std::size_t meta_end =
      text.starts_with(kStart) ? EndOfMeta(text, kStart.size() + 1) : std::string_view::npos;
  if (meta_end == std::string_view::npos ||
      text.substr(meta_end, kPayloadMember.size()) != kPayloadMember)
    return BadLine(number, "meta or payload is missing");
  Result<Json> meta = ParseJson(text.substr(kStart.size(), meta_end - kStart.size()));
  if (!meta || !meta->is_object()) return BadLine(number, "meta is not a JSON object");
  text.remove_prefix(meta_end + kPayloadMember.size());
  if (const auto size = meta->find("size"); size != meta->end()) {
    if (!size->is_number_unsigned() || size->get<std::uint64_t>() > text.size())
      return BadLine(number, "meta.size is not the size of the payload");
    text = text.substr(0, size->get<std::uint64_t>());
  }
  return Answer{std::move(*meta), text};
}

std::string TextOf(const Json& meta, const char* key) {
  const auto found = meta.find(key);
  return found != meta.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// Digest and spacing of an answer, checked against its bytes.
Status ReadDigest(const Answer& answer, int number, Sha256Digest& sha256, bool& is_respaced) {
  is_respaced = answer.meta.contains("respaced");
  if (!ReadHexDigest(TextOf(answer.meta, "sha256"), sha256))
    return BadLine(number, "meta.sha256 is not a SHA-256");
  if (!is_respaced && Sha256(answer.payload) != sha256)
    return BadLine(number, "the payload was altered: its SHA-256 is not meta.sha256");
  return Ok{};
}

Result<PartLine> ReadLine(std::string_view line, int number) {
  if (!line.starts_with("{\"meta\":") || !line.ends_with('}'))
    return BadLine(number, "not a {\"meta\":...,\"payload\":...} object");
  const std::string_view inner = line.substr(1, line.size() - 2);
  PCW_TRY(Answer answer, ReadAnswer(inner, number));
  PartLine part;
  part.line = number;
  part.payload = answer.payload;
  part.meta.id = TextOf(answer.meta, "id");
  part.meta.operation = TextOf(answer.meta, "operation");
  part.meta.request_id = TextOf(answer.meta, "request_id");
  part.meta.fetched_at = TextOf(answer.meta, "fetched_at");
  part.meta.served_at = TextOf(answer.meta, "served_at");
  part.meta.version = TextOf(answer.meta, "version");
  part.meta.source = TextOf(answer.meta, "source");
  part.meta.accepts_older = answer.meta.contains("accept_older");
  if (const auto index = answer.meta.find("index");
      index != answer.meta.end() && index->is_number_integer())
    part.meta.index = index->get<int>();
  PCW_TRY_OK(ReadDigest(answer, number, part.meta.sha256, part.meta.is_respaced));

  std::string_view rest = inner.substr(
      static_cast<std::size_t>(answer.payload.data() + answer.payload.size() - inner.data()));
  if (rest.empty()) return part;
  constexpr std::string_view kCompanion = ",\"companion\":{";
  if (!rest.starts_with(kCompanion) || !rest.ends_with('}'))
    return BadLine(number, "something other than a companion stands behind the payload");
  rest = rest.substr(kCompanion.size(), rest.size() - kCompanion.size() - 1);
  PCW_TRY(const Answer companion, ReadAnswer(rest, number));
  part.companion = companion.payload;
  part.companion_meta.operation = TextOf(companion.meta, "operation");
  part.companion_meta.request_id = TextOf(companion.meta, "request_id");
  part.companion_meta.fetched_at = TextOf(companion.meta, "fetched_at");
  PCW_TRY_OK(
      ReadDigest(companion, number, part.companion_meta.sha256, part.companion_meta.is_respaced));
  return part;
}

bool IsBreak(char c) { return c == '\n' || c == '\r'; }

bool HasBreak(std::string_view text) { return std::any_of(text.begin(), text.end(), IsBreak); }

}  // namespace

Stored PartBuilder::AppendPayload(std::string_view payload, bool is_respaced) {
  text_ += kPayloadMember;
  const Stored stored{.offset = text_.size(), .size = payload.size()};
  text_ += payload;
  // Inside strings JSON allows no raw line break, so each one stands between tokens, where a space
  // means the same.
  if (is_respaced)
    std::replace_if(text_.begin() + static_cast<std::ptrdiff_t>(stored.offset), text_.end(),
                    IsBreak, ' ');
  return stored;
}

AppendedLine PartBuilder::Append(RecordMeta meta, std::string_view payload) {
  return Append(std::move(meta), payload, {}, {});
}

AppendedLine PartBuilder::Append(RecordMeta meta, std::string_view payload, CompanionMeta companion,
                                 std::string_view companion_payload) {
  AppendedLine line{.line = ++records_, .payload = {}, .sha256 = Sha256(payload)};
  const bool is_respaced = HasBreak(payload);
  text_ += "{\"meta\":{\"id\":";
  AppendJsonString(text_, meta.id);
  AppendMember(text_, "operation", meta.operation);
  AppendMember(text_, "request_id", meta.request_id);
  AppendMember(text_, "fetched_at", meta.fetched_at);
  if (!meta.served_at.empty()) AppendMember(text_, "served_at", meta.served_at);
  if (!meta.version.empty()) AppendMember(text_, "version", meta.version);
  AppendMember(text_, "source", meta.source);
  if (meta.index >= 0) text_ += fmt::format(",\"index\":{}", meta.index);
  AppendMember(text_, "sha256", Hex(line.sha256));
  if (!companion_payload.empty()) text_ += fmt::format(",\"size\":{}", payload.size());
  if (is_respaced) text_ += ",\"respaced\":true";
  if (meta.accepts_older) text_ += ",\"accept_older\":true";
  text_ += '}';
  line.payload = AppendPayload(payload, is_respaced);
  if (!companion_payload.empty()) {
    line.companion_sha256 = Sha256(companion_payload);
    const bool is_other_respaced = HasBreak(companion_payload);
    text_ += ",\"companion\":{\"meta\":{\"operation\":";
    AppendJsonString(text_, companion.operation);
    AppendMember(text_, "request_id", companion.request_id);
    AppendMember(text_, "fetched_at", companion.fetched_at);
    AppendMember(text_, "sha256", Hex(line.companion_sha256));
    if (is_other_respaced) text_ += ",\"respaced\":true";
    text_ += '}';
    line.companion = AppendPayload(companion_payload, is_other_respaced);
    text_ += '}';
  }
  text_ += "}\n";
  return line;
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
