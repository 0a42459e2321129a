#include "pcw/api/rate_limit.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "pcw/base/digest.h"

namespace pcw::api {
namespace {

std::uint64_t SeededHash(std::uint64_t seed, std::string_view key) {
  std::string text(sizeof(seed), '\0');
  std::memcpy(text.data(), &seed, sizeof(seed));
  const Sha256Digest digest = Sha256(text.append(key));
  std::uint64_t hash = 0;
  std::memcpy(&hash, digest.data(), sizeof(hash));
  return hash == 0 ? 1 : hash;  // 0 is an empty slot
}

}  // namespace

RateLimit::RateLimit(double per_second, double burst, const Clock& clock, Rng& rng)
    : clock_(clock),
      step_us_(per_second > 0 ? static_cast<std::int64_t>(1e6 / per_second) : 0),
      depth_us_(static_cast<std::int64_t>(static_cast<double>(step_us_) * burst)),
      seed_(rng.Next()),
      slots_(step_us_ == 0 ? 0 : kSets * kWays) {}

bool RateLimit::Take(std::string_view key, int amount) {
  if (step_us_ == 0) return true;
  const std::uint64_t hash = SeededHash(seed_, key);
  const std::int64_t now =
      std::chrono::duration_cast<std::chrono::microseconds>(clock_.Steady().time_since_epoch())
          .count();
  const std::lock_guard lock(mutex_);
  Slot* const set = &slots_[hash % kSets * kWays];
  Slot* slot = std::find_if(set, set + kWays, [&](const Slot& one) { return one.key == hash; });
  if (slot == set + kWays) {
    slot = std::min_element(
        set, set + kWays, [](const Slot& a, const Slot& b) { return a.full_at_us < b.full_at_us; });
    *slot = {hash, now};
  }
  const std::int64_t full_at = std::max(slot->full_at_us, now) + amount * step_us_;
  // Without taking, one step must still fit.
  if (full_at + (amount == 0 ? step_us_ : 0) > now + depth_us_) return false;
  if (amount > 0) slot->full_at_us = full_at;
  return true;
}

}  // namespace pcw::api
