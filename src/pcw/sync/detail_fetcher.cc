#include "pcw/sync/detail_fetcher.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "pcw/base/assert.h"
#include "pcw/base/failpoint.h"
#include "pcw/connector/request.h"

namespace pcw::sync {

DetailFetcher::DetailFetcher(const connector::EntityDef& def, aws::Caller& caller,
                             FetchOptions options, Clock& clock, Sleeper& sleeper,
                             std::stop_token stop)
    : def_(def),
      caller_(caller),
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

void DetailFetcher::Submit(std::string id, std::string listed_version) {
  auto slot = std::make_shared<Slot>();
  slot->id = std::move(id);
  slot->listed_version = std::move(listed_version);
  {
    const std::lock_guard lock(mutex_);
    window_.push_back(slot);
    waiting_.push_back(std::move(slot));
    const auto wanted = std::min<std::size_t>(static_cast<std::size_t>(Limit()), window_.size());
    if (workers_.size() < wanted) {
      workers_.emplace_back([this] { Work(stop_source_.get_token()); });
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
  return {std::move(slot->id), std::move(slot->listed_version), std::move(*slot->result)};
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
    std::optional<Result<aws::CallResult>> result;
    if (!WaitForTurn(stop)) {
      result.emplace(Error(ErrorCode::kCancelled, "stopped before the call"));
    } else {
      PCW_FAILPOINT("get.before");
      result.emplace(caller_.Call(
          *def_.detail, connector::DetailRequest(def_, options_.catalog, slot->id), stop));
      PCW_FAILPOINT("get.after");
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
