// When a lease is taken, and when it counts as lost: the decisions, over a port to the row that
// holds it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>

#include "pcw/base/clock.h"
#include "pcw/base/result.h"

namespace pcw::jobs {

struct LeaseOptions {
  std::chrono::seconds duration{30};      ///< of the database clock
  std::chrono::milliseconds wait{5'000};  ///< how long to wait for a holder that is just going away
};

/// The row of one lease and a session to it. Which holder may be replaced is decided by the row's
/// own statement, on the database's clock. For one thread at a time.
class LeaseStore {
 public:
  virtual ~LeaseStore() = default;
  /// A session that can be used, opened if there is none. A new one has no hint.
  virtual Status Open(std::stop_token stop) = 0;
  virtual bool is_usable() const = 0;
  /// Tries the advisory lock of the session, which tells others that its holder lives.
  virtual Result<bool> TryHint(std::stop_token stop) = 0;
  /// The new fence; nullopt while somebody else holds the lease.
  virtual Result<std::optional<std::int64_t>> TryTake(bool is_hinted, std::stop_token stop) = 0;
  /// Prolongs it. False: the fence is not ours any more.
  virtual Result<bool> Renew(std::int64_t fence, bool is_hinted, std::stop_token stop) = 0;
  virtual Status Release(std::int64_t fence) = 0;
  /// The error that names who holds it.
  virtual Error Held(std::stop_token stop) = 0;
};

/// One holder of a lease, or one who wants to be. Not thread-safe.
class LeaseHolder {
 public:
  LeaseHolder(LeaseStore& store, const LeaseOptions& options, Clock& clock, Sleeper& sleeper)
      : store_(store), options_(options), clock_(clock), sleeper_(sleeper) {}

  /// Takes the lease; waits for `options.wait` while somebody holds it. kConflict after that.
  Status Take(std::stop_token stop);
  /// Renews every third of its duration, and twice a second while the database cannot be asked.
  /// Returns true when the lease is lost, false after a stop. A database that is away is no loss:
  /// the fence decides at the next commit.
  bool KeepRenewing(std::stop_token stop);
  /// Gives it back. Without a session it expires by itself.
  Status Release();

  std::int64_t fence() const { return fence_; }

 private:
  Status TryHint(std::stop_token stop);
  Result<bool> Renew(std::stop_token stop);

  LeaseStore& store_;
  const LeaseOptions options_;
  Clock& clock_;
  Sleeper& sleeper_;
  std::int64_t fence_ = 0;
  bool is_hinted_ = false;  // this session has the advisory lock
};

}  // namespace pcw::jobs
