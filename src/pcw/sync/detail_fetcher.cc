#include "pcw/sync/detail_fetcher.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>
#include <system_error>
#include <utility>

#include "pcw/base/assert.h"
#include "pcw/base/failpoint.h"
#include "pcw/base/log.h"
#include "pcw/connector/request.h"

namespace pcw::sync {

DetailFetcher::DetailFetcher(aws::Caller& caller, FetchOptions options, Clock& clock,
                             Sleeper& sleeper, std::stop_token stop)
    : caller_(caller),
      options_(std::move(options)),
      clock_(clock),
      sleeper_(sleeper),
      forward_stop_(stop, [this] { stop_source_.request_stop(); }) {}

DetailFetcher::~DetailFetcher() { Stop(); }

void DetailFetcher::Stop() {
  stop_source_.request_stop();
  workers_.clear();
  const std::lock_guard lock(mutex_);
  window_.clear();
  waiting_.clear();
}

int DetailFetcher::Limit() const {
  if (options_.max_in_flight > 0) return std::min(options_.max_in_flight, kMostWorkers);
  if (options_.reads_per_second == 0) return kUnmeteredWorkers;
  const double seconds = std::chrono::duration<double>(caller_.latency()).count();
  const auto wanted = static_cast<int>(std::ceil(2 * options_.reads_per_second * seconds));
  return std::clamp(wanted, 4, kMostWorkers);
}

bool DetailFetcher::is_full() const {
  const std::lock_guard lock(mutex_);
  return window_.size() >= kBuffered || waiting_.size() >= static_cast<std::size_t>(Limit());
}

bool DetailFetcher::is_empty() const {
  const std::lock_guard lock(mutex_);
  return window_.empty();
}

bool DetailFetcher::is_ready() const {
  const std::lock_guard lock(mutex_);
  return !window_.empty() && window_.front()->result.has_value();
}

void DetailFetcher::Submit(DetailTask task) {
  auto slot = std::make_shared<Slot>();
  slot->task = std::move(task);
  {
    const std::lock_guard lock(mutex_);
    window_.push_back(slot);
    // After a stop idle workers are gone: nobody would take it up, and Take would wait for ever.
    if (stop_source_.stop_requested()) {
      slot->result.emplace(Error(ErrorCode::kCancelled, "stopped before the call"));
      return;
    }
    waiting_.push_back(std::move(slot));
    const auto wanted = std::min<std::size_t>(static_cast<std::size_t>(Limit()), window_.size());
    if (workers_.size() < wanted) {
      try {
        workers_.emplace_back([this] { Work(stop_source_.get_token()); });
      } catch (const std::system_error& problem) {
        // Fewer do as well, only slower; without any the calls would wait for ever.
        if (workers_.empty()) throw;
        static std::atomic<bool> is_told = false;  // once a process: each call would say it again
        if (!is_told.exchange(true))
          Log(LogLevel::kWarn, "the system gives no more threads; fewer calls are made at once",
              {{"threads", std::to_string(workers_.size())}, {"reason", problem.what()}});
      }
    }
  }
  work_.notify_one();
}

FetchedDetail DetailFetcher::Take() {
  std::unique_lock lock(mutex_);
  PCW_ASSERT(!window_.empty());
  const std::shared_ptr<Slot> slot = window_.front();
  done_.wait(lock, [&] { return slot->result.has_value(); });
  window_.pop_front();
  return {std::move(slot->task), std::move(*slot->result)};
}

bool DetailFetcher::WaitForTurn(std::stop_token stop) {
  if (options_.min_interval.count() == 0) return true;
  SteadyTime turn;
  {
    const std::lock_guard lock(turn_mutex_);
    turn = std::max(next_turn_, clock_.Steady());
    next_turn_ = turn + options_.min_interval;
  }
  return sleeper_.SleepFor(
      std::chrono::duration_cast<std::chrono::microseconds>(turn - clock_.Steady()), stop);
}

Result<DetailAnswer> DetailFetcher::Fetch(const DetailTask& task, std::stop_token stop) {
  const connector::SourceDef& source = *task.source;
  const std::string request = connector::DetailRequest(source, options_.catalog, task.key);
  PCW_FAILPOINT("get.before");
  PCW_TRY(aws::CallResult detail, caller_.Call(*source.detail, request, stop));
  PCW_FAILPOINT("get.after");
  detail.received_at = clock_.Now();
  DetailAnswer answer{.detail = std::move(detail), .companion = std::nullopt};
  if (source.companion == nullptr) return answer;
  Result<aws::CallResult> companion = caller_.Call(*source.companion, request, stop);
  // A record need not have one; any other failure would take a column for empty.
  if (companion) {
    answer.companion = std::move(*companion);
    answer.companion->received_at = clock_.Now();
  } else if (companion.error().code() != ErrorCode::kNotFound) {
    return std::move(companion).error();
  }
  return answer;
}

Result<DetailAnswer> DetailFetcher::FetchNow(const DetailTask& task) {
  const std::stop_token stop = stop_source_.get_token();
  if (!WaitForTurn(stop)) return Error(ErrorCode::kCancelled, "stopped before the call");
  return Fetch(task, stop);
}

void DetailFetcher::Work(std::stop_token stop) {
  const LogScope scope(log_fields_);
  for (;;) {
    std::shared_ptr<Slot> slot;
    {
      std::unique_lock lock(mutex_);
      work_.wait(lock, stop, [this] { return !waiting_.empty() && in_flight_ < Limit(); });
      if (waiting_.empty()) return;  // only a stop ends the wait with nothing to do
      slot = std::move(waiting_.front());
      waiting_.pop_front();
      ++in_flight_;
    }
    std::optional<Result<DetailAnswer>> result;
    if (WaitForTurn(stop)) {
      result.emplace(Fetch(slot->task, stop));
    } else {
      result.emplace(Error(ErrorCode::kCancelled, "stopped before the call"));
    }
    {
      const std::lock_guard lock(mutex_);
      slot->result = std::move(result);
      --in_flight_;
    }
    done_.notify_all();
    work_.notify_one();
  }
}

}  // namespace pcw::sync
