#include "pcw/app/cli.h"

#include <array>
#include <cstdio>

#include <fmt/format.h>

#include "pcw/app/home.h"
#include "pcw/app/log_settings.h"
#include "pcw/app/tenants.h"
#include "pcw/base/time.h"
#include "pcw/connector/entity_def.h"

namespace pcw::app {

Error AsStopped(Error error) { return std::move(error).With("run", "stopped"); }

int ExitCodeOf(const Error& error) {
  const int code = ReactionOf(error.code()).exit_code;
  return code == kExitDeadLetters && error.Find("run") == "stopped" ? kExitFindings : code;
}

std::span<const ExitCode> ExitCodes() {
  static constexpr std::array<ExitCode, 10> kCodes{{
      {kExitOk, "ok", ""},
      {kExitFindings, "failed or findings", "Run it again after reading the message."},
      {kExitDeadLetters, "finished with dead letters",
       "Also: damaged bronze objects. See pcw dlq list and pcw bronze verify."},
      {4, "authentication or permission", "Run it again after mending it."},
      {5, "throttled",
       "Or the quota of the rolling 24 hours is spent: run it again later; pcw quota show says "
       "when."},
      {kExitUsage, "usage", "The command line is wrong; --help has examples."},
      {69, "unavailable", "Network, database, lake, an AWS 5xx or a timeout: run it again."},
      {70, "internal error", "A defect: report it."},
      {78, "configuration", "Run it again after pcw config check."},
      {130, "interrupted", "Run it again; what is stored is not fetched again."},
  }};
  return kCodes;
}

std::string FormatExitCodes() {
  constexpr std::size_t kWidth = 110;
  std::string text = "Exit codes:";
  std::size_t line = text.size();
  for (const ExitCode& row : ExitCodes()) {
    const std::string item = fmt::format("{} {}{}", row.code, row.meaning,
                                         row.code == ExitCodes().back().code ? "." : ",");
    const bool fits = line + 1 + item.size() <= kWidth;
    text += (fits ? " " : "\n") + item;
    line = (fits ? line + 1 : 0) + item.size();
  }
  return text;
}

Result<ConfigSources> Invocation::Sources() const {
  ConfigSources sources;
  if (config_file) sources.flag_file = *config_file;
  sources.env = environment;
  for (const std::string& setting : settings) {
    const auto equals = setting.find('=');
    if (equals == std::string::npos) {
      return Error(ErrorCode::kInvalidRequest, fmt::format("--set {}: expected key=value", setting))
          .With("usage", "true");
    }
    sources.flag_overrides.emplace_back(setting.substr(0, equals), setting.substr(equals + 1));
  }
  return sources;
}

Result<LoadedConfig> Invocation::Load() const {
  PCW_TRY(LoadedConfig main, LoadMain());
  if (tenant == "default") return main;
  return LoadTenant(main, tenant, environment, stop);
}

Result<LoadedConfig> Invocation::LoadMain() const {
  PCW_TRY_OK(CheckHome(environment));
  PCW_TRY(const ConfigSources sources, Sources());
  PCW_TRY(LoadedConfig loaded, LoadConfig(sources));
  ApplyLogLevel(loaded.config);
  for (const std::string& warning : loaded.warnings)
    std::fprintf(stderr, "pcw: warning: %s\n", warning.c_str());
  return loaded;
}

void AddOutputOption(CLI::App& verb, Invocation& invocation) {
  verb.add_option_function<std::string>(
          "-o,--output",
          [&invocation](const std::string& format) {
            invocation.output = format == "json"     ? OutputFormat::kJson
                                : format == "ndjson" ? OutputFormat::kNdjson
                                                     : OutputFormat::kTable;
          },
          "table, json or ndjson")
      ->check(CLI::IsMember({"table", "json", "ndjson"}));
}

CLI::Validator KnownValues(const std::vector<std::string>& values) {
  return CLI::Validator(fmt::format("{{{}}}", fmt::join(values, ",")));
}

std::vector<std::string> EntityNames() {
  std::vector<std::string> names;
  for (const connector::EntityDef* entity : connector::AllEntities())
    names.emplace_back(entity->name);
  return names;
}

Error UsageError(std::string message) {
  return Error(ErrorCode::kInvalidRequest, std::move(message)).With("usage", "true");
}

Result<std::optional<WallTime>> ParseTimeOption(const std::string& option,
                                                const std::string& text) {
  if (text.empty()) return std::optional<WallTime>();
  const Result<WallTime> time = ParseRfc3339(text.size() == 10 ? text + "T00:00:00Z" : text);
  if (time) return std::optional<WallTime>(*time);
  return UsageError(
      fmt::format("{} {}: expected a time such as 2026-11-20T08:00:00Z, or a day", option, text));
}

CLI::App* AddVerb(CLI::App& noun, const std::string& name, const std::string& description,
                  const std::string& examples) {
  CLI::App* verb = noun.add_subcommand(name, description);
  verb->footer("Examples:\n" + examples);
  return verb;
}

}  // namespace pcw::app
