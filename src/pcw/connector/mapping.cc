#include "pcw/connector/mapping.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include <fmt/format.h>

#include "pcw/base/nearest.h"
#include "pcw/connector/reserved_columns.h"
#include "pcw/connector/value_path.h"
#include "pcw/connector/yaml_document.h"

namespace pcw::connector {

// Generated from mappings/ by cmake/Embed.cmake.
const std::vector<std::pair<std::string_view, std::string_view>>& MappingFiles();

namespace {

constexpr std::array<std::pair<std::string_view, ColumnType>, 7> kTypes{
    {{"text", ColumnType::kText},
     {"integer", ColumnType::kInteger},
     {"decimal", ColumnType::kDecimal},
     {"boolean", ColumnType::kBoolean},
     {"timestamp", ColumnType::kTimestamp},
     {"date", ColumnType::kDate},
     {"json", ColumnType::kJson}}};
constexpr std::array<std::pair<std::string_view, Pii>, 3> kPiiClasses{
    {{"none", Pii::kNone}, {"business", Pii::kBusiness}, {"personal", Pii::kPersonal}}};
constexpr std::array<std::pair<std::string_view, DriftMode>, 3> kDriftModes{
    {{"evolve", DriftMode::kEvolve},
     {"quarantine", DriftMode::kQuarantine},
     {"freeze", DriftMode::kFreeze}}};

bool IsColumnName(std::string_view name) {
  const auto is_start = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  return !name.empty() && name.size() <= 63 && is_start(name[0]) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return is_start(c) || (c >= '0' && c <= '9'); });
}

bool IsPointer(std::string_view pointer) {
  if (pointer == "@id" || pointer == "@version" || pointer == "@served_at") return true;
  return ValuePath::Parse(pointer).has_value();
}

// Collects every problem of the file before giving up.
class MappingReader {
 public:
  explicit MappingReader(std::string_view file) : file_(file) {}

  Mapping Read(const YamlNode& root) {
    Mapping mapping;
    if (root.kind != YamlNode::Kind::kMap) {
      Problem(root, "", "expected a map with entity, version and columns");
      return mapping;
    }
    CheckKeys(root, "", {"entity", "version", "columns", "pii", "drift"});
    if (const YamlNode* entity = Need(root, "entity")) mapping.entity = Text(*entity, "entity");
    if (const YamlNode* version = Need(root, "version")) mapping.version = PositiveNumber(*version);
    if (const YamlNode* columns = Need(root, "columns")) {
      if (columns->kind != YamlNode::Kind::kMap || columns->members.empty())
        Problem(*columns, "columns", "expected a map of column name to source");
      for (const auto& [name, source] : columns->members)
        mapping.columns.push_back(ReadColumn(name, source));
      CheckUnits(*columns, mapping);
    }
    if (const YamlNode* pii = root.Find("pii")) {
      if (pii->kind != YamlNode::Kind::kMap)
        Problem(*pii, "pii", "expected a map of JSON pointer to business or personal");
      for (const auto& [pointer, pii_class] : pii->members)
        mapping.pii.push_back(ReadPii(pointer, pii_class));
    }
    if (const YamlNode* drift = root.Find("drift")) ReadDrift(*drift, mapping);
    return mapping;
  }

  const std::string& problems() const { return problems_; }

 private:
  void Problem(const YamlNode& node, std::string_view key, std::string_view what) {
    problems_ += fmt::format("{}{}:{}:{} {}{}{}", problems_.empty() ? "" : "\n", file_, node.line,
                             node.column, key, key.empty() ? "" : ": ", what);
  }

  void CheckKeys(const YamlNode& map, const std::string& path,
                 const std::vector<std::string>& known) {
    for (const auto& [key, value] : map.members) {
      if (std::find(known.begin(), known.end(), key.text) != known.end()) continue;
      const auto nearest = NearestName(key.text, known);
      Problem(key, path.empty() ? key.text : path + "." + key.text,
              fmt::format("unknown key, expected one of {}{}", fmt::join(known, ", "),
                          nearest ? fmt::format("; did you mean {}?", *nearest) : ""));
    }
  }

  const YamlNode* Need(const YamlNode& map, std::string_view key) {
    const YamlNode* value = map.Find(key);
    if (value == nullptr) Problem(map, key, "missing");
    return value;
  }

  std::string Text(const YamlNode& node, std::string_view key) {
    if (node.kind != YamlNode::Kind::kScalar) Problem(node, key, "expected text");
    return node.text;
  }

  int PositiveNumber(const YamlNode& node) {
    int number = 0;
    const char* end = node.text.data() + node.text.size();
    if (node.kind != YamlNode::Kind::kScalar ||
        std::from_chars(node.text.data(), end, number).ptr != end || number < 1 ||
        node.text[0] == '0') {
      Problem(node, "version", "expected a whole number from 1");
    }
    return number;
  }

  std::string Pointer(const YamlNode& node, std::string_view key) {
    std::string text = Text(node, key);
    if (!IsPointer(text))
      Problem(
          node, key,
          fmt::format(
              "\"{}\" is not a JSON pointer, expected for example /Customer/Account/CompanyName",
              text));
    return text;
  }

  std::vector<std::string> Pointers(const YamlNode& node, const std::string& key) {
    if (node.kind != YamlNode::Kind::kSequence) return {Pointer(node, key)};
    std::vector<std::string> pointers;
    for (const YamlNode& item : node.items) pointers.push_back(Pointer(item, key));
    if (pointers.empty()) Problem(node, key, "expected at least one JSON pointer");
    return pointers;
  }

  template <typename Table>
  auto OneOf(const YamlNode& node, std::string_view key, const Table& table) {
    std::vector<std::string> names;
    for (const auto& [name, value] : table) {
      if (node.kind == YamlNode::Kind::kScalar && node.text == name) return value;
      names.emplace_back(name);
    }
    const auto nearest = NearestName(node.text, names);
    Problem(node, key,
            fmt::format("\"{}\", expected one of {}{}", node.text, fmt::join(names, ", "),
                        nearest ? fmt::format("; did you mean {}?", *nearest) : ""));
    return table[0].second;
  }

  ColumnMapping ReadColumn(const YamlNode& name, const YamlNode& source) {
    ColumnMapping column;
    column.column = name.text;
    const std::string path = "columns." + name.text;
    if (!IsColumnName(name.text))
      Problem(name, path,
              "a column name has lower-case letters, digits and _, and begins with no digit");
    if (IsReservedColumn(name.text))
      Problem(name, path, "is a column of pcw's own; name it otherwise");
    if (source.kind != YamlNode::Kind::kMap) {
      Problem(source, path, "expected { from: /Pointer, type: text }");
      return column;
    }
    CheckKeys(source, path,
              {"from", "of", "type", "required", "pii", "when", "values", "default", "unit_of"});
    if (const YamlNode* from = Need(source, "from"))
      column.pointers = Pointers(*from, path + ".from");
    if (const YamlNode* of = source.Find("of")) column.of = Text(*of, path + ".of");
    if (const YamlNode* type = Need(source, "type"))
      column.type = OneOf(*type, path + ".type", kTypes);
    if (const YamlNode* required = source.Find("required")) {
      if (required->is_quoted || (required->text != "true" && required->text != "false"))
        Problem(*required, path + ".required", "expected true or false");
      column.is_required = required->text == "true";
    }
    if (const YamlNode* pii = source.Find("pii"))
      column.pii = OneOf(*pii, path + ".pii", kPiiClasses);
    if (const YamlNode* when = source.Find("when")) {
      CheckKeys(*when, path + ".when", {"at", "equals"});
      if (const YamlNode* at = Need(*when, "at"))
        column.when_pointer = Pointer(*at, path + ".when.at");
      if (const YamlNode* equals = Need(*when, "equals"))
        column.when_equals = Text(*equals, path + ".when.equals");
    }
    if (const YamlNode* values = source.Find("values")) {
      if (values->kind != YamlNode::Kind::kMap || values->members.empty())
        Problem(*values, path + ".values", "expected a map of AWS's text to ours");
      for (const auto& [from, to] : values->members)
        column.values.emplace_back(from.text, Text(to, path + ".values." + from.text));
    }
    if (const YamlNode* fallback = source.Find("default"))
      column.fallback = Text(*fallback, path + ".default");
    if (const YamlNode* unit_of = source.Find("unit_of"))
      column.unit_of = Text(*unit_of, path + ".unit_of");
    if ((!column.values.empty() || !column.fallback.empty()) && column.type != ColumnType::kText)
      Problem(source, path, "values and default are for columns of type text");
    return column;
  }

  void CheckUnits(const YamlNode& columns, const Mapping& mapping) {
    for (const ColumnMapping& column : mapping.columns) {
      if (column.unit_of.empty()) continue;
      const bool is_known =
          std::any_of(mapping.columns.begin(), mapping.columns.end(),
                      [&](const ColumnMapping& other) { return other.column == column.unit_of; });
      if (is_known && column.unit_of != column.column) continue;
      Problem(columns, fmt::format("columns.{}.unit_of", column.column),
              fmt::format("\"{}\" is not another column of this mapping", column.unit_of));
    }
  }

  void ReadDrift(const YamlNode& drift, Mapping& mapping) {
    if (drift.kind != YamlNode::Kind::kMap) {
      Problem(drift, "drift", "expected { default: evolve, fields: { /Pointer: quarantine } }");
      return;
    }
    CheckKeys(drift, "drift", {"default", "fields"});
    if (const YamlNode* mode = drift.Find("default"))
      mapping.drift_default = OneOf(*mode, "drift.default", kDriftModes);
    const YamlNode* fields = drift.Find("fields");
    if (fields == nullptr) return;
    if (fields->kind != YamlNode::Kind::kMap)
      Problem(*fields, "drift.fields", "expected a map of JSON pointer to mode");
    for (const auto& [pointer, mode] : fields->members) {
      const std::string path = "drift.fields." + pointer.text;
      mapping.drift_fields.emplace_back(Pointer(pointer, path), OneOf(mode, path, kDriftModes));
    }
  }

  PiiMember ReadPii(const YamlNode& pointer, const YamlNode& pii_class) {
    const std::string path = "pii." + pointer.text;
    return {Pointer(pointer, path), OneOf(pii_class, path, kPiiClasses)};
  }

  std::string_view file_;
  std::string problems_;
};

}  // namespace

Result<Mapping> ParseMapping(std::string_view yaml, std::string_view file) {
  PCW_TRY(const YamlDocument document, ParseYaml(yaml, file));
  MappingReader reader(file);
  Mapping mapping = reader.Read(document.root);
  std::string problems;
  for (const YamlProblem& problem : document.problems) problems += problem.text + "\n";
  problems += reader.problems();
  while (problems.ends_with('\n')) problems.pop_back();
  if (!problems.empty()) return Error(ErrorCode::kConfig, problems);
  return mapping;
}

Result<std::string_view> BuiltinMappingText(std::string_view entity) {
  for (const auto& [file, yaml] : MappingFiles()) {
    if (file.substr(0, file.find('.')) == entity) return yaml;
  }
  return Error(ErrorCode::kInternal, fmt::format("no mapping is compiled in for {}", entity));
}

Result<Mapping> BuiltinMapping(std::string_view entity) {
  PCW_TRY(const std::string_view yaml, BuiltinMappingText(entity));
  return ParseMapping(yaml, fmt::format("built-in {}.yaml", entity));
}

}  // namespace pcw::connector
