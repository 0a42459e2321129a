// The facts of a diagnosis, for `pcw doctor` and GET /v1/doctor.
#pragma once

#include "pcw/config/config.h"
#include "pcw/config/suggest.h"
#include "pcw/diagnose/facts.h"
#include "pcw/diagnose/report.h"
#include "pcw/wiring/invocation.h"

namespace pcw::wiring {

/// Looks at everything that a diagnosis is made of. Of the invocation only environment and stop
/// token count. Errors as OpenIdentity.
Result<diagnose::Facts> GatherFacts(const Invocation& invocation,
                                    const config::LoadedConfig& loaded);

/// Gives every command that the report suggests the global options that it needs.
void CompleteCommands(diagnose::Report& report, const config::CommandGlobals& globals);

}  // namespace pcw::wiring
