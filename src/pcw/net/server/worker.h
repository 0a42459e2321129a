// One I/O thread: its event loop, its connections, and a safe way in from other threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <ctime>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_set>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>

#include "pcw/net/server/listener.h"

namespace pcw::net::server {

class Connection;

/// Where a connection is counted: among those that are served, or among those that are told that
/// there is no room; or nowhere, because even of these there are too many.
enum class Seat { kTaken, kTurnedAway, kNone };

/// Counts connections against the caps, in total and per client address. Thread-safe.
class Admission {
 public:
  explicit Admission(const ListenerOptions& options) : options_(options) {}

  Seat Enter(const std::string& address);
  void Leave(const std::string& address, Seat seat);
  std::uint64_t open() const;  ///< those that are served, and those that are told why not

 private:
  const ListenerOptions& options_;
  mutable std::mutex mutex_;
  std::map<std::string, std::size_t> per_address_;
  std::size_t total_ = 0, turned_away_ = 0;
};

/// What every connection of a listener shares; immutable but for the counters and the certificate.
struct Shared {
  Shared(ListenerOptions options_in, Handler handler_in,
         std::shared_ptr<boost::asio::ssl::context> tls_in)
      : options(std::move(options_in)),
        handler(std::move(handler_in)),
        admission(options),
        tls_(std::move(tls_in)) {}

  const ListenerOptions options;
  const Handler handler;
  Admission admission;
  std::atomic<std::uint64_t> accepted{0};
  std::atomic<std::uint64_t> turned_away{0};
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::uint64_t> refused{0};

  /// nullptr: plain. Thread-safe, as SetTls.
  std::shared_ptr<boost::asio::ssl::context> tls() const {
    const std::lock_guard lock(tls_mutex_);
    return tls_;
  }
  void SetTls(std::shared_ptr<boost::asio::ssl::context> tls) {
    const std::lock_guard lock(tls_mutex_);
    tls_ = std::move(tls);
  }

 private:
  mutable std::mutex tls_mutex_;
  std::shared_ptr<boost::asio::ssl::context> tls_;
};

/// An event loop that one thread runs. Connections belong to one worker for life, so they need no
/// locks. Only Post may be called from other threads.
class Worker {
 public:
  explicit Worker(std::shared_ptr<Shared> shared_in)
      : shared(std::move(shared_in)), io(1), guard_(io.get_executor()) {}

  /// Runs the loop until Finish was called and every connection is closed.
  void Run();

  /// Runs `work` on the worker's thread: at once if this is it. Dropped after Close.
  template <typename Work>
  void Post(Work work) {
    if (std::this_thread::get_id() == thread_.load(std::memory_order_relaxed)) {
      work();
      return;
    }
    // A late answer must not enter a loop that nobody runs: it would keep the connection for ever.
    const std::lock_guard lock(mutex_);
    if (!closed_) boost::asio::post(io, std::move(work));
  }

  /// Closes idle connections and marks the others to be closed after their answer. Worker thread.
  void Drain();
  /// Closes everything and lets Run return. Worker thread.
  void Finish();
  /// Refuses further posts. Any thread, after Run returned.
  void Close();

  bool draining() const { return draining_; }

  /// The Date header of this second. Worker thread.
  std::string_view Date();

  const std::shared_ptr<Shared> shared;
  boost::asio::io_context io;
  std::unordered_set<std::shared_ptr<Connection>> connections;  ///< worker thread only

 private:
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
  std::atomic<std::thread::id> thread_{};
  std::mutex mutex_;
  bool closed_ = false;
  bool draining_ = false;
  std::time_t date_second_ = 0;
  std::string date_;
};

}  // namespace pcw::net::server
