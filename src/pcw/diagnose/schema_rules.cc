// Runbook 1.3: what AWS sends against what the mapping takes.
#include <algorithm>

#include <fmt/format.h>

#include "pcw/diagnose/catalogue.h"
#include "pcw/diagnose/drift_steps.h"
#include "pcw/diagnose/rules.h"

namespace pcw::diagnose {
namespace {

using tables::StoredFinding;

constexpr std::size_t kMostEvidence = 5;

std::string Describe(const StoredFinding& finding) {
  if (finding.kind == "null_rate") {
    return fmt::format("{} of {}: {}, before {}", finding.column, finding.operation, finding.found,
                       finding.expected);
  }
  return fmt::format("{} {} of {}: {}, expected {}, {} records", finding.kind, finding.pointer,
                     finding.operation, finding.found, finding.expected, finding.records);
}

// One finding for all open drift of these kinds in one entity.
void JudgeKinds(const Facts& facts, const std::vector<std::string_view>& kinds,
                std::string_view code, std::string_view what, std::vector<Finding>& findings) {
  std::vector<std::string> entities;
  for (const StoredFinding& open : facts.schema->open) {
    if (std::find(entities.begin(), entities.end(), open.entity) == entities.end())
      entities.push_back(open.entity);
  }
  for (const std::string& entity : entities) {
    const StoredFinding* first = nullptr;
    std::size_t count = 0;
    Finding finding{
        .def = &DefOf(code), .resource = entity, .message = "", .evidence = {}, .next_steps = {}};
    for (const StoredFinding& open : facts.schema->open) {
      if (open.entity != entity || std::find(kinds.begin(), kinds.end(), open.kind) == kinds.end())
        continue;
      if (first == nullptr) first = &open;
      if (++count <= kMostEvidence)
        finding.evidence.emplace_back(fmt::format("finding {}", open.id), Describe(open));
    }
    if (first == nullptr) continue;
    finding.message = fmt::format("{} {}; the newest: {}", count, what, Describe(*first));
    finding.next_steps.push_back(fmt::format("pcw drift show {}", first->id));
    for (std::string& step : NextStepsFor(*first)) finding.next_steps.push_back(std::move(step));
    findings.push_back(std::move(finding));
  }
}

void JudgeStoppedRuns(const Facts& facts, std::vector<Finding>& findings) {
  for (const SchemaFacts::StoppedRun& run : facts.schema->stopped) {
    const bool is_frozen = run.reason == NameOf(Reason::kSchemaFrozen);
    findings.push_back(
        {.def = &DefOf("PCW1301"),
         .resource = run.entity,
         .message = fmt::format("the newest run of {} ended with {}", run.entity, run.reason),
         .evidence = {{"run", run.run_id}, {"error", run.error}},
         .next_steps = {is_frozen ? fmt::format("pcw drift list --entity {}", run.entity)
                                  : fmt::format("pcw dlq list --entity {}", run.entity),
                        is_frozen ? "pcw drift accept ID   # or correct the mapping"
                                  : "correct the mapping; pcw mapping test FILE",
                        fmt::format("pcw sync run partner-central {} --resume", run.entity)}});
  }
}

void JudgeVersions(const Facts& facts, std::vector<Finding>& findings) {
  for (const auto& [entity, problem] : facts.schema->broken) {
    findings.push_back({.def = &DefOf("PCW1311"),
                        .resource = entity,
                        .message = problem,
                        .evidence = {},
                        .next_steps = {"pcw mapping check FILE"}});
  }
  for (const SchemaFacts::OldRows& old : facts.schema->old_rows) {
    if (old.newest > old.version) {
      findings.push_back(
          {.def = &DefOf("PCW1310"),
           .resource = old.entity,
           .message = fmt::format("this configuration maps {} by version {}, and rows are made by "
                                  "version {}",
                                  old.entity, old.version, old.newest),
           .evidence = {},
           .next_steps = {"pcw config show --origin   # connectors.partner_central.mappings",
                          fmt::format("pcw bronze reingest --entity {} --older-mapping   # only to "
                                      "go back for good",
                                      old.entity)}});
      continue;
    }
    if (old.rows == 0) continue;
    findings.push_back(
        {.def = &DefOf("PCW1304"),
         .resource = old.entity,
         .message = fmt::format("{} rows of {} were made with another mapping than version {}",
                                old.rows, old.entity, old.version),
         .evidence = {},
         .next_steps = {fmt::format("pcw bronze reingest --entity {} --dry-run", old.entity),
                        fmt::format("pcw bronze reingest --entity {}", old.entity)}});
  }
}

void JudgeLeft(const Facts& facts, std::vector<Finding>& findings) {
  for (const SchemaFacts::LeftColumn& left : facts.schema->left) {
    findings.push_back(
        {.def = &DefOf("PCW1308"),
         .resource = left.entity,
         .message = fmt::format("{} rows of {} have a value in {}, which no mapping fills any more",
                                left.rows, left.entity, left.column),
         .evidence = {{"table", left.table}, {"column", left.column}},
         .next_steps = {
             fmt::format("pcw bronze reingest --entity {}   # empties it", left.entity)}});
  }
}

void JudgeLetters(const Facts& facts, std::vector<Finding>& findings) {
  for (const auto& [entity, letters] : facts.schema->letters) {
    findings.push_back(
        {.def = &DefOf("PCW1305"),
         .resource = entity,
         .message = fmt::format("{} records of {} wait as dead letters because they do not fit the "
                                "mapping",
                                letters, entity),
         .evidence = {},
         .next_steps = {fmt::format("pcw dlq list --entity {}", entity),
                        "pcw dlq show ID   # the pointer, and what was found there"}});
  }
}

}  // namespace

std::vector<Finding> JudgeSchema(const Facts& facts) {
  std::vector<Finding> findings;
  if (!facts.schema) return findings;
  JudgeStoppedRuns(facts, findings);
  JudgeKinds(facts, {"null_rate"}, "PCW1302", "columns are NULL far more often than before",
             findings);
  JudgeKinds(facts, {"type_change", "missing_member", "misfit"}, "PCW1303",
             "members changed or went away", findings);
  JudgeKinds(facts, {"unknown_member", "new_enum"}, "PCW1307", "members or values are new",
             findings);
  JudgeVersions(facts, findings);
  JudgeLeft(facts, findings);
  JudgeLetters(facts, findings);
  const SchemaFacts& schema = *facts.schema;
  Finding info{
      .def = &DefOf("PCW1306"),
      .resource = "opportunities",
      .message = fmt::format("of {} rows changed in the last 24 hours {} have no "
                             "customer_company_name and {} no expected_revenue_usd",
                             schema.changed_rows, schema.null_company, schema.null_revenue),
      .evidence = {},
      .next_steps = {"pcw drift list --status all"}};
  for (const std::string& version : schema.api_versions)
    info.evidence.emplace_back("API known to pcw", version);
  findings.push_back(std::move(info));
  return findings;
}

}  // namespace pcw::diagnose
