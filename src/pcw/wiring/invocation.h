// One call of the program: what was said on the command line and in the environment.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "pcw/base/clock.h"
#include "pcw/base/result.h"
#include "pcw/config/config.h"

namespace pcw::wiring {

enum class OutputFormat { kTable, kJson, kNdjson };

/// One invocation: what main parsed, handed to the verb that was chosen.
struct Invocation {
  std::optional<std::string> config_file;          ///< --config
  std::vector<std::string> settings;               ///< --set key=value
  std::string tenant = "default";                  ///< --tenant
  std::optional<std::string> tenant_file;          ///< --config of `tenant create`
  OutputFormat output = OutputFormat::kTable;      ///< -o
  std::map<std::string, std::string> environment;  ///< the process environment
  std::stop_token stop;                            ///< SIGINT, SIGTERM
  std::string program;                             ///< path of this binary
  std::function<Result<int>()> verb;  ///< set by the chosen subcommand; returns the exit code

  /// The configuration as this invocation sees it: file, environment, flags; with --tenant that
  /// tenant's, which is read from the database. Warnings go to standard error.
  Result<config::LoadedConfig> Load() const;
  /// The main configuration, whatever --tenant says.
  Result<config::LoadedConfig> LoadMain() const;
  /// Where it is looked for. An error of usage for a --set without a value.
  Result<config::ConfigSources> Sources() const;
};

/// An error of usage: exit 64.
Error UsageError(std::string message);

/// The value of a TIME option: RFC 3339, or a day, which means its first moment, UTC. nullopt for
/// an empty text.
Result<std::optional<WallTime>> ParseTimeOption(const std::string& option, const std::string& text);

/// The name of the user who runs this process, for the history of a dead letter.
std::string ActorOf(const Invocation& invocation);

}  // namespace pcw::wiring
