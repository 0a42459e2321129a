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
  }
  return 4;
}

}  // namespace

std::vector<Finding> JudgeSetup(const Facts& facts) {
  std::vector<Finding> findings;
  if (facts.config_error) {
    // The first line counts them when there are several; each of the others is a place.
    std::string_view problems = facts.config_error->message();
    const auto end = std::min(problems.find('\n'), problems.size());
    Finding finding{.def = &DefOf("PCW1001"),
                    .resource = "configuration",
                    .message = std::string(problems.substr(0, end)),
                    .evidence = {},
                    .next_steps = {"pcw config check"}};
    problems.remove_prefix(std::min(end + 1, problems.size()));
    while (!problems.empty()) {
      const auto next = std::min(problems.find('\n'), problems.size());
      finding.evidence.emplace_back("mistake", problems.substr(0, next));
      problems.remove_prefix(std::min(next + 1, problems.size()));
    }
    findings.push_back(std::move(finding));
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
  for (auto& more : {JudgeConnectivity(facts), JudgeAuth(facts), JudgeRateLimits(facts)})
    findings.insert(findings.end(), more.begin(), more.end());
  std::stable_sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) {
    if (a.def->level != b.def->level) return a.def->level > b.def->level;
    return RankOf(a.def->section) < RankOf(b.def->section);
  });
  return findings;
}

}  // namespace pcw::diagnose
