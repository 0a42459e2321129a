// Whether the workers of this process get anywhere: what /readyz asks.
#pragma once

#include <chrono>
#include <mutex>
#include <vector>

#include "pcw/base/clock.h"
#include "pcw/base/result.h"

namespace pcw::serve {

/// What a worker is at. Each has its own patience: a claim takes seconds, a run shows progress, and
/// an end that cannot be stored holds a worker that could do other work.
enum class WorkerPhase { kClaiming, kRunning, kSettling };

/// The last sign of progress of every worker. That a worker's thread lives, or that it prolongs its
/// lease, is none. Thread-safe.
class WorkerPulse {
 public:
  /// `stall_after`: without progress for longer, a run is stalled.
  WorkerPulse(const Clock& clock, std::chrono::milliseconds stall_after)
      : clock_(clock), stall_after_(stall_after) {}

  /// Adds a worker, claiming. Its number is for Sign.
  std::size_t Add();
  /// The worker got somewhere in this phase, or came to it.
  void Sign(std::size_t worker, WorkerPhase phase);

  /// kUnavailable when there are workers and none of them has got anywhere for its patience: 60 s
  /// in a claim, twice `stall_after` in a run, 15 s while storing an end.
  Status Check() const;

 private:
  struct Seen {
    WorkerPhase phase;
    SteadyTime at;
  };
  std::chrono::milliseconds PatienceIn(WorkerPhase phase) const;

  const Clock& clock_;
  const std::chrono::milliseconds stall_after_;
  mutable std::mutex mutex_;
  std::vector<Seen> workers_;  ///< guarded by mutex_
};

}  // namespace pcw::serve
