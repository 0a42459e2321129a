// When to call again: attempts, backoff with full jitter, and the budget that keeps retries from
// multiplying load (docs/aws-facts.md 22).
#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <string_view>

#include "pcw/aws/operation.h"
#include "pcw/base/error.h"
#include "pcw/base/rng.h"

namespace pcw::aws {

/// The SDKs' standard mode as of 2026-11-10.
struct RetryPolicy {
  int max_attempts = 3;  ///< the first one included
  std::chrono::milliseconds transient_base{50};
  std::chrono::milliseconds throttling_base{1000};
  std::chrono::milliseconds max_delay{20'000};
};

/// 500 tokens; a retry costs 14, or 5 when throttled; a success gives back what its last retry
/// took, or 1. Thread-safe.
class RetryBudget {
 public:
  /// Takes the cost of one retry; false if there is not enough.
  bool Take(bool is_throttle);
  /// A call succeeded. `last_cost` is what its last retry took, 0 if it needed none.
  void GiveBack(int last_cost);
  int tokens() const;
  static constexpr int kCapacity = 500;
  static constexpr int kTransientCost = 14;
  static constexpr int kThrottleCost = 5;

 private:
  mutable std::mutex mutex_;
  int tokens_ = kCapacity;
};

/// random(0,1) * min(base * 2^retry, max); `retry` counts from 0. A server's x-amz-retry-after (ms)
/// raises it to at most 5 s above that; Retry-After (s) is a minimum, capped at 60 s.
std::chrono::milliseconds BackoffDelay(const RetryPolicy& policy, int retry, bool is_throttle,
                                       Rng& rng, std::optional<std::string_view> amz_retry_after,
                                       std::optional<std::string_view> retry_after);

}  // namespace pcw::aws
