// pcw doctor
#include <cstdio>
#include <functional>
#include <memory>

#include <fmt/format.h>

#include "pcw/base/log.h"
#include "pcw/cli/cli.h"
#include "pcw/diagnose/catalogue.h"
#include "pcw/diagnose/gather.h"
#include "pcw/diagnose/report.h"
#include "pcw/wiring/config_subject.h"
#include "pcw/wiring/doctor_facts.h"
#include "pcw/wiring/escalation_file.h"

namespace pcw::cli {
namespace {

using diagnose::Facts;

struct DoctorArgs {
  std::vector<std::string> sections, more_sections;
  std::string fail_on = "error";
  std::string explained;
  bool is_listing = false;
};

// Sections that can be asked for: the setup is always looked at.
std::vector<std::string> SectionTexts(
    const std::function<std::string(const diagnose::SectionDef&)>& text) {
  std::vector<std::string> texts;
  for (const diagnose::SectionDef& def : diagnose::Sections()) {
    if (def.section != diagnose::Section::kSetup) texts.push_back(text(def));
  }
  return texts;
}

Result<std::vector<diagnose::Section>> SectionsNamed(const std::vector<std::string>& names) {
  std::vector<diagnose::Section> sections;
  for (const std::string& name : names) {
    const diagnose::SectionDef* def = diagnose::FindSection(name);
    if (def == nullptr) {
      return Error(
                 ErrorCode::kInvalidRequest,
                 fmt::format("\"{}\" is not a section of the diagnosis; this version has {}", name,
                             fmt::join(SectionTexts([](const diagnose::SectionDef& one) {
                                         return fmt::format("{} ({})", one.name, one.number);
                                       }),
                                       ", ")))
          .As(ErrorMark::kUsage);
    }
    sections.push_back(def->section);
  }
  return sections;
}

// The configuration, and whether AWS's own settings make sense beside it.
Result<config::LoadedConfig> LoadAll(const wiring::Invocation& invocation) {
  PCW_TRY(config::LoadedConfig loaded, invocation.Load());
  const std::vector<std::string> problems =
      diagnose::FindEndpointProblems(wiring::MakeConfigSubject(loaded, invocation.environment));
  if (!problems.empty()) return diagnose::ConfigError(problems);
  return loaded;
}

Result<int> Explain(const DoctorArgs& args) {
  for (const diagnose::FindingDef& def : diagnose::Catalogue()) {
    if (def.code != args.explained) continue;
    std::printf("%s\n", fmt::format("{} ({}, {} {}): {}\n  cause: {}\n  fix: {}", def.code,
                                    NameOf(def.level), DefOf(def.section).number,
                                    DefOf(def.section).name, def.title, def.cause, def.fix)
                            .c_str());
    return kExitOk;
  }
  return Error(ErrorCode::kInvalidRequest,
               fmt::format("there is no finding {}; pcw doctor --codes lists them", args.explained))
      .As(ErrorMark::kUsage);
}

Result<int> RunDoctor(const wiring::Invocation& invocation, const DoctorArgs& args) {
  if (args.is_listing) {
    std::fputs(diagnose::FormatCatalogue().c_str(), stdout);
    return kExitOk;
  }
  if (!args.explained.empty()) return Explain(args);
  std::vector<std::string> names = args.sections;
  names.insert(names.end(), args.more_sections.begin(), args.more_sections.end());
  PCW_TRY(const auto sections, SectionsNamed(names));

  Facts facts;
  diagnose::EscalationMatrix matrix = diagnose::DefaultEscalation();
  const Result<config::LoadedConfig> loaded = LoadAll(invocation);
  // What is refused becomes a finding; the line that says so as well would only be in the way.
  if (loaded && loaded->config.logging.level != "DEBUG")
    ConfigureLog(LogLevel::kError, LogFormat::kText);
  if (loaded) {
    PCW_TRY(facts, wiring::GatherFacts(invocation, *loaded));
    if (invocation.stop.stop_requested())
      return Error(ErrorCode::kCancelled, "stopped before the diagnosis was complete");
    if (Result<diagnose::EscalationMatrix> own = wiring::LoadEscalation(loaded->file)) {
      matrix = std::move(*own);
    } else {
      facts.escalation_error = std::move(own).error();
    }
  } else if (loaded.error().Is(ErrorMark::kUsage)) {
    return loaded.error();
  } else {
    facts.config_error = loaded.error();
    facts.config_check = "pcw config check";
  }
  diagnose::Report report = diagnose::MakeReport(facts, sections, matrix);
  wiring::CompleteCommands(report, config::ProcessGlobals());
  if (invocation.output == wiring::OutputFormat::kTable) {
    std::fputs(diagnose::FormatReport(report, matrix).c_str(), stdout);
  } else {
    PrintObject(invocation.output, diagnose::ReportToJson(report, matrix));
  }
  const diagnose::Level threshold =
      args.fail_on == "warn" ? diagnose::Level::kWarn : diagnose::Level::kError;
  return report.worst >= threshold ? kExitFindings : kExitOk;
}

}  // namespace

void AddDoctor(CLI::App& root, wiring::Invocation& invocation) {
  CLI::App* doctor = AddVerb(
      root, "doctor", "What is wrong, why, what to do next and whom to call",
      "  pcw doctor                              # everything, in about a second\n"
      "  pcw doctor auth                         # or --section 1.1, as in the runbook\n"
      "  pcw doctor connectivity rate-limits\n"
      "  pcw doctor -o json | jq -r '.verdict.text'\n"
      "  pcw doctor --fail-on warn || page-somebody\n"
      "  pcw doctor --explain PCW1110\n\n"
      "Reads only: an unsigned request to each endpoint, GetCallerIdentity, one record of each "
      "list, one detail;\ninside the quota kept for diagnosis. Exit codes: 0 nothing at or above "
      "--fail-on, 1 findings.");
  auto args = std::make_shared<DoctorArgs>();
  const auto names =
      SectionTexts([](const diagnose::SectionDef& def) { return std::string(def.name); });
  const auto numbers =
      SectionTexts([](const diagnose::SectionDef& def) { return std::string(def.number); });
  doctor
      ->add_option("sections", args->sections,
                   fmt::format("{}; all without one", fmt::join(names, ", ")))
      ->check(KnownValues(names));
  doctor
      ->add_option("--section", args->more_sections,
                   fmt::format("the same by name or number: {}", fmt::join(numbers, ", ")))
      ->allow_extra_args(false);
  doctor->add_option("--fail-on", args->fail_on, "which findings make the exit code 1")
      ->check(CLI::IsMember({"warn", "error"}))
      ->capture_default_str();
  doctor->add_option("--explain", args->explained, "what a code means, instead of looking");
  doctor->add_flag("--codes", args->is_listing, "every code there is, as a page of Markdown");
  AddOutputOption(*doctor, invocation);
  doctor->callback([&invocation, args] {
    invocation.verb = [&invocation, args] { return RunDoctor(invocation, *args); };
  });
}

}  // namespace pcw::cli
