// Replays dead letters by itself after their mapping has changed (role replay of the service).
#pragma once

#include <stop_token>

#include "pcw/pg/connection.h"
#include "pcw/wiring/invocation.h"
#include "pcw/wiring/wiring.h"

namespace pcw::serve {

/// Looks for open dead letters that failed by another version of their mapping than the one in
/// force. The newest of each group is tried without effect; if it succeeds, the group is replayed.
/// Each group is tried once a version, by one process; one that is kept from it (a sync of the
/// entity runs) is tried again by the next call. `connection` is a service session of the
/// configuration's tenant.
///
/// What it does is logged. Errors as dlq::ReplayDeadLetters.
Status ReplayAfterMappingChange(const config::Config& config, const wiring::Invocation& invocation,
                                wiring::Machine& machine, pg::Connection& connection,
                                std::stop_token stop);

}  // namespace pcw::serve
