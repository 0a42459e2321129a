#include "pcw/base/clock.h"

#include <condition_variable>
#include <mutex>

namespace pcw {

WallTime SystemClock::Now() const {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

SteadyTime SystemClock::Steady() const { return std::chrono::steady_clock::now(); }

bool SystemSleeper::SleepFor(std::chrono::microseconds duration, std::stop_token stop) {
  if (stop.stop_requested()) return false;
  if (duration <= std::chrono::microseconds::zero()) return true;
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, stop, duration, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace pcw
