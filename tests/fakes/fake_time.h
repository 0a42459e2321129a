// Time that tests own.
#pragma once

#include <mutex>
#include <vector>

#include "pcw/base/clock.h"
#include "pcw/base/rng.h"

namespace pcw {

/// Stands still until a test advances it. Thread-safe.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(WallTime start = WallTime(std::chrono::seconds(1'795'000'000)))
      : now_(start) {}

  WallTime Now() const override {
    const std::lock_guard lock(mutex_);
    return now_;
  }
  SteadyTime Steady() const override {
    const std::lock_guard lock(mutex_);
    return steady_;
  }
  void Advance(std::chrono::microseconds by) {
    const std::lock_guard lock(mutex_);
    now_ += by;
    steady_ += by;
  }
  /// Jumps the wall clock only, as an operator or NTP would.
  void JumpWall(std::chrono::microseconds by) {
    const std::lock_guard lock(mutex_);
    now_ += by;
  }

 private:
  mutable std::mutex mutex_;
  WallTime now_;
  SteadyTime steady_{};
};

/// Sleeping advances the clock at once and is written down.
class FakeSleeper final : public Sleeper {
 public:
  explicit FakeSleeper(FakeClock& clock) : clock_(clock) {}

  bool SleepFor(std::chrono::microseconds duration, std::stop_token stop) override {
    if (stop.stop_requested()) return false;
    slept.push_back(duration);
    clock_.Advance(duration);
    return true;
  }

  std::vector<std::chrono::microseconds> slept;

 private:
  FakeClock& clock_;
};

/// Returns the same bits for ever; NextUnit() of the default is 0.5.
class FakeRng final : public Rng {
 public:
  explicit FakeRng(std::uint64_t bits = 1ULL << 63U) : bits_(bits) {}
  std::uint64_t Next() override { return bits_; }

 private:
  std::uint64_t bits_;
};

}  // namespace pcw
