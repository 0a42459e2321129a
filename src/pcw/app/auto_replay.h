// Replays dead letters by itself after their mapping has changed (role replay of the service).
#pragma once

#include <stop_token>

#include "pcw/app/cli.h"
#include "pcw/app/wiring.h"
#include "pcw/pg/connection.h"

namespace pcw::app {

/// Looks for open letters that failed by another version of their mapping than the one in force.
/// The newest of each group is tried without effect; if it succeeds, the group is replayed. Each
/// group is tried once a version, by one process; one that is kept from it (a sync of the entity
/// runs) is tried again by the next call. `connection` is a service session of the configuration's
/// tenant.
///
/// What it does is logged. Errors as dlq::ReplayDeadLetters.
Status ReplayAfterMappingChange(const Config& config, const Invocation& invocation,
                                Machine& machine, pg::Connection& connection, std::stop_token stop);

}  // namespace pcw::app
