// Waiting that a test ends, one wait at a time: for loops on threads of their own.
#pragma once

#include <condition_variable>
#include <mutex>
#include <vector>

#include "pcw/base/clock.h"

namespace pcw {

/// A thread that sleeps here waits until a test lets it go, or until it is stopped. Thread-safe.
class GateSleeper final : public Sleeper {
 public:
  bool SleepFor(std::chrono::microseconds duration, std::stop_token stop) override {
    std::unique_lock lock(mutex_);
    slept_.push_back(duration);
    is_waiting_ = true;
    changed_.notify_all();
    const bool is_let_go = changed_.wait(lock, stop, [this] { return let_go_ > 0; });
    is_waiting_ = false;
    changed_.notify_all();
    if (!is_let_go || stop.stop_requested()) return false;
    --let_go_;
    return true;
  }

  /// Ends one wait, and returns when the thread waits again, or `is_over` says that it never will.
  template <typename Predicate>
  void Step(const Predicate& is_over) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return is_waiting_; });
    const std::size_t waits = slept_.size();
    ++let_go_;
    changed_.notify_all();
    while (!(is_waiting_ && slept_.size() > waits) && !is_over())
      changed_.wait_for(lock, std::chrono::milliseconds(1));
  }
  void Step() {
    Step([] { return false; });
  }
  std::vector<std::chrono::microseconds> slept() const {
    const std::lock_guard lock(mutex_);
    return slept_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<std::chrono::microseconds> slept_;  // guarded by mutex_
  int let_go_ = 0;                                // guarded by mutex_
  bool is_waiting_ = false;                       // guarded by mutex_
};

}  // namespace pcw
