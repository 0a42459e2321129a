// The bounded pool of threads that speak SQL for requests.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "pcw/base/clock.h"
#include "pcw/pg/connection.h"

namespace pcw::api {

using OpenSession = std::function<Result<pg::Connection>(std::stop_token)>;

/// A worker's database session, opened when needed and again when it was lost. For one thread.
///
/// After a failure to open, the next second's requests fail at once: while the server is away
/// nobody queues for it.
class WorkerSession {
 public:
  WorkerSession(const OpenSession& open, const Clock& clock) : open_(open), clock_(clock) {}

  /// The session, in that tenant. kUnavailable.
  Result<pg::Connection*> In(const std::string& tenant_id, std::stop_token stop);
  /// Drops a session that was lost or left inside a transaction.
  void Tidy();

 private:
  const OpenSession& open_;
  const Clock& clock_;
  std::optional<pg::Connection> connection_;
  std::string tenant_id_;
  std::optional<SteadyTime> not_before_;
  SteadyTime plans_since_{};
};

/// Threads with a session each and one bounded queue. Thread-safe.
class WorkerPool {
 public:
  using Work = std::function<void(WorkerSession& session, std::stop_token stop)>;

  WorkerPool(std::size_t threads, std::size_t most_waiting, OpenSession open, const Clock& clock);
  ~WorkerPool();

  /// False, and `work` is dropped, if the queue is full or the pool stops.
  bool Submit(Work work);

  /// Finishes what waits and what runs, then ends the threads. What blocks is stopped after
  /// `patience`.
  void Stop(std::chrono::milliseconds patience);

  std::size_t waiting() const;

 private:
  void Run();

  const OpenSession open_;
  const Clock& clock_;
  const std::size_t most_waiting_;
  mutable std::mutex mutex_;
  std::condition_variable wake_, idle_;
  std::deque<Work> queue_;
  std::size_t running_ = 0;
  bool is_stopping_ = false;
  std::stop_source stop_;
  std::vector<std::jthread> threads_;  // last: they use everything above
};

}  // namespace pcw::api
