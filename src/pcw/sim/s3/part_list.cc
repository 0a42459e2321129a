#include "pcw/sim/s3/part_list.h"

#include <algorithm>
#include <array>
#include <utility>

#include "pcw/sim/s3/text.h"

namespace pcw::sim {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

/// Walks through tags and text.
class XmlReader {
 public:
  explicit XmlReader(std::string_view text) : rest_(text) {}

  void SkipBlanks() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(kBlanks), rest_.size()));
  }

  void SkipProlog() {
    SkipBlanks();
    if (!rest_.starts_with("<?xml")) return;
    const std::size_t end = rest_.find("?>");
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 2);
    SkipBlanks();
  }

  /// The name of the start tag that comes next, attributes dropped; empty if none does.
  std::string Open() {
    SkipBlanks();
    const std::size_t end = rest_.find('>');
    if (!rest_.starts_with('<') || rest_.starts_with("</") || end == std::string_view::npos) {
      return {};
    }
    const std::string_view tag = rest_.substr(1, end - 1);
    if (tag.ends_with('/')) return {};
    rest_.remove_prefix(end + 1);
    return std::string(tag.substr(0, tag.find_first_of(kBlanks)));
  }

  bool Close(std::string_view name) {
    SkipBlanks();
    const std::string tag = "</" + std::string(name) + ">";
    if (!rest_.starts_with(tag)) return false;
    rest_.remove_prefix(tag.size());
    return true;
  }

  std::optional<std::string> Text() {
    std::string out;
    const std::size_t end = std::min(rest_.find('<'), rest_.size());
    std::string_view text = rest_.substr(0, end);
    rest_.remove_prefix(end);
    while (!text.empty()) {
      if (text.front() != '&') {
        out += text.front();
        text.remove_prefix(1);
        continue;
      }
      bool replaced = false;
      for (const auto& [name, c] : kReferences) {
        if (!text.starts_with(name)) continue;
        out += c;
        text.remove_prefix(name.size());
        replaced = true;
        break;
      }
      if (!replaced) return std::nullopt;
    }
    return out;
  }

  bool AtEnd() {
    SkipBlanks();
    return rest_.empty();
  }

 private:
  static constexpr std::array<std::pair<std::string_view, char>, 7> kReferences{{{"&amp;", '&'},
                                                                                 {"&lt;", '<'},
                                                                                 {"&gt;", '>'},
                                                                                 {"&quot;", '"'},
                                                                                 {"&apos;", '\''},
                                                                                 {"&#34;", '"'},
                                                                                 {"&#x22;", '"'}}};

  std::string_view rest_;
};

std::string Unquoted(std::string text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return text;
  return text.substr(1, text.size() - 2);
}

bool ReadPart(XmlReader& reader, ListedPart& part) {
  bool numbered = false;
  for (std::string name = reader.Open(); !name.empty(); name = reader.Open()) {
    auto text = reader.Text();
    if (!text || !reader.Close(name)) return false;
    if (name == "PartNumber") {
      const auto number = ParseDigits(*text);
      if (!number) return false;
      part.number = *number;
      numbered = true;
    } else if (name == "ETag") {
      part.etag = Unquoted(std::move(*text));
    } else if (name.starts_with("Checksum")) {
      part.checksums.emplace(name, std::move(*text));
    } else {
      return false;
    }
  }
  return numbered && !part.etag.empty();
}

}  // namespace

std::optional<std::vector<ListedPart>> ReadPartList(std::string_view xml) {
  XmlReader reader(xml);
  reader.SkipProlog();
  if (reader.Open() != "CompleteMultipartUpload") return std::nullopt;
  std::vector<ListedPart> parts;
  for (std::string name = reader.Open(); !name.empty(); name = reader.Open()) {
    ListedPart part;
    if (name != "Part" || !ReadPart(reader, part) || !reader.Close("Part")) return std::nullopt;
    parts.push_back(std::move(part));
  }
  if (!reader.Close("CompleteMultipartUpload") || !reader.AtEnd() || parts.empty()) {
    return std::nullopt;
  }
  return parts;
}

}  // namespace pcw::sim
