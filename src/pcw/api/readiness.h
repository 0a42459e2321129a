// Readiness: what the service stands on, tried regularly (I33).
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "pcw/api/deps.h"

namespace pcw::api {

struct ReadinessReport {
  bool is_ready = false;
  std::vector<std::pair<std::string, bool>> components;
};

/// Tries each component every 15 seconds on a thread of its own, and every 2 while it fails: one
/// that hangs says nothing about the others. Ready means: the latest try of each succeeded, within
/// the last minute. Thread-safe.
class Readiness {
 public:
  Readiness(std::vector<ReadinessCheck> checks, const Clock& clock, Sleeper& sleeper);

  ~Readiness();
  Readiness(const Readiness&) = delete;
  Readiness& operator=(const Readiness&) = delete;

  ReadinessReport Report() const;

 private:
  struct Seen {
    bool is_usable = false;
    SteadyTime at;
  };
  void Watch(const ReadinessCheck& check, const std::stop_token& stop);

  const std::vector<ReadinessCheck> checks_;
  const Clock& clock_;
  Sleeper& sleeper_;
  mutable std::mutex mutex_;
  std::map<std::string, Seen> seen_;
  std::vector<std::jthread> threads_;  // last: they use everything above
};

}  // namespace pcw::api
