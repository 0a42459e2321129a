#include "pcw/jobs/job_keeper.h"

#include <memory>
#include <optional>
#include <utility>

#include "pcw/base/log.h"

namespace pcw::jobs {
namespace {

// Beats on a session of its own, opened anew after it was lost. The thread's alone.
class DatabaseBeat {
 public:
  DatabaseBeat(JobKeeper::OpenConnection open, Job job, const ClaimTerms& terms)
      : open_(std::move(open)), job_(std::move(job)), terms_(terms) {}

  Result<Beat> Once(std::int64_t progress, std::stop_token stop) {
    if (!connection_ || !connection_->is_usable()) {
      connection_.reset();
      PCW_TRY(pg::Connection opened, open_(stop));
      connection_.emplace(std::move(opened));
    }
    return BeatJob(*connection_, job_, progress, terms_, stop);
  }

 private:
  const JobKeeper::OpenConnection open_;
  const Job job_;
  const ClaimTerms terms_;
  std::optional<pg::Connection> connection_;
};

JobKeeper::BeatOnce BeatInDatabase(JobKeeper::OpenConnection open, const Job& job,
                                   const ClaimTerms& terms) {
  auto beat = std::make_shared<DatabaseBeat>(std::move(open), job, terms);
  return [beat](std::int64_t progress, std::stop_token stop) {
    return beat->Once(progress, std::move(stop));
  };
}

}  // namespace

JobKeeper::JobKeeper(OpenConnection open, Job job, const ClaimTerms& terms, Sleeper& sleeper,
                     std::stop_token drain)
    : JobKeeper(BeatInDatabase(std::move(open), job, terms), job, terms, sleeper,
                std::move(drain)) {}

JobKeeper::JobKeeper(BeatOnce beat, Job job, const ClaimTerms& terms, Sleeper& sleeper,
                     std::stop_token drain)
    : beat_(std::move(beat)),
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
  BeatWatch watch(terms_);
  while (sleeper_.SleepFor(BeatPause(terms_), stop)) {
    const Result<Beat> beat = beat_(progress_.load(std::memory_order_relaxed), stop);
    if (!beat) continue;  // the work meets the same outage and tells of it
    const BeatVerdict verdict = watch.Judge(*beat);
    if (verdict.stop == StopCause::kLost)
      Log(LogLevel::kWarn, "the job was taken over by another worker", {{"job", job_.id}});
    if (verdict.begins_to_stall)
      Log(LogLevel::kWarn, "the run makes no progress; it is shown as stalled", {{"job", job_.id}});
    if (verdict.stop != StopCause::kNone) Stop(verdict.stop);
    if (verdict.is_last) return;
  }
}

}  // namespace pcw::jobs
