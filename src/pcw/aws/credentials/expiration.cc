#include "pcw/aws/credentials/expiration.h"

#include <charconv>
#include <string>

#include "pcw/base/time.h"

namespace pcw::aws {
namespace {

constexpr std::size_t kMinute = std::string_view("2026-11-24T08:00").size();

bool AreDigits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

Result<WallTime> ParseExpiration(std::string_view text) {
  if (text.size() == 10 && AreDigits(text)) {
    std::int64_t seconds = 0;
    std::from_chars(text.data(), text.data() + text.size(), seconds);
    return WallTime(std::chrono::seconds(seconds));
  }
  std::string strict(text);
  // "+0000" is "+00:00".
  if (strict.size() >= kMinute + 5) {
    const std::size_t sign = strict.size() - 5;
    if ((strict[sign] == '+' || strict[sign] == '-') && AreDigits(text.substr(sign + 1)))
      strict.insert(strict.size() - 2, ":");
  }
  const bool has_no_seconds =
      strict.size() > kMinute && strict[kMinute] != ':' && strict.find(':') == kMinute - 3;
  if (has_no_seconds) strict.insert(kMinute, ":00");
  Result<WallTime> time = ParseRfc3339(strict);
  if (time) return time;
  return Error(ErrorCode::kInvalidRequest, "not a time such as 2026-11-24T08:00:00Z or 1795507200");
}

}  // namespace pcw::aws
