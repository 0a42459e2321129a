// What every verb of the command line shares: global options, environment, output, exit codes.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "pcw/app/config.h"
#include "pcw/app/output.h"
#include "pcw/base/clock.h"
#include "pcw/base/result.h"

namespace pcw::app {

/// Exit codes that are not those of an error (CONTRACT 6).
inline constexpr int kExitOk = 0;
inline constexpr int kExitFindings = 1;
inline constexpr int kExitDeadLetters = 3;
inline constexpr int kExitUsage = 64;

/// The error of a run that did not finish: its exit code is never that of one that finished with
/// dead letters.
Error AsStopped(Error error);
/// The exit code of an error (CONTRACT 6).
int ExitCodeOf(const Error& error);

/// One row of the list of exit codes (CONTRACT 6), the one that --help and the manual page print.
struct ExitCode {
  int code;
  std::string_view meaning;
  std::string_view remedy;  ///< when to run the command again
};
std::span<const ExitCode> ExitCodes();

/// The list for --help: "Exit codes: 0 ok, 1 failed or findings, ...".
std::string FormatExitCodes();

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
  Result<LoadedConfig> Load() const;
  /// The main configuration, whatever --tenant says.
  Result<LoadedConfig> LoadMain() const;
  /// Where it is looked for. An error of usage for a --set without a value.
  Result<ConfigSources> Sources() const;
};

/// Adds `-o table|json|ndjson` to a reading verb.
void AddOutputOption(CLI::App& verb, Invocation& invocation);

/// The values of a positional or option whose verb checks them itself, because it takes more
/// spellings or names the nearest one: --help and completion show them, everything passes.
CLI::Validator KnownValues(const std::vector<std::string>& values);

/// The entities of this version, for KnownValues.
std::vector<std::string> EntityNames();

/// Where an entity's bronze lies; `prefix` as it stands if there is one; all of bronze for neither.
std::string BronzePrefix(const std::string& entity, const std::string& prefix);

/// An error of usage: exit 64.
Error UsageError(std::string message);

/// The value of a TIME option: RFC 3339, or a day, which means its first moment, UTC. nullopt for
/// an empty text.
Result<std::optional<WallTime>> ParseTimeOption(const std::string& option, const std::string& text);

/// Adds a verb with its description and an example block that --help shows.
CLI::App* AddVerb(CLI::App& noun, const std::string& name, const std::string& description,
                  const std::string& examples);

// One function a noun; each in a file of its own.
void AddSync(CLI::App& root, Invocation& invocation);
void AddSyncPlan(CLI::App& sync, Invocation& invocation);
void AddDoctor(CLI::App& root, Invocation& invocation);
void AddCredentials(CLI::App& root, Invocation& invocation);
void AddRuns(CLI::App& root, Invocation& invocation);
void AddBronze(CLI::App& root, Invocation& invocation);
void AddBronzeCat(CLI::App& bronze, Invocation& invocation);
void AddBronzeVerify(CLI::App& bronze, Invocation& invocation);
void AddBronzeReingest(CLI::App& bronze, Invocation& invocation);
void AddHistory(CLI::App& root, Invocation& invocation);
void AddQuota(CLI::App& root, Invocation& invocation);
void AddDrift(CLI::App& root, Invocation& invocation);
void AddMapping(CLI::App& root, Invocation& invocation);
void AddDlq(CLI::App& root, Invocation& invocation);
void AddEvents(CLI::App& root, Invocation& invocation);
void AddConfig(CLI::App& root, Invocation& invocation);
void AddTenant(CLI::App& root, Invocation& invocation);
void AddDb(CLI::App& root, Invocation& invocation);
void AddSim(CLI::App& root, Invocation& invocation);
void AddServe(CLI::App& root, Invocation& invocation);
void AddDemo(CLI::App& root, Invocation& invocation);
void AddCompletion(CLI::App& root, Invocation& invocation);
void AddMan(CLI::App& root, Invocation& invocation);
void AddToken(CLI::App& root, Invocation& invocation);

}  // namespace pcw::app
