#include "pcw/base/time.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

#include <fmt/format.h>

#include "pcw/base/storable_text.h"

namespace pcw {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::year_month_day;

Error BadTime(std::string_view text) {
  return Error(ErrorCode::kInvalidRequest,
               fmt::format("\"{}\" is not a timestamp; expected RFC 3339 with a zone, for example "
                           "2026-11-20T08:15:30Z",
                           CutAtCharacter(text, 64)));
}

// Reads exactly `width` digits at `pos`.
std::optional<int> Digits(std::string_view text, std::size_t pos, std::size_t width) {
  if (pos + width > text.size()) return std::nullopt;
  int value = 0;
  for (std::size_t i = pos; i < pos + width; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

struct Civil {
  year_month_day date;
  std::chrono::hh_mm_ss<microseconds> time;
};

Civil ToCivil(WallTime time) {
  const auto day = std::chrono::floor<days>(time);
  return {year_month_day(day), std::chrono::hh_mm_ss<microseconds>(time - day)};
}

constexpr std::array<std::string_view, 7> kWeekdays{"Sun", "Mon", "Tue", "Wed",
                                                    "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

}  // namespace

Result<WallTime> ParseRfc3339(std::string_view text) {
  const auto year = Digits(text, 0, 4);
  const auto month = Digits(text, 5, 2);
  const auto day = Digits(text, 8, 2);
  const auto hour = Digits(text, 11, 2);
  const auto minute = Digits(text, 14, 2);
  const auto second = Digits(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second || *year == 0) return BadTime(text);
  if (text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != 't') || text[13] != ':' ||
      text[16] != ':') {
    return BadTime(text);
  }
  const year_month_day date{std::chrono::year(*year),
                            std::chrono::month(static_cast<unsigned>(*month)),
                            std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 59) return BadTime(text);

  std::size_t pos = 19;
  std::int64_t micros = 0;
  if (pos < text.size() && text[pos] == '.') {
    ++pos;
    const std::size_t start = pos;
    std::int64_t scale = 100000;
    while (pos < text.size() && text[pos] >= '0' && text[pos] <= '9') {
      micros += (text[pos] - '0') * scale;
      scale /= 10;
      ++pos;
    }
    if (pos == start || pos - start > 9) return BadTime(text);
  }
  if (pos >= text.size()) return BadTime(text);

  minutes offset{0};
  if (text[pos] == 'Z' || text[pos] == 'z') {
    ++pos;
  } else if (text[pos] == '+' || text[pos] == '-') {
    const auto offset_hours = Digits(text, pos + 1, 2);
    const auto offset_minutes = Digits(text, pos + 4, 2);
    if (!offset_hours || !offset_minutes || text[pos + 3] != ':' || *offset_hours > 23 ||
        *offset_minutes > 59) {
      return BadTime(text);
    }
    offset = hours(*offset_hours) + minutes(*offset_minutes);
    if (text[pos] == '-') offset = -offset;
    pos += 6;
  }
  if (pos != text.size()) return BadTime(text);

  const WallTime time = WallTime(sys_days(date)) + hours(*hour) + minutes(*minute) +
                        seconds(*second) + microseconds(micros) - offset;
  // An offset may carry the instant out of the years that can be written again.
  if (const int utc_year = static_cast<int>(ToCivil(time).date.year());
      utc_year < 1 || utc_year > 9999) {
    return BadTime(text);
  }
  return time;
}

std::string FormatRfc3339(WallTime time) {
  const Civil civil = ToCivil(time);
  const auto micros = civil.time.subseconds().count();
  std::string text = fmt::format(
      "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(civil.date.year()),
      static_cast<unsigned>(civil.date.month()), static_cast<unsigned>(civil.date.day()),
      civil.time.hours().count(), civil.time.minutes().count(), civil.time.seconds().count());
  if (micros % 1000 != 0) {
    text += fmt::format(".{:06}", micros);
  } else if (micros != 0) {
    text += fmt::format(".{:03}", micros / 1000);
  }
  text += 'Z';
  return text;
}

std::string FormatIso8601Basic(WallTime time) {
  const Civil civil = ToCivil(time);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", static_cast<int>(civil.date.year()),
                     static_cast<unsigned>(civil.date.month()),
                     static_cast<unsigned>(civil.date.day()), civil.time.hours().count(),
                     civil.time.minutes().count(), civil.time.seconds().count());
}

Result<WallTime> ParseHttpDate(std::string_view text) {
  const Error bad(ErrorCode::kInvalidRequest, "not an HTTP date");
  if (text.size() != 29 || text.substr(3, 2) != ", " || text[7] != ' ' || text[11] != ' ' ||
      text[16] != ' ' || text[19] != ':' || text[22] != ':' || text.substr(25) != " GMT") {
    return bad;
  }
  const auto day = Digits(text, 5, 2);
  const auto year = Digits(text, 12, 4);
  const auto hour = Digits(text, 17, 2);
  const auto minute = Digits(text, 20, 2);
  const auto second = Digits(text, 23, 2);
  unsigned month = 0;
  for (unsigned i = 0; i < kMonths.size(); ++i) {
    if (text.substr(8, 3) == kMonths[i]) month = i + 1;
  }
  if (!day || !year || !hour || !minute || !second || month == 0) return bad;
  const year_month_day date{std::chrono::year(*year), std::chrono::month(month),
                            std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return bad;
  return WallTime(sys_days(date)) + hours(*hour) + minutes(*minute) + seconds(*second);
}

std::string FormatHttpDate(WallTime time) {
  const Civil civil = ToCivil(time);
  const std::chrono::weekday weekday(std::chrono::floor<days>(time));
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kWeekdays[weekday.c_encoding()],
                     static_cast<unsigned>(civil.date.day()),
                     kMonths[static_cast<unsigned>(civil.date.month()) - 1],
                     static_cast<int>(civil.date.year()), civil.time.hours().count(),
                     civil.time.minutes().count(), civil.time.seconds().count());
}

Result<milliseconds> ParseDuration(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  std::int64_t factor = 0;
  if (unit == "ms") factor = 1;
  if (unit == "s") factor = 1000;
  if (unit == "m") factor = 60'000;
  if (unit == "h") factor = 3'600'000;
  if (unit == "d") factor = 86'400'000;
  constexpr std::int64_t kLongest = std::int64_t{3650} * 86'400'000;
  if (status != std::errc() || factor == 0 || number < 0 || number > kLongest / factor) {
    return Error(
        ErrorCode::kInvalidRequest,
        fmt::format("\"{}\" is not a duration; expected a whole number with a unit (ms, s, "
                    "m, h, d), for example 5m",
                    CutAtCharacter(text, 64)));
  }
  return milliseconds(number * factor);
}

std::string FormatDuration(milliseconds duration) {
  const std::int64_t ms = duration.count();
  if (ms < 1000) return fmt::format("{} ms", ms);
  if (ms < 60'000) return fmt::format("{}.{} s", ms / 1000, ms % 1000 / 100);
  const std::int64_t total = ms / 1000;
  if (total < 3600) return fmt::format("{}m {:02}s", total / 60, total % 60);
  return fmt::format("{}h {:02}m", total / 3600, total / 60 % 60);
}

}  // namespace pcw
