#include "pcw/diagnose/rules.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "pcw/diagnose/catalogue.h"

namespace pcw::diagnose {
namespace {

// Causes first: nothing of a later rank is why something of an earlier one fails.
int RankOf(Section section) {
  switch (section) {
    case Section::kSetup:
      return 0;
    case Section::kConnectivity:
      return 1;
    case Section::kAuth:
      return 2;
    case Section::kRateLimits:
      return 3;
    case Section::kBronze:
      return 4;
    case Section::kSchema:
      return 5;
    case Section::kDlq:
      return 6;
    case Section::kEvents:
      return 7;
    case Section::kRuns:
      return 8;
  }
  return 9;
}

}  // namespace

std::vector<Finding> JudgeSetup(const Facts& facts) {
  std::vector<Finding> findings;
  if (facts.config_error) {
    // Several mistakes are counted in the first line, and each of the others is a place.
    std::vector<std::string> lines;
    std::string_view text = facts.config_error->message();
    while (!text.empty()) {
      const auto end = std::min(text.find('\n'), text.size());
      lines.emplace_back(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    Finding finding{.def = &DefOf("PCW1001"),
                    .resource = "configuration",
                    .message = lines.size() == 2 ? lines.back() : lines.front(),
                    .evidence = {},
                    .next_steps = {facts.config_check}};
    for (std::size_t i = 1; lines.size() > 2 && i < lines.size(); ++i)
      finding.evidence.emplace_back("mistake", lines[i]);
    findings.push_back(std::move(finding));
  }
  if (facts.escalation_error) {
    findings.push_back({.def = &DefOf("PCW1001"),
                        .resource = "escalation.yaml",
                        .message = facts.escalation_error->message(),
                        .evidence = {{"used instead", "the runbook's own matrix"}},
                        .next_steps = {"correct the file, or remove it"}});
  }
  if (facts.home_error) {
    findings.push_back({.def = &DefOf("PCW1003"),
                        .resource = "PCW_HOME",
                        .message = facts.home_error->message(),
                        .evidence = {},
                        .next_steps = {"id; df -h; ls -ld the directory and its parents",
                                       "pcw config show --origin   # lake.url"}});
  }
  for (const std::string& problem : facts.config_problems) {
    findings.push_back({.def = &DefOf("PCW1001"),
                        .resource = problem.substr(0, problem.find(':')),
                        .message = problem,
                        .evidence = {},
                        .next_steps = {facts.config_check}});
  }
  for (const aws::UnusedSetting& setting : facts.unused_settings) {
    findings.push_back({.def = &DefOf("PCW1004"),
                        .resource = setting.name,
                        .message = setting.name + " is set, and pcw does not follow it",
                        .evidence = {{"instead", setting.instead}},
                        .next_steps = {"nothing, or take the setting away"}});
  }
  if (facts.database_error) {
    findings.push_back(
        {.def = &DefOf("PCW1002"),
         .resource = facts.database,
         .message = facts.database_error->message(),
         .evidence = {{"not judged", "the ledger of calls: quota and throttles"}},
         .next_steps = {"pcw db status", "pcw config show --origin   # database.url"}});
  }
  return findings;
}

std::vector<Finding> Judge(const Facts& facts) {
  std::vector<Finding> findings = JudgeSetup(facts);
  if (facts.config_error) return findings;
  for (auto& more : {JudgeConnectivity(facts), JudgeAuth(facts), JudgeRateLimits(facts),
                     JudgeSchema(facts), JudgeBronze(facts), JudgeDlq(facts), JudgeEvents(facts)})
    findings.insert(findings.end(), more.begin(), more.end());
  // A failed or late run beside the reason for it would be a second alarm for one fault.
  const bool is_explained =
      std::any_of(findings.begin(), findings.end(),
                  [](const Finding& finding) { return finding.def->level == Level::kError; });
  for (Finding& finding : JudgeRuns(facts)) {
    const std::string_view code = finding.def->code;
    const bool is_symptom = code == "PCW2101" || code == "PCW2103";
    if (!is_explained || !is_symptom) findings.push_back(std::move(finding));
  }
  std::stable_sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) {
    if (a.def->level != b.def->level) return a.def->level > b.def->level;
    return RankOf(a.def->section) < RankOf(b.def->section);
  });
  return findings;
}

}  // namespace pcw::diagnose
