#include "pcw/wiring/escalation_file.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "pcw/base/file.h"
#include "pcw/base/nearest.h"
#include "pcw/connector/yaml_document.h"

namespace pcw::wiring {
namespace {

using connector::YamlNode;
using diagnose::Escalation;
using diagnose::EscalationMatrix;

constexpr std::size_t kLargestMatrix = 64U << 10U;

Error Unknown(const YamlNode& node, std::string_view file, const std::vector<std::string>& known) {
  const auto nearest = NearestName(node.text, known);
  return Error(ErrorCode::kConfig,
               fmt::format("{}:{}:{} \"{}\" is not known, expected one of {}{}", file, node.line,
                           node.column, node.text, fmt::join(known, ", "),
                           nearest ? fmt::format("; did you mean {}?", *nearest) : ""));
}

Status ReadRow(const YamlNode& row, std::string_view file, Escalation& into) {
  if (row.kind != YamlNode::Kind::kMap) {
    return Error(ErrorCode::kConfig,
                 fmt::format("{}:{}:{} expected {{ first_responder: TEAM, escalation: TEAM }}",
                             file, row.line, row.column));
  }
  for (const auto& [key, value] : row.members) {
    if (key.text != "first_responder" && key.text != "escalation")
      return Unknown(key, file, {"first_responder", "escalation"});
    if (value.kind != YamlNode::Kind::kScalar || value.text.empty()) {
      return Error(ErrorCode::kConfig, fmt::format("{}:{}:{} expected the name of a team", file,
                                                   value.line, value.column));
    }
    (key.text == "escalation" ? into.escalation : into.first_responder) = value.text;
  }
  return Ok{};
}

}  // namespace

Result<EscalationMatrix> ParseEscalation(std::string_view yaml, std::string_view file) {
  PCW_TRY(const connector::YamlDocument document, connector::ParseYaml(yaml, file));
  if (!document.problems.empty()) return Error(ErrorCode::kConfig, document.problems.front().text);
  EscalationMatrix matrix = diagnose::DefaultEscalation();
  std::vector<std::string> issues;
  for (const Escalation& row : matrix) issues.push_back(row.issue);
  for (const auto& [issue, row] : document.root.members) {
    const auto found = std::find_if(
        matrix.begin(), matrix.end(),
        [&, name = issue.text](const Escalation& candidate) { return candidate.issue == name; });
    if (found == matrix.end()) return Unknown(issue, file, issues);
    PCW_TRY_OK(ReadRow(row, file, *found));
  }
  return matrix;
}

Result<EscalationMatrix> LoadEscalation(const std::string& config_file) {
  std::vector<std::filesystem::path> locations;
  if (!config_file.empty())
    locations.push_back(std::filesystem::path(config_file).parent_path() / "escalation.yaml");
  locations.emplace_back("config/escalation.yaml");
  locations.emplace_back("/etc/pcw/escalation.yaml");
  for (const std::filesystem::path& location : locations) {
    std::error_code problem;
    if (!std::filesystem::is_regular_file(location, problem)) continue;
    PCW_TRY(const std::string text, ReadFile(location, kLargestMatrix));
    return ParseEscalation(text, location.string());
  }
  return diagnose::DefaultEscalation();
}

}  // namespace pcw::wiring
