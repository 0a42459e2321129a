#include "pcw/connector/yaml_document.h"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

namespace pcw::connector {
namespace {

constexpr std::size_t kMostBytes = 256U << 10U;
constexpr std::size_t kMostDepth = 16;

// Builds the tree from parser events. yaml-cpp's own nodes would follow aliases and keep duplicate
// keys without a word.
class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::string_view file) : file_(file) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) Problem(mark, "a second document; one file holds one document");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    CheckAnchor(mark, anchor);
    Add(At(mark, YamlNode::Kind::kNull));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    Problem(mark, "an alias (*name); write the value out");
    Add(At(mark, YamlNode::Kind::kNull));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    CheckAnchor(mark, anchor);
    // yaml-cpp tells a quoted scalar by the tag "!", a plain one by "?".
    const bool is_quoted = tag == "!";
    if (!is_quoted && tag != "?" && !tag.empty())
      Problem(mark, fmt::format("a tag ({}); write the plain value", tag));
    YamlNode node = At(mark, !is_quoted && (value.empty() || value == "~" || value == "null")
                                 ? YamlNode::Kind::kNull
                                 : YamlNode::Kind::kScalar);
    node.text = value;
    node.is_quoted = is_quoted;
    Add(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    Open(mark, tag, anchor, YamlNode::Kind::kSequence);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    Open(mark, tag, anchor, YamlNode::Kind::kMap);
  }
  void OnMapEnd() override { Close(); }

  void Problem(const YAML::Mark& mark, std::string_view what) {
    problems_.push_back({mark.line + 1, mark.column + 1,
                         fmt::format("{}:{}:{} {}", file_, mark.line + 1, mark.column + 1, what)});
  }
  int documents() const { return documents_; }
  YamlDocument Take() { return {std::move(root_), std::move(problems_)}; }

 private:
  struct Level {
    YamlNode node;
    std::unique_ptr<YamlNode> key;  ///< of a map: read, waiting for its value
  };

  static YamlNode At(const YAML::Mark& mark, YamlNode::Kind kind) {
    YamlNode node;
    node.kind = kind;
    node.line = mark.line + 1;
    node.column = mark.column + 1;
    return node;
  }

  void CheckAnchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0) Problem(mark, "an anchor (&name); write the value out where it is needed");
  }

  void Open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            YamlNode::Kind kind) {
    CheckAnchor(mark, anchor);
    if (!tag.empty() && tag != "?" && tag != "!")
      Problem(mark, fmt::format("a tag ({}); write the plain value", tag));
    if (levels_.size() >= kMostDepth)
      throw YAML::ParserException(mark, fmt::format("nested deeper than {}", kMostDepth));
    levels_.push_back({At(mark, kind), nullptr});
  }

  void Close() {
    YamlNode done = std::move(levels_.back().node);
    levels_.pop_back();
    Add(std::move(done));
  }

  void Add(YamlNode node) {
    if (levels_.empty()) {
      root_ = std::move(node);
      return;
    }
    Level& level = levels_.back();
    if (level.node.kind == YamlNode::Kind::kSequence) {
      level.node.items.push_back(std::move(node));
    } else if (!level.key) {
      AddKey(level, std::move(node));
    } else {
      level.node.members.emplace_back(std::move(*level.key), std::move(node));
      level.key.reset();
    }
  }

  void AddKey(Level& level, YamlNode key) {
    YAML::Mark mark;
    mark.line = key.line - 1;
    mark.column = key.column - 1;
    if (key.kind != YamlNode::Kind::kScalar) {
      Problem(mark, "a key that is not plain text");
    } else if (key.text == "<<") {
      Problem(mark, "a merge key (<<); write the members out");
    } else if (const YamlNode* earlier = level.node.Find(key.text)) {
      Problem(mark, fmt::format("{}: stands here twice; the first is in line {}", key.text,
                                earlier->line));
    }
    level.key = std::make_unique<YamlNode>(std::move(key));
  }

  std::string_view file_;
  std::vector<YamlProblem> problems_;
  int documents_ = 0;
  YamlNode root_;
  std::vector<Level> levels_;
};

// yaml-cpp takes a tab for a value and complains about something else.
Status CheckIndentation(std::string_view text, std::string_view file) {
  for (int line = 1; !text.empty(); ++line) {
    const std::string_view here = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(here.size() + 1, text.size()));
    const auto first = here.find_first_not_of(' ');
    if (first != std::string_view::npos && here[first] == '\t' &&
        here.find_first_not_of(" \t\r", first) != std::string_view::npos) {
      return Error(ErrorCode::kConfig, fmt::format("{}:{}:{} a tab in the indentation; use spaces",
                                                   file, line, first + 1));
    }
  }
  return Ok{};
}

}  // namespace

const YamlNode* YamlNode::Find(std::string_view key) const {
  for (const auto& [name, value] : members) {
    if (name.text == key) return &value;
  }
  return nullptr;
}

Result<YamlDocument> ParseYaml(std::string_view text, std::string_view file) {
  if (text.size() > kMostBytes)
    return Error(ErrorCode::kConfig,
                 fmt::format("{}: larger than {} KiB", file, kMostBytes / 1024));
  if (text.find('\0') != std::string_view::npos)
    return Error(ErrorCode::kConfig, fmt::format("{}: holds a NUL byte", file));
  PCW_TRY_OK(CheckIndentation(text, file));
  TreeBuilder builder(file);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (builder.documents() <= 1 && parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& problem) {
    return Error(ErrorCode::kConfig, fmt::format("{}:{}:{} {}", file, problem.mark.line + 1,
                                                 problem.mark.column + 1, problem.msg));
  }
  return builder.Take();
}

}  // namespace pcw::connector
