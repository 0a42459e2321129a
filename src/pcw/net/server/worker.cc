#include "pcw/net/server/worker.h"

#include <chrono>
#include <exception>
#include <vector>

#include "pcw/base/log.h"
#include "pcw/base/time.h"
#include "pcw/net/server/connection.h"

namespace pcw::net::server {

Seat Admission::Enter(const std::string& address) {
  const bool is_shared = options_.is_shared_address && options_.is_shared_address(address);
  const std::lock_guard lock(mutex_);
  const auto found = per_address_.find(address);
  const std::size_t count = found == per_address_.end() ? 0 : found->second;
  if (total_ < options_.max_connections &&
      (is_shared || count < options_.max_connections_per_address)) {
    ++per_address_[address];
    ++total_;
    return Seat::kTaken;
  }
  if (turned_away_ >= options_.max_turned_away) return Seat::kNone;
  ++turned_away_;
  return Seat::kTurnedAway;
}

void Admission::Leave(const std::string& address, Seat seat) {
  const std::lock_guard lock(mutex_);
  if (seat == Seat::kTurnedAway) --turned_away_;
  if (seat != Seat::kTaken) return;
  const auto found = per_address_.find(address);
  if (found == per_address_.end()) return;
  --total_;
  if (--found->second == 0) per_address_.erase(found);
}

std::uint64_t Admission::open() const {
  const std::lock_guard lock(mutex_);
  return total_ + turned_away_;
}

void Worker::Run() {
  thread_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  for (;;) {
    try {
      io.run();
      return;
    } catch (const std::exception& problem) {
      // Handlers are wrapped already; this is the frame of last resort that keeps the others
      // served.
      Log(LogLevel::kError, "connection failed unexpectedly", {{"reason", problem.what()}});
    }
  }
}

void Worker::Drain() {
  draining_ = true;
  const std::vector<std::shared_ptr<Connection>> all(connections.begin(), connections.end());
  for (const auto& connection : all) connection->CloseIfIdle();
}

void Worker::Finish() {
  const std::vector<std::shared_ptr<Connection>> all(connections.begin(), connections.end());
  for (const auto& connection : all) connection->Close();
  guard_.reset();
}

void Worker::Close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  // Whatever slipped in between the end of Run and here finds its connection closed.
  io.restart();
  io.poll();
}

std::string_view Worker::Date() {
  const auto now = std::chrono::system_clock::now();
  const std::time_t second = std::chrono::system_clock::to_time_t(now);
  if (second != date_second_) {
    date_second_ = second;
    date_ = FormatHttpDate(std::chrono::time_point_cast<std::chrono::microseconds>(now));
  }
  return date_;
}

}  // namespace pcw::net::server
