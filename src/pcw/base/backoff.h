// How long to wait before another attempt: pauses that double, with a random part.
#pragma once

#include <chrono>

#include "pcw/base/rng.h"

namespace pcw {

/// How the pauses of one kind of retry grow.
struct Backoff {
  std::chrono::milliseconds first;  ///< the longest pause before the first retry
  std::chrono::milliseconds most;   ///< the longest pause before any retry
  /// The share of a pause that is not random. 0 spreads callers best; with 0.5 nobody comes back at
  /// once.
  double fixed_share = 0.5;
};

/// The pause before retry number `retry`, which counts from 0: min(first * 2^retry, most), of which
/// all but the fixed share is random, so that those who failed together do not come back together.
std::chrono::milliseconds PauseBefore(const Backoff& backoff, int retry, Rng& rng);

}  // namespace pcw
