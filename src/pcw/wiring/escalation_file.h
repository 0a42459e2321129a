// The escalation matrix of this installation.
#pragma once

#include <string>

#include "pcw/base/result.h"
#include "pcw/diagnose/escalation.h"

namespace pcw::wiring {

/// Reads escalation.yaml beside `config_file`, else ./config/escalation.yaml, else
/// /etc/pcw/escalation.yaml; the runbook's matrix if there is none, and for rows it leaves out.
/// kConfig with file:line:column for a row or member that is not known.
Result<diagnose::EscalationMatrix> LoadEscalation(const std::string& config_file);

/// The testable part. `file` is for messages.
Result<diagnose::EscalationMatrix> ParseEscalation(std::string_view yaml, std::string_view file);

}  // namespace pcw::wiring
