#include "pcw/sim/facts.h"

#include <algorithm>
#include <exception>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/time.h"

namespace pcw::sim {

// Written by pcw_embed from facts/*.json.
const std::vector<std::pair<std::string_view, std::string_view>>& FactFiles();

namespace {

constexpr std::size_t kMaxPatternInput = 2'048;  // std::regex recurses; longer texts never match

Result<Shape::Type> TypeNamed(const std::string& name) {
  static const std::map<std::string, Shape::Type> kTypes{
      {"structure", Shape::Type::kStructure}, {"list", Shape::Type::kList},
      {"string", Shape::Type::kString},       {"integer", Shape::Type::kInteger},
      {"boolean", Shape::Type::kBoolean},     {"timestamp", Shape::Type::kTimestamp}};
  const auto found = kTypes.find(name);
  if (found == kTypes.end()) {
    return Error(ErrorCode::kInternal, fmt::format("facts use the unknown type {}", name));
  }
  return found->second;
}

// Character classes of Unicode are beyond std::regex. They occur only in STS members where they
// mean "any printable text" or name letters, so the length bounds are what remains of the check.
bool IsBeyondRegex(const std::string& pattern) {
  return pattern.find("\\u") != std::string::npos || pattern.find("\\p") != std::string::npos;
}

Result<Shape> ReadShape(const Json& json) {
  Shape shape;
  PCW_TRY(shape.type, TypeNamed(json.at("type").get<std::string>()));
  if (json.contains("min")) shape.min = json["min"].get<std::int64_t>();
  if (json.contains("max")) shape.max = json["max"].get<std::int64_t>();
  if (json.contains("enum")) shape.choices = json["enum"].get<std::set<std::string>>();
  if (json.contains("pattern")) {
    const auto pattern = json["pattern"].get<std::string>();
    if (!IsBeyondRegex(pattern)) {
      shape.pattern = std::make_shared<const std::regex>(
          pattern, std::regex::ECMAScript | std::regex::optimize);
    }
  }
  if (json.contains("required")) shape.required = json["required"].get<std::set<std::string>>();
  if (json.contains("members")) {
    for (const auto& [name, member] : json["members"].items()) {
      PCW_TRY(shape.members[name], ReadShape(member));
    }
  }
  if (json.contains("member")) {
    PCW_TRY(Shape element, ReadShape(json["member"]));
    shape.element = std::make_shared<const Shape>(std::move(element));
  }
  return shape;
}

Result<OperationFacts> ReadOperation(const Json& json) {
  const auto service = json.at("service").get<std::string>();
  const ServiceSpec* spec = ServiceNamed(service);
  OperationFacts facts;
  facts.name = json.at("operation").get<std::string>();
  facts.operation = OperationNamed(facts.name);
  if (spec == nullptr || facts.operation == Operation::kOther) {
    return Error(ErrorCode::kInternal,
                 fmt::format("{}.{} is not a simulated operation", service, facts.name));
  }
  facts.service = spec->id;
  if (json.contains("targetPrefix")) {
    facts.target = json["targetPrefix"].get<std::string>() + "." + facts.name;
  }
  facts.signing_name = json.at("signingName").get<std::string>();
  if (facts.name != spec->unrestricted) {
    facts.action = fmt::format("{}:{}", spec->iam_prefix, facts.name);
  }
  facts.is_signed = json.value("authtype", "") != "none";
  PCW_TRY(facts.request, ReadShape(json.at("request")));
  return facts;
}

/// Walks a request and its shape together.
class Checker {
 public:
  explicit Checker(Findings& findings) : findings_(findings) {}

  void Check(const Shape& shape, const Json& value, const std::string& path) {
    if (findings_.wrong_type) return;
    switch (shape.type) {
      case Shape::Type::kStructure:
        Structure(shape, value, path);
        return;
      case Shape::Type::kList:
        List(shape, value, path);
        return;
      case Shape::Type::kString:
        if (value.is_string()) {
          String(shape, value.get_ref<const std::string&>(), path);
        } else {
          WrongType(path, "a string");
        }
        return;
      case Shape::Type::kInteger:
        Integer(shape, value, path);
        return;
      case Shape::Type::kBoolean:
        if (!value.is_boolean()) WrongType(path, "a boolean");
        return;
      case Shape::Type::kTimestamp:
        if (!value.is_string() || !ParseRfc3339(value.get_ref<const std::string&>())) {
          WrongType(path, "an ISO 8601 timestamp");
        }
        return;
    }
  }

 private:
  void WrongType(const std::string& path, std::string_view expected) {
    findings_.wrong_type = fmt::format("{} is not {}", path.empty() ? "The body" : path, expected);
  }
  void Violation(const std::string& path, std::string message, std::string code) {
    findings_.violations.push_back({path, std::move(message), std::move(code)});
  }
  static std::string Under(const std::string& path, const std::string& name) {
    return path.empty() ? name : path + "." + name;
  }

  void Structure(const Shape& shape, const Json& value, const std::string& path) {
    if (!value.is_object()) {
      WrongType(path, "an object");
      return;
    }
    for (const auto& [name, member] : value.items()) {
      if (member.is_null()) continue;
      const auto known = shape.members.find(name);
      if (known == shape.members.end()) {
        ++findings_.unknown_members;
      } else {
        Check(known->second, member, Under(path, name));
      }
    }
    for (const std::string& name : shape.required) {
      if (!value.contains(name) || value[name].is_null()) {
        Violation(Under(path, name), "This field is required.", "REQUIRED_FIELD_MISSING");
      }
    }
  }

  void List(const Shape& shape, const Json& value, const std::string& path) {
    if (!value.is_array()) {
      WrongType(path, "a list");
      return;
    }
    const auto size = static_cast<std::int64_t>(value.size());
    if (shape.min && size < *shape.min) {
      Violation(path, fmt::format("At least {} values are needed.", *shape.min),
                "NOT_ENOUGH_VALUES");
    }
    if (shape.max && size > *shape.max) {
      Violation(path, fmt::format("At most {} values are allowed.", *shape.max), "TOO_MANY_VALUES");
    }
    for (std::size_t i = 0; i < value.size(); ++i) {
      Check(*shape.element, value[i], fmt::format("{}[{}]", path, i));
    }
  }

  void String(const Shape& shape, const std::string& text, const std::string& path) {
    // AWS counts characters, not bytes.
    const auto length =
        std::count_if(text.begin(), text.end(), [](char c) { return (c & '\xc0') != '\x80'; });
    if ((shape.min && length < *shape.min) || (shape.max && length > *shape.max)) {
      Violation(path, "The length is out of bounds.", "INVALID_VALUE");
    }
    if (!shape.choices.empty() && !shape.choices.contains(text)) {
      Violation(path, "The value is not one of the allowed values.", "INVALID_ENUM_VALUE");
    }
    if (shape.pattern &&
        (text.size() > kMaxPatternInput || !std::regex_match(text, *shape.pattern))) {
      Violation(path, "The value does not match the required pattern.", "INVALID_STRING_FORMAT");
    }
  }

  void Integer(const Shape& shape, const Json& value, const std::string& path) {
    if (!value.is_number_integer()) {
      WrongType(path, "an integer");
      return;
    }
    const auto number = value.get<std::int64_t>();
    if ((shape.min && number < *shape.min) || (shape.max && number > *shape.max)) {
      Violation(path, "The value is out of bounds.", "VALUE_OUT_OF_RANGE");
    }
  }

  Findings& findings_;
};

}  // namespace

Result<Facts> Facts::Load() {
  Facts facts;
  for (const auto& [file, text] : FactFiles()) {
    try {
      PCW_TRY(const Json json, ParseJson(text));
      PCW_TRY(OperationFacts operation, ReadOperation(json));
      facts.operations_.emplace(operation.operation, std::move(operation));
    } catch (const std::exception& problem) {
      return Error(ErrorCode::kInternal, fmt::format("{}: {}", file, problem.what()));
    }
  }
  return facts;
}

const OperationFacts* Facts::Find(Operation operation) const {
  const auto found = operations_.find(operation);
  return found == operations_.end() ? nullptr : &found->second;
}

const OperationFacts* Facts::FindTarget(std::string_view target) const {
  if (target.empty()) return nullptr;
  const auto found =
      std::find_if(operations_.begin(), operations_.end(),
                   [&](const auto& operation) { return operation.second.target == target; });
  return found == operations_.end() ? nullptr : &found->second;
}

std::vector<std::string> Facts::Actions() const {
  std::vector<std::string> actions;
  for (const auto& [operation, facts] : operations_) {
    if (!facts.action.empty()) actions.push_back(facts.action);
  }
  return actions;
}

Findings CheckRequest(const Shape& shape, const Json& request) {
  Findings findings;
  Checker(findings).Check(shape, request, "");
  return findings;
}

}  // namespace pcw::sim
