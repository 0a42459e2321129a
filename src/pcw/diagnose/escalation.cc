#include "pcw/diagnose/escalation.h"

namespace pcw::diagnose {

EscalationMatrix DefaultEscalation() {
  return {{{"Auth/IAM", "Platform team", "Security team"},
           {"API errors", "Connector team", "AWS Support"},
           {"Data quality", "Data engineering", "Domain SME"},
           {"Performance", "SRE", "Infrastructure"}}};
}

const Escalation& OwnerOf(const EscalationMatrix& matrix, IssueType issue) {
  return matrix.at(static_cast<std::size_t>(issue));
}

}  // namespace pcw::diagnose
