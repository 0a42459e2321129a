// Looking at runs, schedules, jobs, tokens and PostgreSQL itself (runbook 2.1).
#pragma once

#include <stop_token>
#include <vector>

#include "pcw/base/clock.h"
#include "pcw/base/result.h"
#include "pcw/connector/entity_def.h"
#include "pcw/diagnose/run_facts.h"
#include "pcw/pg/connection.h"

namespace pcw::diagnose {

/// Of the configured entities and the session's tenant. Reads only; errors as pg::Connection.
Result<RunFacts> LoadRunFacts(pg::Connection& connection,
                              const std::vector<const connector::EntityDef*>& entities,
                              Clock& clock, std::stop_token stop);

}  // namespace pcw::diagnose
