#include "pcw/aws/ini.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <simdjson.h>

namespace pcw::aws {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// What Python's str.strip() takes away, as far as it is one byte, and the no-break space.
constexpr std::string_view kBlank = " \t\n\v\f\r\x1c\x1d\x1e\x1f";
constexpr std::string_view kNoBreakSpace = "\xC2\xA0";

std::string_view Strip(std::string_view text) {
  for (;;) {
    const std::size_t before = text.size();
    while (!text.empty() && kBlank.find(text.front()) != std::string_view::npos)
      text.remove_prefix(1);
    while (!text.empty() && kBlank.find(text.back()) != std::string_view::npos)
      text.remove_suffix(1);
    if (text.starts_with(kNoBreakSpace)) text.remove_prefix(kNoBreakSpace.size());
    if (text.ends_with(kNoBreakSpace)) text.remove_suffix(kNoBreakSpace.size());
    if (text.size() == before) return text;
  }
}

// The next line, whichever of the three line ends it has.
std::string_view TakeLine(std::string_view& text) {
  const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end);
  if (text.starts_with("\r\n")) text.remove_prefix(1);
  if (!text.empty()) text.remove_prefix(1);
  return line;
}

std::string LowerCase(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

class Reader {
 public:
  Reader(std::string_view text, std::string_view file) : text_(text), file_(file) {}

  Result<IniSections> Read() {
    if (text_.starts_with(kByteOrderMark)) {
      number_ = 1;
      return Bad("begins with a byte order mark, which AWS's tools refuse; save it as plain UTF-8");
    }
    if (!simdjson::validate_utf8(text_))
      return Error(ErrorCode::kConfig,
                   fmt::format("{}: expected UTF-8; AWS's tools refuse another encoding", file_));
    while (!text_.empty()) {
      ++number_;
      PCW_TRY_OK(TakeContent(TakeLine(text_)));
    }
    return Finish();
  }

 private:
  struct Value {
    std::string text;
    int line = 0;
  };
  using Section = std::map<std::string, Value>;

  Error Bad(std::string_view what, int line = 0) const {
    return Error(ErrorCode::kConfig,
                 fmt::format("{}:{}: {}", file_, line == 0 ? number_ : line, what));
  }

  Status TakeContent(std::string_view line) {
    const std::string_view content = Strip(line);
    if (content.empty()) {
      if (value_ != nullptr) value_->text += '\n';
      return Ok{};
    }
    if (content.front() == '#' || content.front() == ';') return Ok{};
    const auto indent = static_cast<std::size_t>(content.data() - line.data());
    if (value_ != nullptr && indent > indent_) {
      value_->text.append("\n").append(content);
      return Ok{};
    }
    indent_ = indent;
    if (const auto close = content.rfind(']');
        content.front() == '[' && close != std::string_view::npos && close > 1)
      return BeginSection(std::string(content.substr(1, close - 1)));
    if (content.front() == '[' && content.find_first_of("=:") == std::string_view::npos)
      return Bad(content.find(']') == std::string_view::npos ? "a section header without ]"
                                                             : "a section header without a name");
    if (section_ == nullptr) return Bad("a setting before the first [section]");
    const auto delimiter = content.find_first_of("=:");
    if (delimiter == std::string_view::npos) return Bad("expected key = value");
    const std::string key = LowerCase(Strip(content.substr(0, delimiter)));
    if (key.empty()) return Bad("expected a key before the delimiter");
    const auto [at, is_new] = section_->try_emplace(key);
    if (!is_new) return Bad(fmt::format("{} stands twice in this section", key));
    value_ = &at->second;
    *value_ = {.text = std::string(Strip(content.substr(delimiter + 1))), .line = number_};
    return Ok{};
  }

  Status BeginSection(std::string name) {
    value_ = nullptr;
    if (name == "DEFAULT") {
      section_ = &defaults_;
      return Ok{};
    }
    if (!names_.insert(name).second) return Bad(fmt::format("[{}] stands twice", name));
    sections_.emplace_back(std::move(name), std::make_unique<Section>());
    section_ = sections_.back().second.get();
    return Ok{};
  }

  Result<IniSections> Finish() const {
    IniSections out;
    for (const auto& [name, section] : sections_) {
      Section all = *section;
      all.insert(defaults_.begin(), defaults_.end());
      out.emplace_back(name, ProfileSettings());
      for (const auto& [key, value] : all) PCW_TRY_OK(Store(key, value, out.back().second));
    }
    return out;
  }

  // A value that begins on the next line holds settings of its own.
  Status Store(const std::string& key, const Value& value, ProfileSettings& settings) const {
    std::string_view text = value.text;
    while (!text.empty() && kBlank.find(text.back()) != std::string_view::npos)
      text.remove_suffix(1);
    if (!text.starts_with('\n')) {
      settings[key] = text;
      return Ok{};
    }
    while (!text.empty()) {
      const std::string_view line = Strip(TakeLine(text));
      if (line.empty()) continue;
      const auto equals = line.find('=');
      if (equals == std::string_view::npos)
        return Bad(fmt::format("below {}: expected key = value on every line", key), value.line);
      settings[fmt::format("{}.{}", key, Strip(line.substr(0, equals)))] =
          Strip(line.substr(equals + 1));
    }
    return Ok{};
  }

  std::string_view text_;
  const std::string_view file_;
  int number_ = 0;
  std::size_t indent_ = 0;
  std::vector<std::pair<std::string, std::unique_ptr<Section>>> sections_;
  std::set<std::string> names_;
  Section defaults_;
  Section* section_ = nullptr;  // the current one
  Value* value_ = nullptr;      // that a deeper line continues
};

}  // namespace

Result<IniSections> ParseIni(std::string_view text, std::string_view file) {
  return Reader(text, file).Read();
}

Result<std::vector<std::string>> SplitShellWords(std::string_view text) {
  std::vector<std::string> words;
  std::optional<std::string> word;
  char quote = '\0';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote == '\0' && std::string_view(" \t\r\n").find(c) != std::string_view::npos) {
      if (word) words.push_back(std::move(*word));
      word.reset();
      continue;
    }
    if (!word) word.emplace();
    if (quote != '\0' && c == quote) {
      quote = '\0';
    } else if (c == '\\' && quote != '\'') {
      if (i + 1 == text.size()) return Error(ErrorCode::kConfig, "a backslash at the end");
      const char next = text[++i];
      // Within double quotes a backslash stands for itself before anything but these two.
      if (quote == '"' && next != '"' && next != '\\') *word += c;
      *word += next;
    } else if (quote == '\0' && (c == '"' || c == '\'')) {
      quote = c;
    } else {
      *word += c;
    }
  }
  if (quote != '\0') return Error(ErrorCode::kConfig, fmt::format("an open {}", quote));
  if (word) words.push_back(std::move(*word));
  return words;
}

}  // namespace pcw::aws
