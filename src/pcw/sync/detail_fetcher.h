// Details of listed records: a bounded window of concurrent calls whose answers come out in the
// order the records went in.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "pcw/aws/caller.h"
#include "pcw/base/log.h"
#include "pcw/connector/entity_def.h"

namespace pcw::sync {

struct FetchOptions {
  std::string catalog;
  int max_in_flight = 0;     ///< 0 = auto: 2 x rate x measured latency, at most 64
  int reads_per_second = 0;  ///< for auto; 0 = no quota, as many as the machine has use for
  std::chrono::milliseconds min_interval{0};  ///< pause between two calls, on top of the quota
};

/// A listed record whose details are wanted.
struct DetailTask {
  const connector::SourceDef* source = nullptr;
  std::string id;
  std::string key;             ///< what the detail call takes
  std::string listed_version;  ///< empty = not from a list
  bool is_held = false;        ///< the table has a row of it
};

/// What AWS says of one record: the answer of the detail call, and of its companion if the source
/// has one and AWS knows it.
struct DetailAnswer {
  aws::CallResult detail;
  std::optional<aws::CallResult> companion;
};

/// One answered task.
struct FetchedDetail {
  DetailTask task;
  Result<DetailAnswer> result;
};

/// Owns its workers. Submit and Take are for one thread.
///
/// In-flight calls are limited; answers that wait for an older one are kept up to kBuffered, so
/// that one stalled call does not idle the rest.
class DetailFetcher {
 public:
  DetailFetcher(aws::Caller& caller, FetchOptions options, Clock& clock, Sleeper& sleeper,
                std::stop_token stop);
  ~DetailFetcher();

  bool is_full() const;
  bool is_empty() const;
  /// The oldest detail is answered, so Take would not block.
  bool is_ready() const;
  void Submit(DetailTask task);
  /// The oldest submitted detail; blocks until it is answered. Must not be called when empty.
  FetchedDetail Take();
  /// One detail at once, on the caller's thread, past all that are submitted.
  Result<DetailAnswer> FetchNow(const DetailTask& task);
  /// Waits for in-flight calls to end and drops all answers. Nothing is submitted afterwards.
  void Stop();

 private:
  struct Slot {
    DetailTask task;
    std::optional<Result<DetailAnswer>> result;
  };
  static constexpr std::size_t kBuffered = 256;
  static constexpr int kMostWorkers = 64;
  static constexpr int kUnmeteredWorkers = 8;

  void Work(std::stop_token stop);
  int Limit() const;
  bool WaitForTurn(std::stop_token stop);
  Result<DetailAnswer> Fetch(const DetailTask& task, std::stop_token stop);

  aws::Caller& caller_;
  FetchOptions options_;
  const LogFields log_fields_ = CurrentLogFields();  ///< of the run, for the threads
  Clock& clock_;
  Sleeper& sleeper_;

  mutable std::mutex mutex_;
  std::condition_variable_any work_;
  std::condition_variable_any done_;
  std::deque<std::shared_ptr<Slot>>
      window_;  // guarded by mutex_: submitted and not taken, oldest first
  std::deque<std::shared_ptr<Slot>> waiting_;  // guarded by mutex_: not yet started
  int in_flight_ = 0;                          // guarded by mutex_
  std::mutex turn_mutex_;
  SteadyTime next_turn_{};  // guarded by turn_mutex_
  std::stop_source stop_source_;
  std::stop_callback<std::function<void()>> forward_stop_;
  std::vector<std::jthread> workers_;
};

}  // namespace pcw::sync
