// The facts of a diagnosis, for `pcw doctor` and GET /v1/doctor.
#pragma once

#include "pcw/app/cli.h"
#include "pcw/app/config.h"
#include "pcw/app/suggest.h"
#include "pcw/diagnose/facts.h"
#include "pcw/diagnose/report.h"

namespace pcw::app {

/// Looks at everything that a diagnosis is made of. Of the invocation only environment and stop
/// token count. Errors as OpenIdentity.
Result<diagnose::Facts> GatherFacts(const Invocation& invocation, const LoadedConfig& loaded);

/// Gives every command that the report suggests the global options that it needs.
void CompleteCommands(diagnose::Report& report, const CommandGlobals& globals);

}  // namespace pcw::app
