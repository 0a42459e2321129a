#include "pcw/api/worker_pool.h"

#include <exception>
#include <utility>

#include "pcw/base/log.h"

namespace pcw::api {
namespace {

constexpr std::chrono::seconds kPauseAfterFailure{1};

constexpr std::chrono::minutes kPlansHold{1};

// A request's statement that takes longer than this is not worth waiting for. Requests are the same
// few statements over and over, and planning costs several times what they do: the server may keep
// a plan, which sessions of pcw forbid, where it expects nothing from planning for the values.
constexpr pg::Query kSessionBounds{"api_session",
                                   "SELECT set_config('statement_timeout', '10s', false), "
                                   "set_config('lock_timeout', '5s', false), "
                                   "set_config('plan_cache_mode', 'auto', false)"};

}  // namespace

Result<pg::Connection*> WorkerSession::In(const std::string& tenant_id, std::stop_token stop) {
  if (!connection_) {
    if (not_before_ && clock_.Steady() < *not_before_)
      return Error(ErrorCode::kUnavailable, "the database was out of reach a moment ago");
    Result<pg::Connection> opened = open_(stop);
    if (opened) {
      if (const auto bounds = opened->Exec(kSessionBounds, {}, stop); !bounds)
        opened = Error(bounds.error());
    }
    if (!opened) {
      not_before_ = clock_.Steady() + kPauseAfterFailure;
      // Whatever kept the session from opening, for the caller it is out of reach.
      return Error(ErrorCode::kUnavailable, "the database cannot be used")
          .With("reason", opened.error().ToString());
    }
    connection_ = std::move(*opened);
    not_before_.reset();
    tenant_id_.clear();
    plans_since_ = clock_.Steady();
  }
  if (clock_.Steady() - plans_since_ >= kPlansHold) {
    // A plan from when a table was still empty reads all of it: none is kept for long.
    if (Status discarded = connection_->ExecScript("api_plans", "DISCARD PLANS", stop);
        !discarded) {
      Tidy();
      return std::move(discarded).error();
    }
    plans_since_ = clock_.Steady();
  }
  if (tenant_id_ != tenant_id) {
    const auto set = connection_->Exec({"api_tenant", "SELECT set_config('pcw.tenant', $1, false)"},
                                       {tenant_id}, stop);
    if (!set) {
      Error problem = set.error();
      Tidy();
      return problem;
    }
    tenant_id_ = tenant_id;
  }
  return &*connection_;
}

void WorkerSession::Tidy() {
  if (connection_ && (!connection_->is_usable() || connection_->in_transaction()))
    connection_.reset();
}

WorkerPool::WorkerPool(std::size_t threads, std::size_t most_waiting, OpenSession open,
                       const Clock& clock)
    : open_(std::move(open)), clock_(clock), most_waiting_(most_waiting) {
  try {
    for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
  } catch (const std::exception&) {
    // The system gives no more threads: those that run already wait for work, and would for ever.
    Stop(std::chrono::milliseconds(0));
    throw;
  }
}

WorkerPool::~WorkerPool() { Stop(std::chrono::milliseconds(0)); }

bool WorkerPool::Submit(Work work) {
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_ || queue_.size() >= most_waiting_) return false;
    queue_.push_back(std::move(work));
  }
  wake_.notify_one();
  return true;
}

std::size_t WorkerPool::waiting() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

void WorkerPool::Stop(std::chrono::milliseconds patience) {
  {
    std::unique_lock lock(mutex_);
    is_stopping_ = true;
    wake_.notify_all();
    idle_.wait_for(lock, patience, [this] { return queue_.empty() && running_ == 0; });
    queue_.clear();
  }
  stop_.request_stop();
  for (std::jthread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void WorkerPool::Run() {
  WorkerSession session(open_, clock_);
  for (;;) {
    Work work;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return is_stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      work = std::move(queue_.front());
      queue_.pop_front();
      ++running_;
    }
    try {
      work(session, stop_.get_token());
    } catch (const std::exception& problem) {
      Log(LogLevel::kError, "request handler failed", {{"reason", problem.what()}});
    }
    work = nullptr;  // its responder answers 500 if nobody did
    session.Tidy();
    const std::lock_guard lock(mutex_);
    --running_;
    idle_.notify_all();
  }
}

}  // namespace pcw::api
