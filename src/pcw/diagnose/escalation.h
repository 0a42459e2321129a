// Whom to call: the runbook's escalation matrix, as data.
#pragma once

#include <array>
#include <string>

#include "pcw/diagnose/finding.h"

namespace pcw::diagnose {

struct Escalation {
  std::string issue;            ///< "Auth/IAM", the row's name in the runbook
  std::string first_responder;  ///< "Platform team"
  std::string escalation;       ///< "Security team"
};

/// One row for each IssueType, in its order. config/escalation.yaml may replace teams.
using EscalationMatrix = std::array<Escalation, 4>;

/// The runbook's own (section 4).
EscalationMatrix DefaultEscalation();

const Escalation& OwnerOf(const EscalationMatrix& matrix, IssueType issue);

}  // namespace pcw::diagnose
