#include "pcw/config/log_settings.h"

#include <algorithm>
#include <atomic>
#include <system_error>

#include <unistd.h>

#include "pcw/base/log.h"
#include "pcw/base/time.h"
#include "pcw/config/interrupt.h"

namespace pcw::config {
namespace {

constexpr std::chrono::seconds kBetweenFileLooks{1};

// What `logging.format: auto` means in this process.
std::atomic<LogFormat> automatic_format{LogFormat::kText};

std::optional<std::filesystem::file_time_type> ChangedAt(const std::string& file) {
  std::error_code problem;
  const auto at = std::filesystem::last_write_time(file, problem);
  if (problem) return std::nullopt;
  return at;
}

bool IsGiven(const LoadedConfig& loaded, std::string_view key) {
  return std::any_of(loaded.keys.begin(), loaded.keys.end(), [&](const ShownKey& shown) {
    return shown.key == key && shown.origin != "default";
  });
}

}  // namespace

void LogAsService() {
  if (::isatty(STDOUT_FILENO) == 0) automatic_format = LogFormat::kJson;
  SendLogTo(STDOUT_FILENO);
}

void ApplyLogLevel(const Config& config) {
  const std::string& level = config.logging.level;
  ConfigureLog(level == "DEBUG"   ? LogLevel::kDebug
               : level == "WARN"  ? LogLevel::kWarn
               : level == "ERROR" ? LogLevel::kError
                                  : LogLevel::kInfo,
               config.logging.format == "json"   ? LogFormat::kJson
               : config.logging.format == "text" ? LogFormat::kText
                                                 : automatic_format.load());
}

LogFollower::LogFollower(ConfigSources sources, const LoadedConfig& loaded, PayloadLog& payloads,
                         const Clock& clock, Sleeper& sleeper,
                         std::function<void(const LoadedConfig&)> on_change)
    : sources_(std::move(sources)),
      file_(loaded.file),
      payloads_(payloads),
      clock_(clock),
      sleeper_(sleeper),
      on_change_(std::move(on_change)),
      seen_(ChangedAt(file_)) {
  Apply(loaded);
  thread_ = std::jthread([this](std::stop_token stop) { Follow(stop); });
}

void LogFollower::Apply(const LoadedConfig& loaded) {
  ApplyLogLevel(loaded.config);
  const auto& logging = loaded.config.logging;
  if (!logging.include_payloads) {
    implied_until_.reset();
    payloads_.Close();
    return;
  }
  WallTime until;
  if (IsGiven(loaded, "logging.include_payloads_until")) {
    const Result<WallTime> given = ParseRfc3339(logging.include_payloads_until);
    until = given ? *given : clock_.Now();
  } else {
    // From when it was switched on: looking at the file again does not prolong it.
    if (!implied_until_) implied_until_ = clock_.Now() + std::chrono::hours(1);
    until = *implied_until_;
  }
  payloads_.Open(until,
                 logging.is_unmasked ? connector::Masking::kSecretsOnly : connector::Masking::kPii);
}

void LogFollower::Follow(std::stop_token stop) {
  std::uint64_t hangups = HangupCount();
  while (sleeper_.SleepFor(kBetweenFileLooks, stop)) {
    if (!payloads_.is_open()) payloads_.Close();
    const auto changed_at = ChangedAt(file_);
    const std::uint64_t asked = HangupCount();
    const bool is_asked = std::exchange(hangups, asked) != asked;
    if (file_.empty() || !changed_at || (changed_at == seen_ && !is_asked)) continue;
    seen_ = changed_at;
    const Result<LoadedConfig> loaded = LoadConfig(sources_);
    if (loaded) {
      Apply(*loaded);
      if (on_change_) on_change_(*loaded);
    } else {
      LogError("the changed configuration is not used; the settings stay as they were",
               loaded.error());
    }
  }
}

}  // namespace pcw::config
