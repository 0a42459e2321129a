#include "pcw/wiring/progress_display.h"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>
#include <unistd.h>

#include "pcw/base/time.h"

namespace pcw::wiring {

std::string FormatCount(std::int64_t count) {
  std::string digits = std::to_string(count);
  const std::size_t first = count < 0 ? 1 : 0;
  for (std::size_t i = digits.size(); i > first + 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

std::string FormatProgress(const ProgressSetting& setting, const runs::Progress& progress) {
  const double seconds = std::max(0.001, std::chrono::duration<double>(progress.elapsed).count());
  const double rate = static_cast<double>(progress.settled) / seconds;
  std::string text = fmt::format("{}  {}", setting.entity, FormatCount(progress.settled));
  if (progress.expected >= progress.settled) text += "/" + FormatCount(progress.expected);
  text += fmt::format(" records  {:.1f}/s", rate);
  if (progress.skipped > 0) text += fmt::format("  {} held already", FormatCount(progress.skipped));
  if (progress.throttles > 0)
    text += fmt::format("  {} throttled", FormatCount(progress.throttles));
  if (progress.dead_letters > 0)
    text += fmt::format("  {} dead letters", FormatCount(progress.dead_letters));
  if (setting.calls_left >= 0)
    text += fmt::format("  quota left {}", FormatCount(std::max<std::int64_t>(
                                               0, setting.calls_left - progress.api_calls)));
  if (progress.expected > progress.settled && rate > 0) {
    const auto left = static_cast<double>(progress.expected - progress.settled) / rate;
    text += "  ETA " +
            FormatDuration(std::chrono::milliseconds(static_cast<std::int64_t>(left * 1000)));
  } else {
    text += "  " + FormatDuration(progress.elapsed);
  }
  return text;
}

ProgressDisplay::ProgressDisplay(ProgressSetting setting, const Clock& clock)
    : setting_(std::move(setting)),
      clock_(clock),
      is_terminal_(::isatty(STDERR_FILENO) == 1),
      last_(clock.Steady()) {}

void ProgressDisplay::Show(const runs::Progress& progress) {
  const auto every =
      is_terminal_ ? std::chrono::milliseconds(200) : std::chrono::milliseconds(5000);
  const SteadyTime now = clock_.Steady();
  if (now - last_ < every) return;
  last_ = now;
  const std::string text = FormatProgress(setting_, progress);
  if (is_terminal_) {
    std::fprintf(stderr, "\r\033[K%s", text.c_str());
    std::fflush(stderr);
    has_line_ = true;
  } else {
    std::fprintf(stderr, "%s\n", text.c_str());
  }
}

void ProgressDisplay::Finish() {
  if (has_line_) std::fprintf(stderr, "\r\033[K");
  has_line_ = false;
}

}  // namespace pcw::wiring
