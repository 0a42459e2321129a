// A moment of a run at work, for whoever shows it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace pcw::runs {

/// A moment of a running sync, for progress displays.
struct Progress {
  std::string run_id;
  std::int64_t settled = 0;  ///< records whose outcome is known, committed or on the way
  std::int64_t fetched = 0;
  std::int64_t skipped = 0;
  std::int64_t expected = -1;  ///< records the last full scan listed, -1 = unknown
  std::int64_t api_calls = 0;
  std::int64_t throttles = 0;
  std::int64_t dead_letters = 0;
  std::chrono::milliseconds elapsed{0};
};

}  // namespace pcw::runs
