#include "pcw/connector/value_path.h"

#include <algorithm>

#include <simdjson.h>

namespace pcw::connector {
namespace {

using simdjson::dom::element;

std::string_view Trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') + 1 - first);
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  for (;;) {
    const auto at = text.find(separator);
    pieces.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return pieces;
    text.remove_prefix(at + 1);
  }
}

bool HasValidEscapes(std::string_view segment) {
  for (auto at = segment.find('~'); at != std::string_view::npos; at = segment.find('~', at + 1)) {
    if (at + 1 == segment.size() || (segment[at + 1] != '0' && segment[at + 1] != '1'))
      return false;
  }
  return true;
}

}  // namespace

std::optional<std::vector<ValuePath::Alternative>> ValuePath::ParseSelector(
    std::string_view segment) {
  if (segment.size() < 2 || segment.back() != ']') return std::nullopt;
  std::vector<Alternative> alternatives;
  for (const std::string_view part : Split(segment.substr(1, segment.size() - 2), '|')) {
    Alternative& alternative = alternatives.emplace_back();
    for (const std::string_view piece : Split(part, '&')) {
      const std::string_view condition = Trimmed(piece);
      const auto equals = condition.find('=');
      if (equals == std::string_view::npos) return std::nullopt;
      const bool is_negated = equals > 0 && condition[equals - 1] == '!';
      const std::string_view member = condition.substr(0, equals - (is_negated ? 1 : 0));
      if (member.empty()) return std::nullopt;
      alternative.push_back({.member = std::string(member),
                             .text = std::string(condition.substr(equals + 1)),
                             .is_negated = is_negated});
    }
  }
  return alternatives;
}

std::optional<ValuePath> ValuePath::Parse(std::string_view text) {
  if (!text.starts_with('/')) return std::nullopt;
  ValuePath path;
  Step step;
  for (const std::string_view segment : Split(text.substr(1), '/')) {
    if (segment.starts_with('[')) {
      auto alternatives = ParseSelector(segment);
      if (!alternatives) return std::nullopt;
      step.alternatives = std::move(*alternatives);
      path.steps_.push_back(std::exchange(step, {}));
      continue;
    }
    if (!HasValidEscapes(segment)) return std::nullopt;
    step.pointer += '/';
    step.pointer += segment;
  }
  if (!step.pointer.empty()) path.steps_.push_back(std::move(step));
  const std::string& first = path.steps_.front().pointer;
  const auto cut = first.empty() ? 0 : first.rfind('/');
  path.parent_ = first.substr(0, cut);
  path.member_ = first.substr(cut);
  return path;
}

bool ValuePath::Fits(const element& item, const Alternative& alternative) {
  return std::all_of(alternative.begin(), alternative.end(), [&](const Condition& condition) {
    std::string_view text;
    const bool is_equal = item[condition.member].get_string().get(text) == simdjson::SUCCESS &&
                          text == condition.text;
    return is_equal != condition.is_negated;
  });
}

std::optional<std::size_t> ValuePath::Choose(const element& list, const Step& step,
                                             element& chosen) {
  simdjson::dom::array items;
  if (list.get_array().get(items) != simdjson::SUCCESS) return std::nullopt;
  for (const Alternative& alternative : step.alternatives) {
    std::size_t index = 0;
    for (const element item : items) {
      if (item.is_object() && Fits(item, alternative)) {
        chosen = item;
        return index;
      }
      ++index;
    }
  }
  return std::nullopt;
}

bool ValuePath::Walk(const element& document, element& value, std::string* plain) const {
  const std::string& first = steps_.front().pointer;
  element at = document;
  if (!first.empty() && at.at_pointer(first).get(at) != simdjson::SUCCESS) return false;
  if (plain != nullptr) *plain += first;
  return WalkFrom(0, at, value, plain);
}

// From where the pointer of that step ends.
bool ValuePath::WalkFrom(std::size_t begin, const element& from, element& value,
                         std::string* plain) const {
  element at = from;
  for (std::size_t i = begin; i < steps_.size(); ++i) {
    const Step& step = steps_[i];
    if (i > begin && !step.pointer.empty()) {
      if (at.at_pointer(step.pointer).get(at) != simdjson::SUCCESS) return false;
      if (plain != nullptr) *plain += step.pointer;
    }
    if (step.alternatives.empty()) continue;
    const auto index = Choose(at, step, at);
    if (!index) return false;
    if (plain != nullptr) *plain += "/" + std::to_string(*index);
  }
  value = at;
  return true;
}

bool ValuePath::Find(const element& document, element& value) const {
  return Walk(document, value, nullptr);
}

bool ValuePath::FindBelow(const element& parent, element& value) const {
  element at = parent;
  if (!member_.empty() && at.at_pointer(member_).get(at) != simdjson::SUCCESS) return false;
  return WalkFrom(0, at, value, nullptr);
}

std::string ValuePath::PlainPointer(const element& document) const {
  std::string plain;
  element value;
  Walk(document, value, &plain);
  return plain;
}

}  // namespace pcw::connector
