#include "pcw/sim/faults.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/json.h"
#include "pcw/sim/draw.h"
#include "pcw/sim/unknown_name.h"

namespace pcw::sim {
namespace {

/// Reads one rule; every message says where it is.
class RuleReader {
 public:
  RuleReader(std::string_view file, std::size_t number, const Json& json)
      : where_(fmt::format("{}: rule {}", file, number)), json_(json) {}

  Result<FaultRule> Read() {
    if (!json_.is_object()) return Bad("is not an object");
    PCW_TRY_OK(ReadKind());
    PCW_TRY_OK(CheckKeys());
    PCW_TRY_OK(ReadScope());
    PCW_TRY_OK(ReadTrigger());
    PCW_TRY_OK(ReadParameters());
    return std::move(rule_);
  }

 private:
  Error Bad(std::string_view what) const {
    return Error(ErrorCode::kConfig, fmt::format("{}: {}", where_, what));
  }
  Error Unknown(std::string_view what, std::string_view name,
                const std::vector<std::string>& known) const {
    return Bad(UnknownName(what, name, known));
  }

  Status ReadKind() {
    std::vector<std::string> known;
    for (const FaultSpec& spec : FaultSpecs()) known.emplace_back(spec.name);
    const auto kind = json_.find("kind");
    if (kind == json_.end() || !kind->is_string())
      return Bad("\"kind\" is missing or not a string");
    const auto& name = kind->get_ref<const std::string&>();
    const auto found = std::find(known.begin(), known.end(), name);
    if (found == known.end()) return Unknown("kind", name, known);
    spec_ = &FaultSpecs()[static_cast<std::size_t>(found - known.begin())];
    rule_.kind = spec_->kind;
    return Ok{};
  }

  Status CheckKeys() {
    std::vector<std::string> known{"kind", "operation", "catalog", "identifier", "rate",
                                   "by",   "at",        "every",   "limit",      "comment"};
    for (const FaultParameter& parameter : spec_->parameters) known.emplace_back(parameter.name);
    for (const auto& [key, value] : json_.items()) {
      if (std::find(known.begin(), known.end(), key) == known.end()) {
        return Unknown("key", key, known);
      }
    }
    return Ok{};
  }

  Status ReadScope() {
    if (json_.contains("operation") && json_["operation"] != "*") {
      std::vector<std::string> known{"*"};
      for (std::size_t i = 0; i + 1 < kOperations; ++i) {
        known.emplace_back(NameOf(static_cast<Operation>(i)));
      }
      const std::string name = TextOf("operation");
      rule_.operation = OperationNamed(name);
      if (*rule_.operation == Operation::kOther) return Unknown("operation", name, known);
    }
    if (json_.contains("catalog")) {
      const std::string name = TextOf("catalog");
      if (name != "AWS" && name != "Sandbox") return Bad("\"catalog\" is not AWS or Sandbox");
      rule_.catalog = name == "AWS" ? Catalog::kAws : Catalog::kSandbox;
    }
    if (json_.contains("identifier")) {
      const Json& ids = json_["identifier"];
      for (const Json& id : ids.is_array() ? ids : Json::array({ids})) {
        if (!id.is_string()) return Bad("\"identifier\" is not a string or a list of strings");
        rule_.identifiers.insert(id.get<std::string>());
      }
    }
    return Ok{};
  }

  Status ReadTrigger() {
    const int triggers = static_cast<int>(json_.contains("rate")) +
                         static_cast<int>(json_.contains("at")) +
                         static_cast<int>(json_.contains("every"));
    if (triggers > 1) return Bad("give only one of \"rate\", \"at\", \"every\"");
    if (json_.contains("rate")) {
      PCW_TRY(rule_.rate, Rate());
    }
    if (json_.contains("by")) {
      const std::string by = TextOf("by");
      if (by != "call" && by != "record") return Bad("\"by\" is not \"call\" or \"record\"");
      if (triggers == 0) return Bad("\"by\" needs \"rate\", \"at\" or \"every\"");
      rule_.by = by == "call" ? FaultBy::kCall : FaultBy::kRecord;
    }
    if (json_.contains("at")) {
      const Json& at = json_["at"];
      if (!at.is_array() || at.empty()) return Bad("\"at\" is not a list of numbers");
      for (const Json& n : at) {
        if (!n.is_number_unsigned() || n == 0U) return Bad("\"at\" holds numbers from 1");
        rule_.at.insert(n.get<std::uint64_t>());
      }
    }
    if (json_.contains("every")) {
      PCW_TRY(const std::int64_t every, Whole("every", 1, 1'000'000'000));
      rule_.every = static_cast<std::uint64_t>(every);
    }
    if (json_.contains("limit")) {
      PCW_TRY(const std::int64_t limit, Whole("limit", 0, 1'000'000'000'000));
      rule_.limit = static_cast<std::uint64_t>(limit);
    }
    return Ok{};
  }

  Status ReadParameters() {
    for (const FaultParameter& parameter : spec_->parameters) {
      const std::string name(parameter.name);
      if (parameter.words.empty()) {
        rule_.numbers[name] = parameter.fallback;
        if (!json_.contains(name)) continue;
        PCW_TRY(rule_.numbers[name], Whole(name, parameter.min, parameter.max));
        continue;
      }
      rule_.words[name] = std::string(parameter.words.front());
      if (!json_.contains(name)) continue;
      const std::vector<std::string> known(parameter.words.begin(), parameter.words.end());
      const std::string word = TextOf(name);
      if (std::find(known.begin(), known.end(), word) == known.end()) {
        return Unknown("value of \"" + name + "\":", word, known);
      }
      rule_.words[name] = word;
    }
    return Ok{};
  }

  /// The text of a string; anything else as its JSON, which then matches nothing.
  std::string TextOf(const std::string& key) const {
    const Json& value = json_[key];
    return value.is_string() ? value.get<std::string>() : DumpJson(value);
  }

  Result<std::int64_t> Whole(const std::string& key, std::int64_t min, std::int64_t max) const {
    const Json& value = json_[key];
    if (!value.is_number_integer() || value.get<std::int64_t>() < min ||
        value.get<std::int64_t>() > max) {
      return Bad(fmt::format("\"{}\" is not a whole number from {} to {}", key, min, max));
    }
    return value.get<std::int64_t>();
  }

  /// Decimals reach us as their text (see ParseJson).
  Result<double> Rate() const {
    const std::string text = TextOf("rate");
    double rate = -1;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), rate);
    if (problem != std::errc{} || end != text.data() + text.size() || !(rate >= 0) || rate > 1) {
      return Bad("\"rate\" is not a number from 0 to 1");
    }
    return rate;
  }

  const std::string where_;
  const Json& json_;
  const FaultSpec* spec_ = nullptr;
  FaultRule rule_;
};

bool Matches(const FaultRule& rule, const FaultedCall& call) {
  return (!rule.operation || *rule.operation == call.operation) &&
         (!rule.catalog || rule.catalog == call.catalog) &&
         (rule.identifiers.empty() || rule.identifiers.contains(call.identifier));
}

bool Fires(const FaultRule& rule, std::uint64_t seed, std::size_t number, std::uint64_t n,
           const FaultedCall& call) {
  if (!rule.at.empty()) return rule.at.contains(n);
  if (!rule.rate) return n % rule.every == 0;
  const std::uint64_t subject = rule.by == FaultBy::kCall ? n : MixText(call.identifier);
  const std::uint64_t draw = Mix(Mix(seed, number), subject);
  return static_cast<double>(draw >> 11U) * 0x1.0p-53 < *rule.rate;
}

}  // namespace

Result<FaultPlan> ParseFaults(std::string_view text, std::string_view file) {
  auto parsed = ParseJson(text);
  if (!parsed) {
    return Error(ErrorCode::kConfig, fmt::format("{}: {}", file, parsed.error().message()));
  }
  const Json& json = *parsed;
  if (!json.is_object()) {
    return Error(ErrorCode::kConfig, fmt::format("{}: is not an object with \"rules\"", file));
  }
  FaultPlan plan;
  const std::vector<std::string> known{"seed", "rules", "comment"};
  for (const auto& [key, value] : json.items()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    return Error(ErrorCode::kConfig, fmt::format("{}: {}", file, UnknownName("key", key, known)));
  }
  if (json.contains("seed")) {
    if (!json["seed"].is_number_unsigned()) {
      return Error(ErrorCode::kConfig, fmt::format("{}: \"seed\" is not a whole number", file));
    }
    plan.seed = json["seed"].get<std::uint64_t>();
  }
  if (json.contains("rules")) {
    if (!json["rules"].is_array()) {
      return Error(ErrorCode::kConfig, fmt::format("{}: \"rules\" is not a list", file));
    }
    for (std::size_t i = 0; i < json["rules"].size(); ++i) {
      PCW_TRY(FaultRule rule, RuleReader(file, i + 1, json["rules"][i]).Read());
      plan.rules.push_back(std::move(rule));
    }
  }
  return plan;
}

const FaultRule* FaultDecision::Find(FaultKind kind) const {
  const auto found = std::find_if(fired_.begin(), fired_.end(),
                                  [&](const FaultRule& rule) { return rule.kind == kind; });
  return found == fired_.end() ? nullptr : &*found;
}

FaultMask FaultDecision::mask() const {
  FaultMask mask = 0;
  for (const FaultRule& rule : fired_) mask |= MaskOf(rule.kind);
  return mask;
}

void FaultEngine::Replace(FaultPlan plan) {
  const std::lock_guard lock(mutex_);
  plan_ = std::move(plan);
  counters_.assign(plan_.rules.size(), {});
}

FaultDecision FaultEngine::Decide(const FaultedCall& call) {
  const std::lock_guard lock(mutex_);
  std::vector<FaultRule> fired;
  for (std::size_t i = 0; i < plan_.rules.size(); ++i) {
    const FaultRule& rule = plan_.rules[i];
    if (!Matches(rule, call)) continue;
    Counter& counter = counters_[i];
    std::uint64_t n = ++counter.seen;
    if (rule.by == FaultBy::kRecord && !rule.rate)
      n = counter.records.try_emplace(call.identifier, counter.records.size() + 1).first->second;
    if (rule.limit && counter.fired >= *rule.limit) continue;
    if (!Fires(rule, plan_.seed, i, n, call)) continue;
    ++counter.fired;
    fired.push_back(rule);
  }
  return FaultDecision(std::move(fired));
}

}  // namespace pcw::sim
