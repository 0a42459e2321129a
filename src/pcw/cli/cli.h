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

#include "pcw/base/clock.h"
#include "pcw/base/result.h"
#include "pcw/cli/output.h"
#include "pcw/wiring/invocation.h"

namespace pcw::cli {

/// Exit codes that are not those of an error (docs/cli.md).
inline constexpr int kExitOk = 0;
inline constexpr int kExitFindings = 1;
inline constexpr int kExitDeadLetters = 3;
inline constexpr int kExitUsage = 64;

/// The error of a run that did not finish: its exit code is never that of one that finished with
/// dead letters.
Error AsStopped(Error error);
/// The exit code of an error (docs/cli.md).
int ExitCodeOf(const Error& error);

/// One row of the list of exit codes (docs/cli.md), the one that --help and the manual page print.
struct ExitCode {
  int code;
  std::string_view meaning;
  std::string_view remedy;  ///< when to run the command again
};
std::span<const ExitCode> ExitCodes();

/// The list for --help: "Exit codes: 0 ok, 1 failed or findings, ...".
std::string FormatExitCodes();

/// Adds `-o table|json|ndjson` to a reading verb.
void AddOutputOption(CLI::App& verb, wiring::Invocation& invocation);

/// The values of a positional or option whose verb checks them itself, because it takes more
/// spellings or names the nearest one: --help and completion show them, everything passes.
CLI::Validator KnownValues(const std::vector<std::string>& values);

/// The positional `connector`.
void AddConnectorPositional(CLI::App& verb, std::string& connector);
/// The positional `entity` of a verb that also takes all of them.
void AddEntitiesPositional(CLI::App& verb, std::string& entity);

/// Where an entity's bronze lies; `prefix` as it stands if there is one; all of bronze for neither.
std::string BronzePrefix(const std::string& entity, const std::string& prefix);

/// Adds a verb with its description and an example block that --help shows.
CLI::App* AddVerb(CLI::App& noun, const std::string& name, const std::string& description,
                  const std::string& examples);

// One function a noun; each in a file of its own.
void AddSync(CLI::App& root, wiring::Invocation& invocation);
void AddSyncPlan(CLI::App& sync, wiring::Invocation& invocation);
void AddDoctor(CLI::App& root, wiring::Invocation& invocation);
void AddCredentials(CLI::App& root, wiring::Invocation& invocation);
void AddRuns(CLI::App& root, wiring::Invocation& invocation);
void AddBronze(CLI::App& root, wiring::Invocation& invocation);
void AddBronzeCat(CLI::App& bronze, wiring::Invocation& invocation);
void AddBronzeVerify(CLI::App& bronze, wiring::Invocation& invocation);
void AddBronzeReingest(CLI::App& bronze, wiring::Invocation& invocation);
void AddHistory(CLI::App& root, wiring::Invocation& invocation);
void AddQuota(CLI::App& root, wiring::Invocation& invocation);
void AddDrift(CLI::App& root, wiring::Invocation& invocation);
void AddMapping(CLI::App& root, wiring::Invocation& invocation);
void AddDlq(CLI::App& root, wiring::Invocation& invocation);
void AddEvents(CLI::App& root, wiring::Invocation& invocation);
void AddConfig(CLI::App& root, wiring::Invocation& invocation);
void AddTenant(CLI::App& root, wiring::Invocation& invocation);
void AddDb(CLI::App& root, wiring::Invocation& invocation);
void AddSim(CLI::App& root, wiring::Invocation& invocation);
void AddServe(CLI::App& root, wiring::Invocation& invocation);
void AddDemo(CLI::App& root, wiring::Invocation& invocation);
void AddCompletion(CLI::App& root, wiring::Invocation& invocation);
void AddMan(CLI::App& root, wiring::Invocation& invocation);
void AddToken(CLI::App& root, wiring::Invocation& invocation);

}  // namespace pcw::cli
