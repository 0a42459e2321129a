// Jobs as those see them who ask for work: queued, cancelled, counted, forgotten. In a session of
// the job's tenant, except PruneJobs.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "pcw/pg/connection.h"

namespace pcw::jobs {

struct NewJob {
  std::string id, kind, entity, mode, run_id, requested_by, trigger;
  std::int64_t connector_id = 0;
  int priority = 0;  ///< lower goes first
};

/// Inside the caller's transaction, which makes its run.
Status QueueJob(pg::Connection& connection, const NewJob& job, std::stop_token stop);

/// Locks the run's open job in the caller's transaction and gives its state, "queued" or "running";
/// nullopt: it has none.
Result<std::optional<std::string>> LockOpenJobOfRun(pg::Connection& connection,
                                                    std::string_view run_id, std::stop_token stop);

/// Ends the run's job if nobody has begun it; else its holder is told with its next beat.
Status CancelJobOfRun(pg::Connection& connection, std::string_view run_id, std::stop_token stop);

/// For how long the entity's newest job that is due has waited; nullopt: none waits.
Result<std::optional<std::chrono::seconds>> NewestJobWaits(pg::Connection& connection,
                                                           std::string_view entity,
                                                           std::stop_token stop);

/// Forgets jobs of every tenant that ended more than seven days ago, a thousand at a time.
Status PruneJobs(pg::Connection& connection, std::stop_token stop);

}  // namespace pcw::jobs
