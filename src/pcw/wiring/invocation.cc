#include "pcw/wiring/invocation.h"

#include <cstdio>

#include <fmt/format.h>
#include <unistd.h>

#include "pcw/aws/profile.h"
#include "pcw/base/time.h"
#include "pcw/config/home.h"
#include "pcw/config/log_settings.h"
#include "pcw/wiring/tenants.h"

namespace pcw::wiring {

Result<config::ConfigSources> Invocation::Sources() const {
  config::ConfigSources sources;
  if (config_file) sources.flag_file = *config_file;
  sources.env = environment;
  for (const std::string& setting : settings) {
    const auto equals = setting.find('=');
    if (equals == std::string::npos) {
      return Error(ErrorCode::kInvalidRequest, fmt::format("--set {}: expected key=value", setting))
          .As(ErrorMark::kUsage);
    }
    sources.flag_overrides.emplace_back(setting.substr(0, equals), setting.substr(equals + 1));
  }
  return sources;
}

Result<config::LoadedConfig> Invocation::Load() const {
  PCW_TRY(config::LoadedConfig main, LoadMain());
  if (tenant == "default") return main;
  return LoadTenant(main, tenant, environment, stop);
}

Result<config::LoadedConfig> Invocation::LoadMain() const {
  PCW_TRY_OK(config::CheckHome(environment));
  PCW_TRY(const config::ConfigSources sources, Sources());
  PCW_TRY(config::LoadedConfig loaded, config::LoadConfig(sources));
  config::ApplyLogLevel(loaded.config);
  for (const std::string& warning : loaded.warnings)
    std::fprintf(stderr, "pcw: warning: %s\n", warning.c_str());
  return loaded;
}

Error UsageError(std::string message) {
  return Error(ErrorCode::kInvalidRequest, std::move(message)).As(ErrorMark::kUsage);
}

Result<std::optional<WallTime>> ParseTimeOption(const std::string& option,
                                                const std::string& text) {
  if (text.empty()) return std::optional<WallTime>();
  const Result<WallTime> time = ParseRfc3339(text.size() == 10 ? text + "T00:00:00Z" : text);
  if (time) return std::optional<WallTime>(*time);
  return UsageError(
      fmt::format("{} {}: expected a time such as 2026-11-20T08:00:00Z, or a day", option, text));
}

std::string ActorOf(const Invocation& invocation) {
  if (const auto user = aws::Lookup(invocation.environment, "USER")) return *user;
  return fmt::format("uid {}", ::getuid());
}

}  // namespace pcw::wiring
