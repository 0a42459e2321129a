// Progress of runs as server-sent events.
#pragma once

#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>

#include "pcw/api/worker_pool.h"
#include "pcw/net/server/listener.h"
#include "pcw/runs/run_store.h"

namespace pcw::api {

/// Follows runs for clients that listen, on one thread with one session: each run that somebody
/// watches is read once a second, however many watch it. At most 256 streams; a stream ends with
/// its run, with its token, when its client leaves, or after an hour. Thread-safe.
class RunEvents {
 public:
  /// True if a look that began after `since` found that the token is not in force any more.
  using IsGone = std::function<bool(const std::string& token_id, SteadyTime since)>;

  RunEvents(OpenSession open, const Clock& clock, IsGone is_gone);
  ~RunEvents();

  bool HasRoom();
  /// Sends the run as it is now, and from then on each change. Ends the stream at once if the run
  /// has ended, or there is no room.
  void Add(const std::string& tenant_id, const std::string& token_id, const runs::StoredRun& run,
           const net::server::ResponseStream& stream);
  /// Ends every stream and the thread. Idempotent.
  void Stop();

 private:
  struct Watcher {
    std::string tenant_id, token_id, run_id, last;
    net::server::ResponseStream stream;
    SteadyTime since, until, alive_at;
  };
  void Follow(std::stop_token stop);
  void LookOnce(WorkerSession& session, std::stop_token stop);

  const OpenSession open_;
  const Clock& clock_;
  const IsGone is_gone_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::list<Watcher> watchers_;
  bool is_stopped_ = false;
  std::jthread thread_;  // last: it uses everything above
};

/// One event: a name, and its data on one line.
std::string FormatEvent(std::string_view name, std::string_view data);

}  // namespace pcw::api
