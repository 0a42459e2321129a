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
};

/// A time in which nothing may be sent because the rolling day is spent.
struct PlanPause {
  WallTime from, until;
};

struct Plan {
  std::int64_t left_now = 0;  ///< calls of the rolling day that are left at the start
  WallTime finishes_at;
  std::vector<PlanPause> pauses;
};

/// Supposes that nobody else calls in the meantime, and that a minute's calls are free again when
/// all of that minute is older than 24 hours, as the ledger counts.
Plan MakePlan(const PlanRequest& request);

}  // namespace pcw::quota
