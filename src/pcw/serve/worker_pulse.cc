#include "pcw/serve/worker_pulse.h"

#include <algorithm>

#include <fmt/format.h>

namespace pcw::serve {
namespace {

constexpr std::chrono::seconds kClaimingPatience{60};
constexpr std::chrono::seconds kSettlingPatience{15};

}  // namespace

std::chrono::milliseconds WorkerPulse::PatienceIn(WorkerPhase phase) const {
  switch (phase) {
    case WorkerPhase::kRunning:
      return 2 * stall_after_;
    case WorkerPhase::kSettling:
      return kSettlingPatience;
    case WorkerPhase::kClaiming:
      break;
  }
  return kClaimingPatience;
}

std::size_t WorkerPulse::Add() {
  const std::lock_guard lock(mutex_);
  workers_.push_back({WorkerPhase::kClaiming, clock_.Steady()});
  return workers_.size() - 1;
}

void WorkerPulse::Sign(std::size_t worker, WorkerPhase phase) {
  const std::lock_guard lock(mutex_);
  workers_[worker] = {phase, clock_.Steady()};
}

Status WorkerPulse::Check() const {
  const std::lock_guard lock(mutex_);
  const SteadyTime now = clock_.Steady();
  const auto is_stuck = [&](const Seen& seen) { return now - seen.at > PatienceIn(seen.phase); };
  if (workers_.empty() || !std::all_of(workers_.begin(), workers_.end(), is_stuck)) return Ok{};
  const auto phases = [&](WorkerPhase phase) {
    return std::count_if(workers_.begin(), workers_.end(),
                         [&](const Seen& seen) { return seen.phase == phase; });
  };
  return Error(ErrorCode::kUnavailable,
               fmt::format("none of the {} workers gets anywhere: {} cannot claim work, {} run "
                           "without progress, {} cannot store the end of a run; `pcw doctor` and "
                           "the log say why, and a restart puts their work back",
                           workers_.size(), phases(WorkerPhase::kClaiming),
                           phases(WorkerPhase::kRunning), phases(WorkerPhase::kSettling)));
}

}  // namespace pcw::serve
