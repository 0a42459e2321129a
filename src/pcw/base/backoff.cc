#include "pcw/base/backoff.h"

#include <algorithm>
#include <cmath>

namespace pcw {

std::chrono::milliseconds PauseBefore(const Backoff& backoff, int retry, Rng& rng) {
  const double longest =
      std::min(static_cast<double>(backoff.first.count()) * std::pow(2.0, std::max(retry, 0)),
               static_cast<double>(backoff.most.count()));
  const double share = backoff.fixed_share + rng.NextUnit() * (1 - backoff.fixed_share);
  return std::chrono::milliseconds(static_cast<std::int64_t>(longest * share));
}

}  // namespace pcw
