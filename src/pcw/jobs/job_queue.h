// The queue of the service in PostgreSQL: who runs what, for as long as he shows progress.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include "pcw/base/clock.h"
#include "pcw/pg/connection.h"

namespace pcw::jobs {

/// A job in hand. `claim` tells this holder from every earlier and later one.
struct Job {
  std::string tenant_id, id, entity, mode, run_id, trigger, requested_by;
  std::int64_t connector_id = 0;
  std::int64_t claim = 0;
  int attempts = 0;          ///< this one included; what was put back without fault is not counted
  bool is_takeover = false;  ///< its last holder fell silent
};

/// Terminal states of a job.
enum class JobEnd { kDone, kFailed, kCancelled };
std::string_view NameOf(JobEnd end);

/// What a holder promises when he takes a job, and with each beat.
struct ClaimTerms {
  std::chrono::milliseconds lease{30'000};         ///< silent for longer, he loses it
  std::chrono::milliseconds stall_after{600'000};  ///< without progress for longer, it is stalled
};

/// A thorough look costs more while an old snapshot is held (ADR 12), and finds all there is.
enum class Look { kQuick, kThorough };

/// The most urgent job that may be run, of any tenant: queued and due, or, in a thorough look, with
/// a holder that has been silent for longer than his lease. nullopt: there is none. Sessions that
/// claim at once get different jobs (SKIP LOCKED). The work itself needs a session of the job's
/// tenant.
Result<std::optional<Job>> ClaimJob(pg::Connection& connection, const std::string& holder,
                                    const ClaimTerms& terms, Look look, std::stop_token stop);

/// Which look a process's next claim takes: a thorough one every two seconds. Thread-safe.
class ClaimPace {
 public:
  explicit ClaimPace(Clock& clock) : clock_(clock) {}

  /// kThorough for one caller of a period.
  Look Next();
  std::chrono::milliseconds UntilThorough() const;

 private:
  Clock& clock_;
  std::atomic<SteadyTime> next_thorough_{SteadyTime{}};
};

/// How long until a queued job is due, by the database's clock; nullopt: none is queued.
Result<std::optional<std::chrono::milliseconds>> NextClaimIn(pg::Connection& connection,
                                                             std::stop_token stop);

/// What a holder learns when he shows that he lives.
struct Beat {
  bool is_ours = false;  ///< false: somebody took over; stop, and store nothing more
  bool is_cancelled = false;
  std::chrono::milliseconds since_progress{0};
};

/// Prolongs the lease and notes the progress. In a session of the job's tenant, like all below.
Result<Beat> BeatJob(pg::Connection& connection, const Job& job, std::int64_t progress,
                     const ClaimTerms& terms, std::stop_token stop);

/// Locks the job's row in the caller's transaction; whether the caller still holds it, and whether
/// somebody wants it to end.
Result<Beat> LockJob(pg::Connection& connection, const Job& job, std::stop_token stop);

/// Ends the job. Part of the caller's transaction, after LockJob.
Status FinishJob(pg::Connection& connection, const Job& job, JobEnd end,
                 const pg::Param& error_code, std::stop_token stop);

enum class Counting { kCounted, kForgiven };

/// Puts the job back, due after `delay`, with `run_id` as its run. kForgiven: this attempt was not
/// a failure of the job (a drained worker, a spent quota). Part of the caller's transaction.
Status RequeueJob(pg::Connection& connection, const Job& job, const std::string& run_id,
                  std::chrono::milliseconds delay, Counting counting, std::stop_token stop);

/// Gives the job in hand another run to do. Part of the caller's transaction.
Status RepointJob(pg::Connection& connection, const Job& job, const std::string& run_id,
                  std::stop_token stop);

}  // namespace pcw::jobs
