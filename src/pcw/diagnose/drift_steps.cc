#include "pcw/diagnose/drift_steps.h"

#include <fmt/format.h>

namespace pcw::diagnose {

std::string_view MeaningOf(const tables::StoredFinding& finding) {
  if (finding.kind == "unknown_member")
    return "AWS sends a member that pcw's copy of its API does not know; bronze keeps it, no "
           "column "
           "shows it";
  if (finding.kind == "missing_member")
    return "a member that nearly every record had is gone from many of them";
  if (finding.kind == "type_change")
    return "a member has another JSON type; columns made of it may be NULL, bronze has it whole";
  if (finding.kind == "new_enum")
    return "AWS uses a text that pcw's copy of its API does not list; it is stored as it is";
  if (finding.kind == "null_rate") return "a column is NULL far more often than it used to be";
  return "values did not fit their column: the rows keep what they had, new rows have NULL; bronze "
         "has them whole";
}

std::vector<std::string> NextStepsFor(const tables::StoredFinding& finding) {
  const std::string& entity = finding.entity;
  const std::string reingest =
      fmt::format("pcw bronze reingest --entity {} --finding {}", entity, finding.id);
  std::vector<std::string> steps;
  if (!finding.bronze_key.empty())
    steps.push_back(fmt::format("pcw bronze cat {} | sed -n {}p   # what AWS sent",
                                finding.bronze_key, finding.bronze_line));
  if (finding.kind == "unknown_member") {
    steps.push_back(fmt::format(
        "pcw mapping show {0} > {0}.yaml   # add a column for it and raise version; into "
        "connectors.partner_central.mappings",
        entity));
    steps.push_back(fmt::format("pcw mapping check {}.yaml && pcw db migrate", entity));
    steps.push_back(reingest);
  } else if (finding.kind == "type_change" || finding.kind == "misfit") {
    steps.push_back(fmt::format(
        "pcw mapping show {0} > {0}.yaml   # correct the column's type and raise version", entity));
    steps.push_back(fmt::format("pcw mapping diff {}.yaml", entity));
    steps.push_back(reingest);
  } else if (finding.kind == "null_rate") {
    steps.push_back(fmt::format(
        "pcw mapping show {0} > {0}.yaml; pcw mapping test {0}.yaml   # is it the mapping?",
        entity));
    steps.push_back(
        fmt::format("pcw bronze reingest --entity {} --null {} --dry-run", entity, finding.column));
    steps.push_back(reingest);
  } else if (finding.kind == "missing_member") {
    steps.push_back("look for a change of the Partner Central API in AWS's release notes");
  }
  if (finding.status == "open")
    steps.push_back(fmt::format("pcw drift accept {}   # it is as it should be", finding.id));
  return steps;
}

}  // namespace pcw::diagnose
