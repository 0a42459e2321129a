#include "pcw/connector/response_shape.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/json.h"
#include "pcw/base/json_pointer.h"
#include "pcw/base/nearest.h"

namespace pcw::connector {

// Generated from facts/ by cmake/Embed.cmake.
const std::vector<std::pair<std::string_view, std::string_view>>& AnswerFactFiles();

namespace {

using Type = ShapeNode::Type;

Type TypeOf(const std::string& name) {
  static constexpr std::array<std::pair<std::string_view, Type>, 10> kTypes{
      {{"structure", Type::kStructure},
       {"list", Type::kList},
       {"map", Type::kMap},
       {"string", Type::kString},
       // Both services write times as RFC 3339 text (docs/aws-facts.md 3).
       {"timestamp", Type::kString},
       {"integer", Type::kNumber},
       {"long", Type::kNumber},
       {"float", Type::kNumber},
       {"double", Type::kNumber},
       {"boolean", Type::kBoolean}}};
  for (const auto& [known, type] : kTypes) {
    if (known == name) return type;
  }
  return Type::kString;
}

// Adds `facts` and what is below it; returns its place.
std::uint32_t Add(const Json& facts, ShapeNode above, std::vector<ShapeNode>& nodes) {
  const auto place = static_cast<std::uint32_t>(nodes.size());
  above.type = TypeOf(facts.value("type", "string"));
  above.is_sensitive = above.is_sensitive || facts.value("sensitive", false);
  if (const auto values = facts.find("enum"); values != facts.end())
    above.enum_values = values->get<std::vector<std::string>>();
  std::sort(above.enum_values.begin(), above.enum_values.end());
  nodes.push_back(above);
  const auto add_below = [&](const std::string& name, const std::string& step, const Json& child,
                             bool is_in_list) {
    ShapeNode below;
    below.is_sensitive = above.is_sensitive;
    below.is_in_list = is_in_list;
    below.pointer = above.pointer + "/" + step;
    const std::uint32_t at = Add(child, std::move(below), nodes);
    nodes[place].members.emplace_back(name, at);
  };
  if (const auto members = facts.find("members"); members != facts.end()) {
    for (const auto& [name, child] : members->items())
      add_below(name, PointerSegment(name), child, above.is_in_list);
  }
  for (const char* element : {"member", "value"}) {
    if (const auto child = facts.find(element); child != facts.end())
      add_below("*", "*", *child, true);
  }
  return place;
}

Result<Json> LoadFacts(std::string_view operation) {
  const std::string ending = fmt::format(".{}.json", operation);
  for (const auto& [file, text] : AnswerFactFiles()) {
    if (file.ends_with(ending)) return ParseJson(text);
  }
  return Error(ErrorCode::kInternal,
               fmt::format("no facts of {}'s answers are compiled in", operation));
}

}  // namespace

std::vector<std::string> PointerSegments(std::string_view pointer) {
  std::vector<std::string> segments = SplitPointer(pointer);  // "@id" names no member
  for (std::string& segment : segments) {
    if (!segment.empty() &&
        (segment.front() == '[' || segment.find_first_not_of("0123456789") == std::string::npos))
      segment = "*";
  }
  return segments;
}

Result<ResponseShape> ResponseShape::Of(std::string_view operation,
                                        std::string_view items_pointer) {
  PCW_TRY(const Json facts, LoadFacts(operation));
  const Json* root = &facts.at("response");
  for (const std::string& segment : PointerSegments(items_pointer)) {
    root = &root->at("members").at(segment);
  }
  if (!items_pointer.empty()) root = &root->at("member");
  ResponseShape shape;
  shape.operation_ = operation;
  shape.api_version_ = facts.value("apiVersion", "");
  Add(*root, ShapeNode{}, shape.nodes_);
  return shape;
}

std::optional<std::string> ResponseShape::WhyUnknown(std::string_view pointer) const {
  const ShapeNode* node = &nodes_.front();
  for (const std::string& segment : PointerSegments(pointer)) {
    std::vector<std::string> known;
    const ShapeNode* next = nullptr;
    for (const auto& [name, at] : node->members) {
      known.push_back(name);
      if (name == segment || node->type == Type::kMap) next = &nodes_[at];
    }
    if (next == nullptr) {
      const auto nearest = NearestName(segment, known);
      return fmt::format("{} of {} has no member {}{}",
                         node->pointer.empty() ? "the answer" : node->pointer, operation_, segment,
                         nearest ? fmt::format("; did you mean {}?", *nearest) : "");
    }
    node = next;
  }
  return std::nullopt;
}

Result<std::vector<ResponseShape>> ShapesOf(const EntityDef& entity) {
  std::vector<ResponseShape> shapes;
  for (const SourceDef& source : entity.sources) {
    if (source.detail == nullptr || !source.detail_when.empty()) {
      PCW_TRY(ResponseShape items, ResponseShape::Of(source.list->name, source.items_pointer));
      shapes.push_back(std::move(items));
    }
    for (const aws::Operation* operation : {source.detail, source.companion}) {
      if (operation == nullptr) continue;
      PCW_TRY(ResponseShape answer, ResponseShape::Of(operation->name));
      shapes.push_back(std::move(answer));
    }
  }
  return shapes;
}

std::vector<std::string> ShippedApiVersions() {
  std::set<std::string> versions;
  for (const auto& [file, text] : AnswerFactFiles()) {
    const Result<Json> facts = ParseJson(text);
    if (facts)
      versions.insert(
          fmt::format("{} {}", facts->value("service", ""), facts->value("apiVersion", "")));
  }
  return {versions.begin(), versions.end()};
}

}  // namespace pcw::connector
