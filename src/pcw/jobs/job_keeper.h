// Keeps a claimed job alive while it is worked on, and tells the work when to stop.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <thread>

#include "pcw/base/clock.h"
#include "pcw/jobs/beat_watch.h"
#include "pcw/jobs/job_queue.h"
#include "pcw/pg/connection.h"

namespace pcw::jobs {

/// A thread that beats every third of the lease, and at least every two seconds so that a cancel is
/// heard, on a session of its own. A database that is away is not a loss: it tries again, and the
/// entity's fence decides at the next commit. Thread-safe.
class JobKeeper {
 public:
  using OpenConnection = std::function<Result<pg::Connection>(std::stop_token)>;
  /// Beats once, with what the work has reported.
  using BeatOnce = std::function<Result<Beat>(std::int64_t progress, std::stop_token)>;

  /// `drain` is the end of the process.
  JobKeeper(BeatOnce beat, Job job, const ClaimTerms& terms, Sleeper& sleeper,
            std::stop_token drain);
  /// Beats in the database.
  JobKeeper(OpenConnection open, Job job, const ClaimTerms& terms, Sleeper& sleeper,
            std::stop_token drain);

  /// What the work reports; any change of it is progress.
  void Report(std::int64_t progress) { progress_.store(progress, std::memory_order_relaxed); }
  std::stop_token stop() const { return stop_.get_token(); }
  StopCause cause() const { return cause_.load(); }

 private:
  void Keep(std::stop_token stop);
  void Stop(StopCause cause);

  const BeatOnce beat_;
  const Job job_;
  const ClaimTerms terms_;
  Sleeper& sleeper_;
  std::atomic<std::int64_t> progress_{0};
  std::atomic<StopCause> cause_{StopCause::kNone};
  std::stop_source stop_;
  std::stop_callback<std::function<void()>> on_drain_;
  std::jthread thread_;  // last: it uses everything above
};

}  // namespace pcw::jobs
