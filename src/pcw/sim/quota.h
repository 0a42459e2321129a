// AWS's published limits, enforced: a token bucket per second and an exact rolling day, for reads
// and for writes.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>

#include "pcw/base/clock.h"

namespace pcw::sim {

enum class QuotaMode : std::uint8_t { kEnforced, kOff };
enum class CallClass : std::uint8_t { kRead, kWrite };
/// What a call met.
enum class QuotaVerdict : std::uint8_t { kAccepted, kOverSecond, kOverDay };

/// Limits of one partner account (docs.aws.amazon.com/partner-central, developer guide, quotas).
struct QuotaLimits {
  double reads_per_second = 10;
  std::uint64_t reads_per_day = 100'000;
  double writes_per_second = 1;
  std::uint64_t writes_per_day = 10'000;
};

/// Counts accepted calls; refused ones cost nothing. Each bucket's capacity is its rate, so a full
/// second's worth may come at once. The day is any 24 hours, to the microsecond. Thread-safe.
class Quota {
 public:
  Quota(QuotaLimits limits, QuotaMode mode);

  QuotaVerdict Take(CallClass call_class, SteadyTime now);

 private:
  struct Window {
    double rate;
    std::uint64_t per_day;
    double tokens;
    SteadyTime refilled{};
    bool started = false;
    std::deque<SteadyTime> accepted{};  ///< of the last 24 hours
  };

  const QuotaMode mode_;
  std::mutex mutex_;
  Window reads_;
  Window writes_;
};

}  // namespace pcw::sim
