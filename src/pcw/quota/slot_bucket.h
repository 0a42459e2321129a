// Leased slots of one class of calls: which of them may be used, and which go back.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "pcw/base/clock.h"
#include "pcw/base/error.h"
#include "pcw/quota/pg_quota.h"

namespace pcw::quota {

/// Between two calls of the account; 0 where the rate is lifted.
std::chrono::microseconds IntervalOf(int rate);

/// What of a class's day is kept for others than who asks for `purpose`.
int KeptOfDay(const QuotaLimits& limits, bool is_write, Purpose purpose);

/// Whether a call may be sent in the slot that it has waited for.
enum class SlotUse {
  kSend,
  kTooLate,  ///< the process slept through it: what waited must not all go out in one moment
  kPaused,   ///< a pause came while the call waited, and holds for it too
};

/// One (service, class): its leased and not yet used slots. Not thread-safe.
struct SlotBucket {
  std::deque<SteadyTime> slots;
  int stale = 0;          ///< leased but not used in time; to be given back
  std::string leased_at;  ///< database time of the last lease, RFC 3339
  std::string lease_end;  ///< where its slots end on the account's schedule
  SteadyTime paused_until{};
  int rate = 0;
  int day_limit = 0;
  int kept = 0;  ///< of the day, for others

  std::chrono::microseconds interval() const { return IntervalOf(rate); }
  /// So many slots are leased at once: half a second's, and one at least.
  int chunk() const;
  /// Adds slots, one an interval, the first at `first`.
  void Add(SteadyTime first, std::int64_t count);
  /// Slots that nobody wanted when they came would otherwise all go out at once later: at most
  /// `burst` of them may.
  void DropStale(SteadyTime now, int burst);
  /// Judges a slot at the time it is to be used. One that is not used is counted as stale: the day
  /// gets it back.
  SlotUse Use(SteadyTime slot, SteadyTime now, int burst);
  /// No call before `delay` has passed, and none within an interval. Returns the pause.
  std::chrono::microseconds Pause(SteadyTime now, std::chrono::milliseconds delay);
};

/// How calls of one operation ended.
struct EndedCalls {
  std::int64_t ok = 0, throttled = 0, refused = 0, failed = 0;
  std::optional<std::string> error_code, aws_error;  ///< of the last that failed

  /// nullptr: it succeeded.
  void Note(const Error* error);
};

}  // namespace pcw::quota
