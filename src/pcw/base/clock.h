// Time as ports: what the wall says, what elapsed, and waiting that a stop request ends at once.
#pragma once

#include <chrono>
#include <stop_token>

namespace pcw {

using WallTime = std::chrono::sys_time<std::chrono::microseconds>;
using SteadyTime = std::chrono::steady_clock::time_point;

/// The time sources. Injected so that tests own time; timeouts use Steady, signing and log lines
/// use Wall (I13). Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime Now() const = 0;
  virtual SteadyTime Steady() const = 0;
};

/// Interruptible waiting. Returns false when stop was requested before the time had passed.
/// Thread-safe.
class Sleeper {
 public:
  virtual ~Sleeper() = default;
  virtual bool SleepFor(std::chrono::microseconds duration, std::stop_token stop) = 0;
};

/// The machine's clocks.
class SystemClock final : public Clock {
 public:
  WallTime Now() const override;
  SteadyTime Steady() const override;
};

/// Blocks the calling thread on the steady clock.
class SystemSleeper final : public Sleeper {
 public:
  bool SleepFor(std::chrono::microseconds duration, std::stop_token stop) override;
};

}  // namespace pcw
