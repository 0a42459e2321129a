#include "pcw/app/cli.h"

#include <cstdio>

#include <fmt/format.h>

#include "pcw/app/log_settings.h"

namespace pcw::app {

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

CLI::App* AddVerb(CLI::App& noun, const std::string& name, const std::string& description,
                  const std::string& examples) {
  CLI::App* verb = noun.add_subcommand(name, description);
  verb->footer("Examples:\n" + examples);
  return verb;
}

}  // namespace pcw::app
