#include "pcw/runs/cron.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace pcw::runs {
namespace {

using std::chrono::days;
using std::chrono::sys_days;

// 29 February comes every four years, and not in 2100.
constexpr int kFarthestDays = 366 * 9;

constexpr std::array<std::string_view, 12> kMonths{"jan", "feb", "mar", "apr", "may", "jun",
                                                   "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kWeekdays{"sun", "mon", "tue", "wed",
                                                    "thu", "fri", "sat"};

struct Field {
  std::string_view name;
  int least, most;
  std::span<const std::string_view> names;  ///< of the values from `first_name` on
  int first_name = 0;
};

const std::array<Field, 5> kFields{{{"minute", 0, 59, {}},
                                    {"hour", 0, 23, {}},
                                    {"day", 1, 31, {}},
                                    {"month", 1, 12, kMonths, 1},
                                    {"weekday", 0, 7, kWeekdays, 0}}};

std::optional<int> ReadNumber(std::string_view text) {
  int value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc() || end != text.data() + text.size() || text.empty())
    return std::nullopt;
  return value;
}

std::optional<int> ReadValue(const Field& field, std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  });
  const auto found = std::find(field.names.begin(), field.names.end(), lower);
  if (found != field.names.end())
    return field.first_name + static_cast<int>(found - field.names.begin());
  return ReadNumber(text);
}

// Sets the values that one field allows; false if it is malformed.
template <std::size_t kSize>
bool ReadField(const Field& field, std::string_view text, std::bitset<kSize>& allowed) {
  if (text.empty()) return false;
  for (;;) {
    const auto comma = text.find(',');
    std::string_view part = text.substr(0, comma);
    int step = 1;
    bool has_step = false;
    if (const auto slash = part.find('/'); slash != std::string_view::npos) {
      const auto given = ReadNumber(part.substr(slash + 1));
      if (!given || *given < 1) return false;
      step = *given;
      has_step = true;
      part = part.substr(0, slash);
    }
    int from = field.least;
    int to = field.most;
    if (part != "*") {
      const auto dash = part.find('-');
      const auto first = ReadValue(field, part.substr(0, dash));
      if (!first) return false;
      from = *first;
      if (dash != std::string_view::npos) {
        const auto last = ReadValue(field, part.substr(dash + 1));
        if (!last) return false;
        to = *last;
      } else if (!has_step) {
        to = from;  // "5/10" is 5, 15, 25, ...
      }
    }
    if (from < field.least || to > field.most || from > to) return false;
    for (int value = from; value <= to; value += step) allowed.set(static_cast<std::size_t>(value));
    if (comma == std::string_view::npos) return true;
    text.remove_prefix(comma + 1);
  }
}

std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const auto space = std::min(text.find_first_of(" \t"), text.size());
    if (space > 0) words.push_back(text.substr(0, space));
    text.remove_prefix(std::min(space + 1, text.size()));
  }
  return words;
}

template <std::size_t kSize>
std::optional<int> FirstFrom(const std::bitset<kSize>& allowed, int from) {
  for (auto value = static_cast<std::size_t>(from); value < kSize; ++value)
    if (allowed.test(value)) return static_cast<int>(value);
  return std::nullopt;
}

}  // namespace

Result<Cron> Cron::Parse(std::string_view text) {
  const std::vector<std::string_view> words = Words(text);
  Cron cron;
  const bool is_good =
      words.size() == kFields.size() && ReadField(kFields[0], words[0], cron.minutes_) &&
      ReadField(kFields[1], words[1], cron.hours_) && ReadField(kFields[2], words[2], cron.days_) &&
      ReadField(kFields[3], words[3], cron.months_) &&
      ReadField(kFields[4], words[4], cron.weekdays_);
  if (!is_good) {
    return Error(ErrorCode::kConfig,
                 "expected a cron expression of five fields (minute hour day month weekday), for "
                 "example 0 */6 * * *");
  }
  if (cron.weekdays_.test(7)) cron.weekdays_.set(0);
  cron.is_any_day_ = words[2].front() == '*';
  cron.is_any_weekday_ = words[4].front() == '*';
  // Any start will do: the span covers leap years.
  if (!cron.FindAfter(WallTime{}))
    return Error(ErrorCode::kConfig,
                 "expected a schedule that can fire; no such day exists in those months");
  return cron;
}

bool Cron::MatchesDay(sys_days day) const {
  const std::chrono::year_month_day date(day);
  if (!months_.test(static_cast<unsigned>(date.month()))) return false;
  const bool is_day = days_.test(static_cast<unsigned>(date.day()));
  const bool is_weekday = weekdays_.test(std::chrono::weekday(day).c_encoding());
  // cron(5): two restrictions are alternatives; a field that begins with * restricts with the
  // other.
  if (is_any_day_ || is_any_weekday_) return is_day && is_weekday;
  return is_day || is_weekday;
}

std::optional<WallTime> Cron::FindAfter(WallTime time) const {
  const auto start = std::chrono::floor<std::chrono::minutes>(time) + std::chrono::minutes(1);
  const sys_days first = std::chrono::floor<days>(start);
  for (int ahead = 0; ahead < kFarthestDays; ++ahead) {
    const sys_days day = first + days(ahead);
    if (!MatchesDay(day)) continue;
    const auto from = ahead == 0 ? start - std::chrono::sys_time<std::chrono::minutes>(day)
                                 : std::chrono::minutes(0);
    const int from_hour = static_cast<int>(from.count() / 60);
    for (auto hour = FirstFrom(hours_, from_hour); hour; hour = FirstFrom(hours_, *hour + 1)) {
      const auto minute =
          FirstFrom(minutes_, *hour == from_hour ? static_cast<int>(from.count() % 60) : 0);
      if (minute) return day + std::chrono::hours(*hour) + std::chrono::minutes(*minute);
    }
  }
  return std::nullopt;
}

WallTime Cron::NextAfter(WallTime time) const {
  // Parse saw it fire; from any day on it fires within the span.
  return FindAfter(time).value_or(time + days(kFarthestDays));
}

}  // namespace pcw::runs
