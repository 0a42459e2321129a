#include "pcw/jobs/job_keeper.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "pcw/base/log.h"

namespace pcw::jobs {

JobKeeper::JobKeeper(OpenConnection open, Job job, const ClaimTerms& terms, Sleeper& sleeper,
                     std::stop_token drain)
    : open_(std::move(open)),
      job_(std::move(job)),
      terms_(terms),
      sleeper_(sleeper),
      on_drain_(std::move(drain), [this] { Stop(StopCause::kDrained); }) {
  thread_ = std::jthread([this, fields = CurrentLogFields()](std::stop_token stop) {
    const LogScope scope(fields);
    Keep(std::move(stop));
  });
}

void JobKeeper::Stop(StopCause cause) {
  StopCause none = StopCause::kNone;
  cause_.compare_exchange_strong(none, cause);
  stop_.request_stop();
}

void JobKeeper::Keep(std::stop_token stop) {
  const auto pause = std::min(terms_.lease / 3, std::chrono::milliseconds(2'000));
  std::optional<pg::Connection> connection;
  bool was_slow = false;
  while (sleeper_.SleepFor(pause, stop)) {
    if (!connection || !connection->is_usable()) {
      connection.reset();
      Result<pg::Connection> opened = open_(stop);
      if (!opened) continue;  // the work meets the same outage and tells of it
      connection.emplace(std::move(*opened));
    }
    const Result<Beat> beat =
        BeatJob(*connection, job_, progress_.load(std::memory_order_relaxed), terms_, stop);
    if (!beat) continue;
    if (!beat->is_ours) {
      Log(LogLevel::kWarn, "the job was taken over by another worker", {{"job", job_.id}});
      return Stop(StopCause::kLost);
    }
    if (beat->is_cancelled) Stop(StopCause::kCancelled);
    const bool is_slow = beat->since_progress > terms_.stall_after;
    if (is_slow && !was_slow)
      Log(LogLevel::kWarn, "the run makes no progress; it is shown as stalled", {{"job", job_.id}});
    was_slow = is_slow;
    if (beat->since_progress > 2 * terms_.stall_after) Stop(StopCause::kStalled);
    // Work that does not even hear a stop is left to a takeover: without beats its lease ends.
    if (beat->since_progress > 4 * terms_.stall_after) return;
  }
}

}  // namespace pcw::jobs
