// What becomes of a job and its run: before the work, after it, and when its worker has died.
#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "pcw/base/rng.h"
#include "pcw/jobs/job_queue.h"
#include "pcw/pg/connection.h"
#include "pcw/runs/job_verdict.h"

namespace pcw::runs {

/// Makes a claimed job ready, and says which run is to be done: the queued one, or a successor of a
/// run whose worker fell silent (it is ended as abandoned when the successor starts, under the
/// fence). nullopt: nothing is left to do, and the job is ended or put back. One transaction.
/// kConflict when the job is somebody else's by now.
Result<std::optional<std::string>> PrepareJob(pg::Connection& connection, jobs::Job& job, Rng& rng,
                                              std::stop_token stop);

/// Settles a job after the work, whatever came of it: ends it with its run, or puts it back with a
/// successor (`resumed_from`) when another attempt may do better: at once after a drain, when the
/// quota frees, after a pause that doubles otherwise. `error` is what the work returned; the run's
/// row decides what it says. One transaction. kConflict when the job is somebody else's by now.
enum class JobOutcome { kEnded, kPutBack };
Result<JobOutcome> SettleJob(pg::Connection& connection, const jobs::Job& job,
                             const std::optional<Error>& error, Rng& rng, std::stop_token stop);

/// Ends a job as failed and leaves its run as it stands: for one whose end cannot be stored. The
/// run is ended as abandoned when the next one of its entity begins. One transaction. kConflict
/// when the job is somebody else's by now.
Status AbandonJob(pg::Connection& connection, const jobs::Job& job, std::stop_token stop);

/// Whether a statement that failed with this may succeed when it is said again. One that the
/// database refuses for what it says never does, and is not to be repeated.
bool MayStoreLater(const Error& error);

}  // namespace pcw::runs
