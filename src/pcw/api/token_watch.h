// Which tokens are in force, looked up every few seconds.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_set>

#include "pcw/api/worker_pool.h"
#include "pcw/base/clock.h"

namespace pcw::api {

/// Reads the public ids of all tokens in force every two seconds, on a thread and a session of its
/// own: what lasts longer than a request (a stream) ends with its token, and a flood of made-up
/// tokens does not stand between a real one and its first look-up. Thread-safe.
class TokenWatch {
 public:
  /// `tenant_id`: of the session, which any tenant will do for.
  TokenWatch(OpenSession open, std::string tenant_id, const Clock& clock, Sleeper& sleeper);

  /// True if a token of that id was in force when last looked.
  bool Knows(const std::string& id) const;
  /// True if a look that began after `since` did not find the token. False while the database is
  /// away: nothing is known then.
  bool IsGone(const std::string& id, SteadyTime since) const;

 private:
  struct Seen {
    std::unordered_set<std::string> ids;
    SteadyTime began;
  };
  void Watch(const std::stop_token& stop);
  Status Look(WorkerSession& session, const std::stop_token& stop);
  std::shared_ptr<const Seen> Latest() const;

  const OpenSession open_;
  const std::string tenant_id_;
  const Clock& clock_;
  Sleeper& sleeper_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Seen> seen_;
  std::jthread thread_;  // last: it uses everything above
};

}  // namespace pcw::api
