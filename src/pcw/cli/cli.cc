#include "pcw/cli/cli.h"

#include <array>
#include <cstdio>

#include <fmt/format.h>

#include "pcw/connector/entity_def.h"

namespace pcw::cli {

Error AsStopped(Error error) { return std::move(error).As(ErrorMark::kStoppedRun); }

int ExitCodeOf(const Error& error) {
  const int code = ReactionOf(error.code()).exit_code;
  return code == kExitDeadLetters && error.Is(ErrorMark::kStoppedRun) ? kExitFindings : code;
}

std::span<const ExitCode> ExitCodes() {
  static constexpr std::array<ExitCode, 10> kCodes{{
      {kExitOk, "ok", ""},
      {kExitFindings, "failed or findings", "Run it again after reading the message."},
      {kExitDeadLetters, "finished with dead letters",
       "Also: damaged bronze objects. See pcw dlq list and pcw bronze verify."},
      {4, "authentication or permission", "Run it again after fixing it."},
      {5, "throttled",
       "Or the daily quota (of the rolling 24 hours) is exhausted: run it again later; pcw quota "
       "show says "
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

void AddOutputOption(CLI::App& verb, wiring::Invocation& invocation) {
  verb.add_option_function<std::string>(
          "-o,--output",
          [&invocation](const std::string& format) {
            invocation.output = format == "json"     ? wiring::OutputFormat::kJson
                                : format == "ndjson" ? wiring::OutputFormat::kNdjson
                                                     : wiring::OutputFormat::kTable;
          },
          "table, json or ndjson")
      ->check(CLI::IsMember({"table", "json", "ndjson"}));
}

CLI::Validator KnownValues(const std::vector<std::string>& values) {
  return CLI::Validator(fmt::format("{{{}}}", fmt::join(values, ",")));
}

void AddConnectorPositional(CLI::App& verb, std::string& connector) {
  verb.add_option("connector", connector, "the source system")
      ->required()
      ->check(KnownValues({std::string(connector::PartnerCentral().url_name)}));
}

void AddEntitiesPositional(CLI::App& verb, std::string& entity) {
  std::vector<std::string> known = connector::EntityNames();
  known.emplace_back("all");
  verb.add_option("entity", entity, "what to sync; all: every configured entity")
      ->required()
      ->check(KnownValues(known));
}

CLI::App* AddVerb(CLI::App& noun, const std::string& name, const std::string& description,
                  const std::string& examples) {
  CLI::App* verb = noun.add_subcommand(name, description);
  verb->footer("Examples:\n" + examples);
  return verb;
}

}  // namespace pcw::cli
