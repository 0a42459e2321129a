// A diagnosis as people and programs read it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "pcw/base/json.h"
#include "pcw/diagnose/escalation.h"
#include "pcw/diagnose/facts.h"
#include "pcw/diagnose/finding.h"

namespace pcw::diagnose {

struct Report {
  std::vector<Finding> findings;  ///< worst and most causal first
  std::string verdict;            ///< one line: how bad, what first, whom to call; and if calls do
                                  ///< not go to AWS at all
  Level worst = Level::kInfo;
};

/// Judges, keeps what belongs to `sections` (empty = all) and the errors that other sections cause
/// in them, and says it in one line.
Report MakeReport(const Facts& facts, std::span<const Section> sections,
                  const EscalationMatrix& matrix);

/// `LEVEL [PCW1203] (resource) message`, evidence, next step, owner; the verdict last.
std::string FormatReport(const Report& report, const EscalationMatrix& matrix);

/// Members verdict {level, text}, findings [{code, level, section, resource, message, cause,
/// evidence, next_steps, owner {issue, first_responder, escalation}, doc}].
OrderedJson ReportToJson(const Report& report, const EscalationMatrix& matrix);

}  // namespace pcw::diagnose
