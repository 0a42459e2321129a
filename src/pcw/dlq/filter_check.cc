#include "pcw/dlq/filter_check.h"

#include <algorithm>

#include <fmt/format.h>

#include "pcw/base/time.h"

namespace pcw::dlq {
namespace {

constexpr std::size_t kUuidLength = 36;
constexpr std::size_t kLeastOfUuid = 8;
constexpr std::size_t kLeastOfGroup = 6;
constexpr std::size_t kMostOfGroup = 64;
constexpr std::size_t kMostOfName = 64;

bool IsHex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

bool IsGroupStart(std::string_view text) {
  return text.size() >= kLeastOfGroup && text.size() <= kMostOfGroup &&
         std::all_of(text.begin(), text.end(), IsHex);
}

bool IsName(std::string_view text) {
  return text.size() <= kMostOfName && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
         });
}

bool IsTime(std::string_view text) { return ParseRfc3339(text).has_value(); }

bool IsState(std::string_view text) {
  return text == "open" || text == "settled" || text == "dropped";
}

bool IsStage(std::string_view text) {
  return text == NameOf(Stage::kFetch) || text == NameOf(Stage::kMap) ||
         text == NameOf(Stage::kEvent);
}

// What is quoted back: short, and without what a terminal or a log would obey.
std::string Quoted(std::string_view text) {
  std::string quoted(text.substr(0, 64));
  std::replace_if(
      quoted.begin(), quoted.end(), [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return quoted;
}

}  // namespace

bool IsUuidStart(std::string_view text) {
  if (text.size() < kLeastOfUuid || text.size() > kUuidLength) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_dash_here = i == 8 || i == 13 || i == 18 || i == 23;
    if (is_dash_here ? text[i] != '-' : !IsHex(text[i])) return false;
  }
  return true;
}

Status CheckFilter(const DeadLetterFilter& filter) {
  struct Rule {
    std::string_view member, value;
    bool (*holds)(std::string_view);
    std::string_view expected;
  };
  constexpr std::string_view kId = "an id, or its first 8 or more characters";
  const Rule rules[] = {{"id", filter.id, IsUuidStart, kId},
                        {"run", filter.run_id, IsUuidStart, kId},
                        {"group", filter.group, IsGroupStart,
                         "a group as `pcw dlq groups` shows it, or its first 6 or more characters"},
                        {"entity", filter.entity, IsName, "the name of an entity"},
                        {"cause", filter.cause, IsName, "an error code such as schema_mismatch"},
                        {"since", filter.since, IsTime, "a time such as 2026-11-20T08:00:00Z"},
                        {"until", filter.until, IsTime, "a time such as 2026-11-20T08:00:00Z"},
                        {"stage", filter.stage, IsStage, "fetch, map or event"},
                        {"state", filter.state, IsState, "open, settled or dropped"}};
  for (const Rule& rule : rules) {
    if (rule.value.empty() || rule.holds(rule.value)) continue;
    return Error(ErrorCode::kInvalidRequest, fmt::format("{}: \"{}\", expected {}", rule.member,
                                                         Quoted(rule.value), rule.expected));
  }
  return Ok{};
}

bool HasSelection(const DeadLetterFilter& filter) {
  return !filter.entity.empty() || !filter.cause.empty() || !filter.group.empty() ||
         !filter.run_id.empty() || !filter.since.empty() || !filter.until.empty() ||
         !filter.stage.empty() || !filter.id.empty();
}

Status CheckSelection(const DeadLetterFilter& filter, Meant meant) {
  PCW_TRY_OK(CheckFilter(filter));
  const bool is_all = meant == Meant::kAll;
  if (HasSelection(filter) != is_all) return Ok{};
  return Error(ErrorCode::kInvalidRequest,
               is_all ? "all dead letters are chosen, and a filter stands beside it: give one "
                        "of the two"
                      : "nothing says which dead letters: give a filter, or choose all");
}

}  // namespace pcw::dlq
