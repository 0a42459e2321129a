// A rate limit per key with bounded memory.
#pragma once

#include <cstdint>
#include <mutex>
#include <string_view>
#include <vector>

#include "pcw/base/clock.h"
#include "pcw/base/rng.h"

namespace pcw::api {

/// Lets each key do `per_second`, and `burst` at once after a rest. Thread-safe.
///
/// Memory is one megabyte, whatever comes: each key belongs to one of 16,384 sets of four, and of
/// more keys than that in a set the one that has rested longest is forgotten, so it starts anew
/// (I12). Sets are chosen under a random seed, so nobody can choose whom to push out.
class RateLimit {
 public:
  /// `per_second` 0: no limit.
  RateLimit(double per_second, double burst, const Clock& clock, Rng& rng);

  /// True if the key may go on; a refusal costs nothing.
  bool Allows(std::string_view key) { return Take(key, 1); }
  /// True while the key has something left; takes nothing.
  bool HasLeft(std::string_view key) { return Take(key, 0); }

 private:
  struct Slot {
    std::uint64_t key = 0;
    std::int64_t full_at_us = 0;  ///< when the key has rested enough
  };
  static constexpr std::size_t kSets = 16'384;
  static constexpr std::size_t kWays = 4;

  bool Take(std::string_view key, int amount);

  const Clock& clock_;
  const std::int64_t step_us_;
  const std::int64_t depth_us_;
  const std::uint64_t seed_;
  std::mutex mutex_;
  std::vector<Slot> slots_;
};

}  // namespace pcw::api
