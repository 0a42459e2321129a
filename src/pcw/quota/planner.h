// When a number of calls would be done: both of AWS's windows, played forward.
#pragma once

#include <cstdint>
#include <vector>

#include "pcw/base/clock.h"
#include "pcw/quota/call_ledger.h"

namespace pcw::quota {

struct PlanRequest {
  std::int64_t calls = 0;
  int per_second = 10;             ///< 0 = no limit
  std::int64_t per_day = 100'000;  ///< of a rolling 24 hours, what this purpose may spend
  std::vector<MinuteUse> used;     ///< of the rolling day so far, oldest first
  WallTime starts_at;
  /// After a pause nothing is sent before so many calls are free (at most per_day): going on with
  /// the first that frees would spend it on starting.
  std::int64_t resume_with = 1;
  std::int64_t calls_per_resume = 0;  ///< what going on costs: listing from the start
};

/// A time in which nothing may be sent because the daily quota is exhausted.
struct PlanPause {
  WallTime from, until;
};

struct Plan {
  std::int64_t left_now = 0;  ///< calls of the rolling day that are left at the start
  std::int64_t calls = 0;     ///< with what going on after pauses costs
  WallTime finishes_at;
  std::vector<PlanPause> pauses;
};

/// Supposes that nobody else calls in the meantime, and that a minute's calls are free again when
/// all of that minute is older than 24 hours, as the ledger counts.
Plan MakePlan(const PlanRequest& request);

/// When so many calls (at most per_day) of the rolling day are free, if nobody calls meanwhile.
WallTime TimeWhenFree(const PlanRequest& request, std::int64_t calls);

}  // namespace pcw::quota
