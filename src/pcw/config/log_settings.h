// The logging settings, applied and followed while a command runs (docs/runbook.md 3.1).
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <thread>

#include "pcw/base/clock.h"
#include "pcw/config/config.h"
#include "pcw/config/payload_log.h"

namespace pcw::config {

/// Makes this process log as a service: to standard output, and `logging.format: auto` means JSON
/// unless that is a terminal.
void LogAsService();

/// Applies the settings once.
void ApplyLogLevel(const Config& config);

/// Applies `logging.*` and looks every second whether the configuration file has changed, or a
/// SIGHUP asked for it: a new level or payload setting holds without a restart. A file with a
/// mistake changes nothing and is logged once.
class LogFollower {
 public:
  /// `on_change` is told of a changed configuration, on the follower's thread; may be empty.
  LogFollower(ConfigSources sources, const LoadedConfig& loaded, PayloadLog& payloads,
              const Clock& clock, Sleeper& sleeper,
              std::function<void(const LoadedConfig&)> on_change = {});

 private:
  void Follow(std::stop_token stop);
  void Apply(const LoadedConfig& loaded);

  const ConfigSources sources_;
  const std::string file_;
  PayloadLog& payloads_;
  const Clock& clock_;
  Sleeper& sleeper_;
  const std::function<void(const LoadedConfig&)> on_change_;
  std::optional<std::filesystem::file_time_type> seen_;
  std::optional<WallTime> implied_until_;  ///< the hour that counts when no end is given
  std::jthread thread_;                    // last: it uses everything above
};

}  // namespace pcw::config
