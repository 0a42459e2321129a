// pcw: the command line's entry.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>

#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include "pcw/app/exhaustion.h"
#include "pcw/app/service_user.h"
#include "pcw/base/log.h"
#include "pcw/cli/cli.h"
#include "pcw/config/interrupt.h"
#include "pcw/config/suggest.h"
#include "pcw/wiring/wiring.h"

extern char** environ;  // NOLINT: POSIX's own name

namespace pcw::app {
namespace {

constexpr const char* kVersion = PCW_VERSION;

// What needs nobody's state.
constexpr std::array<std::string_view, 4> kStateless{"version", "sim", "completion", "man"};

std::map<std::string, std::string> ReadEnvironment() {
  std::map<std::string, std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals != std::string_view::npos)
      environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

void AddVersion(CLI::App& root, wiring::Invocation& invocation) {
  CLI::App* version = cli::AddVerb(root, "version", "Print the version", "  pcw version -o json");
  cli::AddOutputOption(*version, invocation);
  version->callback([&invocation] {
    invocation.verb = [&invocation]() -> Result<int> {
      if (invocation.output == wiring::OutputFormat::kTable) {
        std::printf("pcw %s\n", kVersion);
      } else {
        cli::PrintObject(invocation.output, {{"version", kVersion}});
      }
      return cli::kExitOk;
    };
  });
}

// One error, printed once, at the top.
int Report(const Error& error) {
  // Some messages have several lines; what stands in them may be foreign.
  const std::string text = config::Suggested(error.message());
  std::string message;
  std::string_view rest = text;
  for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
    message += cli::ForTerminal(rest.substr(0, end)) + "\n";
    rest.remove_prefix(end + 1);
  }
  std::fprintf(stderr, "pcw: %s\n", (message + cli::ForTerminal(rest)).c_str());
  if (error.Is(ErrorMark::kUsage)) return cli::kExitUsage;
  for (const auto& [key, value] : error.context())
    std::fprintf(stderr, "  %s: %s\n", key.c_str(),
                 cli::ForTerminal(config::Suggested(value)).c_str());
  const std::string_view section = ReactionOf(error.code()).runbook_section;
  if (section != "-")
    std::fprintf(stderr, "  see: docs/runbook.md section %s, docs/errors.md#%s\n",
                 std::string(section).c_str(), std::string(NameOf(error.code())).c_str());
  return cli::ExitCodeOf(error);
}

int Run(int argc, char** argv) {
  wiring::Invocation invocation;
  invocation.environment = ReadEnvironment();
  invocation.stop = config::InstallInterrupt();
  invocation.program = "/proc/self/exe";

  CLI::App root(
      "pcw keeps a partner's AWS Partner Central and Marketplace data in their own lake and "
      "PostgreSQL.",
      "pcw");
  root.require_subcommand(1);
  root.fallthrough();  // --config may stand behind the verb too
  root.failure_message(CLI::FailureMessage::help);
  root.footer(
      "Examples:\n  pcw demo                                            # see it work, without "
      "AWS\n  pcw sync run partner-central opportunities\n"
      "  pcw runs list\n\nConfiguration: --config FILE, $PCW_CONFIG, ./pcw.yaml, "
      "/etc/pcw/pcw.yaml; `pcw config show --origin` tells which.\n" +
      cli::FormatExitCodes());
  root.add_option("--config", invocation.config_file, "configuration file")->type_name("FILE");
  root.add_option("--set", invocation.settings,
                  "one setting, key=value; beats file and environment; repeatable")
      ->allow_extra_args(false);
  root.add_option("--tenant", invocation.tenant,
                  "whose data; without it there is one tenant, and nobody sees it")
      ->type_name("NAME")
      ->capture_default_str();
  cli::AddDemo(root, invocation);
  cli::AddServe(root, invocation);
  cli::AddSync(root, invocation);
  cli::AddRuns(root, invocation);
  cli::AddBronze(root, invocation);
  cli::AddHistory(root, invocation);
  cli::AddQuota(root, invocation);
  cli::AddToken(root, invocation);
  cli::AddCredentials(root, invocation);
  cli::AddDoctor(root, invocation);
  cli::AddDlq(root, invocation);
  cli::AddEvents(root, invocation);
  cli::AddDrift(root, invocation);
  cli::AddMapping(root, invocation);
  cli::AddConfig(root, invocation);
  cli::AddTenant(root, invocation);
  cli::AddDb(root, invocation);
  cli::AddSim(root, invocation);
  cli::AddCompletion(root, invocation);
  cli::AddMan(root, invocation);
  AddVersion(root, invocation);

  try {
    root.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::fputs(root.help().c_str(), stdout);
    return cli::kExitOk;
  } catch (const CLI::ParseError& problem) {
    std::fprintf(stderr, "pcw: %s\nRun with --help for usage and examples.\n", problem.what());
    return cli::kExitUsage;
  }
  config::SetCommandGlobals({.config_file = invocation.config_file.value_or(""),
                             .settings = invocation.settings,
                             .tenant = invocation.tenant});
  const std::string noun = root.get_subcommands().front()->get_name();
  if (std::find(kStateless.begin(), kStateless.end(), noun) == kStateless.end()) {
    AddServiceEnvironment(invocation.environment);
    if (Status became =
            BecomeOwnerOf(config::HomeDirectory(invocation.environment), invocation.environment);
        !became)
      return Report(became.error());
  }
  Result<int> done = invocation.verb();
  // Stopped because nobody reads any more: that is how it was meant to end.
  if (!done && done.error().code() == ErrorCode::kCancelled && config::HasLostReader())
    return cli::kExitOk;
  return done ? *done : Report(done.error());
}

}  // namespace

}  // namespace pcw::app

int main(int argc, char** argv) {
  // A core file would hold keys and payloads (I29).
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  // Buffers of this size go back to the system when they are freed. Left alone, glibc raises the
  // limit with each one it frees, to 32 MiB, and a long run keeps more and more of them
  // (mallopt(3)).
  ::mallopt(M_MMAP_THRESHOLD, 128 << 10);
  int exit_code = pcw::ReactionOf(pcw::ErrorCode::kInternal).exit_code;
  pcw::app::InstallLastResort();
  try {
    exit_code = pcw::app::Run(argc, argv);
  } catch (const std::exception& problem) {
    exit_code = pcw::app::ReportException(problem);
  }
  // A full disk behind standard output must not look like success. A reader that has seen enough
  // (`| head`) is none of our business.
  const bool is_written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  if (!is_written && !pcw::config::IsReaderGone(STDOUT_FILENO)) {
    std::fprintf(stderr, "pcw: cannot write to standard output: %s\n", std::strerror(errno));
    if (exit_code == 0) exit_code = 1;
  }
  return exit_code;
}
