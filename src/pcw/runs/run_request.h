// Asking the service for a run, and for its end: what REST, the scheduler and the command line
// share.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>

#include "pcw/base/clock.h"
#include "pcw/base/rng.h"
#include "pcw/pg/connection.h"
#include "pcw/runs/run_store.h"

namespace pcw::runs {

struct RunRequest {
  std::string entity;
  connector::RunMode mode = connector::RunMode::kIncremental;
  std::string requested_by;  ///< a token's name, "scheduler", a login
  std::string trigger;       ///< api | schedule | event | cli
};

struct RequestedRun {
  StoredRun run;
  bool is_new = false;
};

/// The entity's open run (queued, running, stalled) if there is one, whatever its mode (a run of
/// mode fetch stands for itself: it lists nothing); else a new `queued` run with its job, which
/// wakes the workers. K requests at once make exactly one run (I11). A run that no job stands
/// behind and whose process is gone is ended as abandoned, not returned. One transaction of its
/// own; the connection is a service session of the tenant.
Result<RequestedRun> RequestRun(pg::Connection& connection, std::int64_t connector_id,
                                std::string_view catalog, const RunRequest& request, Rng& rng,
                                Clock& clock, std::stop_token stop);

/// The same inside the caller's transaction.
Result<RequestedRun> RequestRunWithin(pg::Transaction& transaction, std::int64_t connector_id,
                                      std::string_view catalog, const RunRequest& request, Rng& rng,
                                      Clock& clock, std::stop_token stop);

/// Ends a queued run at once; a running one is stopped by its worker at its next heartbeat and ends
/// `cancelled`, and what it stored stays. Asking twice is fine. kNotFound for an unknown run,
/// kConflict for one that has ended, or that a command line runs (it names the holder).
Status RequestCancel(pg::Connection& connection, std::string_view run_id, std::stop_token stop);

/// The channel that wakes workers; a hint, they also look by themselves.
inline constexpr std::string_view kJobsChannel = "pcw_jobs";

}  // namespace pcw::runs
