#include "pcw/lake/part_reader.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/base64.h"
#include "pcw/base/hex.h"
#include "pcw/base/json.h"
#include "pcw/base/storable_text.h"

namespace pcw::lake {
namespace {

constexpr std::string_view kMeta = "\"meta\":";
constexpr std::string_view kPayload = ",\"payload\":";
constexpr std::string_view kCompanion = ",\"companion\":{";
constexpr std::string_view kInBase64 = "null,\"payload_base64\":\"";

Error Refused(int line, std::string_view what) {
  return Error(ErrorCode::kSchemaMismatch, fmt::format("line {}: {}", line, what))
      .With("line", std::to_string(line));
}

// What meta says, of a record or of a companion.
struct Meta {
  std::string_view id, operation, request_id, fetched_at, served_at, version, source, sha256;
  std::string_view malformed;
  std::size_t size = std::string_view::npos;
  int index = -1;
  bool is_respaced = false;
  bool accepts_older = false;
};

// Walks over a flat JSON object of strings, numbers and literals, from the front of a text.
class MetaScanner {
 public:
  MetaScanner(std::string_view text, std::deque<std::string>& unescaped)
      : rest_(text), unescaped_(unescaped) {}

  // False if it is not such an object.
  bool Read(Meta& meta) {
    if (!Take('{')) return false;
    if (Take('}')) return true;
    do {
      std::string_view name;
      if (!ReadString(name) || !Take(':') || !ReadMember(name, meta)) return false;
    } while (Take(','));
    return Take('}');
  }

  std::string_view rest() const { return rest_; }

 private:
  bool Take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool ReadString(std::string_view& out) {
    if (rest_.empty() || rest_.front() != '"') return false;
    std::size_t end = 1;
    bool is_escaped = false;
    while (end < rest_.size() && rest_[end] != '"') {
      is_escaped = is_escaped || rest_[end] == '\\';
      end += rest_[end] == '\\' ? 2 : 1;
    }
    if (end >= rest_.size()) return false;
    out = rest_.substr(1, end - 1);
    if (is_escaped) {
      // What a header said may not be UTF-8 in lines that are older than the rule that escapes it.
      Result<Json> text = ParseJson(rest_.substr(0, end + 1));
      if (!text) text = ParseJson(StorableJson(rest_.substr(0, end + 1)));
      if (!text || !text->is_string()) return false;
      out = unescaped_.emplace_back(text->get<std::string>());
    }
    rest_.remove_prefix(end + 1);
    return true;
  }

  bool ReadMember(std::string_view name, Meta& meta) {
    if (!rest_.empty() && rest_.front() == '"') {
      std::string_view value;
      if (!ReadString(value)) return false;
      if (std::string_view* slot = SlotOf(name, meta)) *slot = value;
      return true;
    }
    const std::size_t end = rest_.find_first_of(",}");
    const bool is_plain =
        end != 0 && end != std::string_view::npos && rest_.front() != '{' && rest_.front() != '[';
    if (!is_plain) return false;
    const std::string_view value = rest_.substr(0, end);
    rest_.remove_prefix(end);
    if (name == "respaced") meta.is_respaced = true;
    if (name == "accept_older") meta.accepts_older = true;
    const auto read = [&](auto& number) {
      const auto parsed = std::from_chars(value.data(), value.data() + value.size(), number);
      return parsed.ec == std::errc() && parsed.ptr == value.data() + value.size();
    };
    if (name == "index") return read(meta.index);
    return name != "size" || read(meta.size);
  }

  static std::string_view* SlotOf(std::string_view name, Meta& meta) {
    if (name == "id") return &meta.id;
    if (name == "operation") return &meta.operation;
    if (name == "request_id") return &meta.request_id;
    if (name == "fetched_at") return &meta.fetched_at;
    if (name == "served_at") return &meta.served_at;
    if (name == "version") return &meta.version;
    if (name == "source") return &meta.source;
    if (name == "malformed") return &meta.malformed;
    return name == "sha256" ? &meta.sha256 : nullptr;
  }

  std::string_view rest_;
  std::deque<std::string>& unescaped_;
};

class LineScanner {
 public:
  LineScanner(int line, LineDigests digests, std::deque<std::string>& unescaped)
      : number_(line), digests_(digests), unescaped_(unescaped) {}

  Result<ScannedLine> Read(std::string_view line) {
    if (!line.starts_with("{\"meta\":") || !line.ends_with('}'))
      return Refused(number_, "not a {\"meta\":...,\"payload\":...} object");
    std::string_view text = line.substr(1, line.size() - 2);
    Meta meta;
    PCW_TRY(const std::string_view payload, ReadAnswer(text, meta));
    if (meta.id.empty() || meta.operation.empty())
      return Refused(number_, "meta names no record or no operation");
    ScannedLine out{.line = number_,
                    .id = meta.id,
                    .operation = meta.operation,
                    .request_id = meta.request_id,
                    .fetched_at = meta.fetched_at,
                    .served_at = meta.served_at,
                    .version = meta.version,
                    .source = meta.source,
                    .index = meta.index,
                    .is_respaced = meta.is_respaced,
                    .accepts_older = meta.accepts_older,
                    .payload = payload,
                    .companion = {},
                    .companion_operation = {},
                    .companion_request_id = {},
                    .malformed = meta.malformed};
    PCW_TRY_OK(ReadDigest(meta, payload, out.sha256));
    if (text.empty()) return out;
    if (!text.starts_with(kCompanion) || !text.ends_with('}'))
      return Refused(number_, "something other than a companion stands behind the payload");
    text = text.substr(kCompanion.size(), text.size() - kCompanion.size() - 1);
    Meta companion;
    PCW_TRY(out.companion, ReadAnswer(text, companion));
    out.companion_operation = companion.operation;
    out.companion_request_id = companion.request_id;
    if (out.malformed.empty()) out.malformed = companion.malformed;
    PCW_TRY_OK(ReadDigest(companion, out.companion, out.companion_sha256));
    return out;
  }

 private:
  // Reads "meta":{...},"payload":... from the front of `text` and leaves what follows it.
  Result<std::string_view> ReadAnswer(std::string_view& text, Meta& meta) {
    if (!text.starts_with(kMeta)) return Refused(number_, "meta or payload is missing");
    MetaScanner scanner(text.substr(kMeta.size()), unescaped_);
    if (!scanner.Read(meta)) return Refused(number_, "meta is not an object of plain members");
    text = scanner.rest();
    if (!text.starts_with(kPayload)) return Refused(number_, "meta or payload is missing");
    text.remove_prefix(kPayload.size());
    if (!meta.malformed.empty()) return ReadBase64(text);
    if (meta.size != std::string_view::npos && meta.size > text.size())
      return Refused(number_, "meta.size is not the size of the payload");
    const std::string_view payload = text.substr(0, meta.size);
    text.remove_prefix(payload.size());
    return payload;
  }

  // Reads null,"payload_base64":"..." from the front of `text`: the original bytes.
  Result<std::string_view> ReadBase64(std::string_view& text) {
    const auto end =
        text.starts_with(kInBase64) ? text.find('"', kInBase64.size()) : std::string_view::npos;
    if (end == std::string_view::npos)
      return Refused(number_, "the payload is malformed and payload_base64 is missing");
    auto bytes = DecodeBase64(text.substr(kInBase64.size(), end - kInBase64.size()));
    if (!bytes) return Refused(number_, "payload_base64 is not base64");
    text.remove_prefix(end + 1);
    return std::string_view(unescaped_.emplace_back(std::move(*bytes)));
  }

  Status ReadDigest(const Meta& meta, std::string_view payload, Sha256Digest& digest) const {
    if (!ReadHexDigest(meta.sha256, digest))
      return Refused(number_, "meta.sha256 is not a SHA-256");
    if (digests_ == LineDigests::kCheck && !meta.is_respaced && Sha256(payload) != digest) {
      return Refused(number_, "the payload was altered: its SHA-256 is not meta.sha256");
    }
    return Ok{};
  }

  int number_;
  LineDigests digests_;
  std::deque<std::string>& unescaped_;
};

// What a whole object can be instead of a part.
Status CheckWhole(std::string_view text) {
  if (text.empty()) return Refused(1, "the object is empty");
  if (text.starts_with("\x1f\x8b")) return Refused(1, "gzip; parts are stored as they are");
  return Ok{};
}

Result<ScannedLine> ReadLine(std::string_view line, int number, LineDigests digests,
                             std::deque<std::string>& unescaped) {
  if (line.size() > kLongestLine)
    return Refused(number, fmt::format("{} bytes long; the most is {}", line.size(), kLongestLine));
  if (line.starts_with("\xef\xbb\xbf")) return Refused(number, "begins with a byte order mark");
  if (std::memchr(line.data(), '\0', line.size()) != nullptr)
    return Refused(number, "holds a NUL byte");
  return LineScanner(number, digests, unescaped).Read(line);
}

}  // namespace

bool ReadHexDigest(std::string_view hex, Sha256Digest& digest) { return HexDecode(hex, digest); }

Result<ScannedPart> ScanPart(std::string_view text, LineDigests digests) {
  PCW_TRY_OK(CheckWhole(text));
  ScannedPart part;
  for (int number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    Result<ScannedLine> line = Refused(number, "cut off: no line break at its end");
    if (end != std::string_view::npos)
      line = ReadLine(text.substr(0, end), number, digests, part.unescaped);
    if (line) {
      part.lines.push_back(*line);
    } else {
      part.unreadable.push_back({.line = number, .why = line.error().message()});
    }
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return part;
}

}  // namespace pcw::lake
