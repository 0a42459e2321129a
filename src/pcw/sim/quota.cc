#include "pcw/sim/quota.h"

#include <algorithm>
#include <chrono>

namespace pcw::sim {
namespace {

constexpr std::chrono::hours kDay{24};

}  // namespace

Quota::Quota(QuotaLimits limits, QuotaMode mode)
    : mode_(mode),
      reads_{limits.reads_per_second, limits.reads_per_day, limits.reads_per_second},
      writes_{limits.writes_per_second, limits.writes_per_day, limits.writes_per_second} {}

QuotaVerdict Quota::Take(CallClass call_class, SteadyTime now) {
  if (mode_ == QuotaMode::kOff) return QuotaVerdict::kAccepted;
  const std::lock_guard lock(mutex_);
  Window& window = call_class == CallClass::kRead ? reads_ : writes_;
  if (window.started && now > window.refilled) {
    const std::chrono::duration<double> passed = now - window.refilled;
    window.tokens = std::min(window.rate, window.tokens + passed.count() * window.rate);
  }
  if (!window.started || now > window.refilled) window.refilled = now;
  window.started = true;
  while (!window.accepted.empty() && now - window.accepted.front() >= kDay) {
    window.accepted.pop_front();
  }
  if (window.accepted.size() >= window.per_day) return QuotaVerdict::kOverDay;
  // A hair of tolerance: refilling in fractions must not turn the tenth call of a second away.
  constexpr double kWhole = 1.0 - 1e-9;
  if (window.tokens < kWhole) return QuotaVerdict::kOverSecond;
  window.tokens -= 1.0;
  window.accepted.push_back(now);
  return QuotaVerdict::kAccepted;
}

}  // namespace pcw::sim
