#include "pcw/aws/credentials/refreshing_credentials.h"

#include "pcw/aws/credentials/credentials_check.h"
#include "pcw/base/log.h"

namespace pcw::aws {
namespace {

constexpr std::chrono::minutes kRefreshBefore{15};
// A set just fetched is used though it looks expired: our clock may be ahead, and IMDS may be out
// of order and give the last it has (docs/aws-facts.md 23). AWS's refusal ends it at once.
constexpr std::chrono::seconds kTrusted{30};
constexpr std::chrono::minutes kBetweenAttempts{1};
constexpr std::chrono::seconds kBetweenLooks{1};

}  // namespace

RefreshingCredentials::RefreshingCredentials(std::unique_ptr<CredentialsSource> source,
                                             Clock& clock)
    : source_(std::move(source)), clock_(clock) {}

RefreshingCredentials::~RefreshingCredentials() = default;

Result<CredentialsPtr> RefreshingCredentials::Get(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  const auto is_usable = [this] {
    return current_ && !is_refused_ &&
           (!current_->expires_at || *current_->expires_at > clock_.Now() ||
            clock_.Steady() < fetched_at_ + kTrusted);
  };
  if (is_usable()) {
    if (!is_refreshing_ && IsRefreshDue()) RefreshInBackground();
    return current_;
  }
  if (!is_refreshing_) return Refresh(lock, stop);
  // Somebody else asks already; what they get is ours too.
  if (!refreshed_.wait(lock, stop, [this] { return !is_refreshing_; }))
    return Error(ErrorCode::kCancelled, "stopped while waiting for credentials");
  if (is_usable()) return current_;
  if (failure_) return *failure_;
  return Refresh(lock, stop);
}

bool RefreshingCredentials::IsRefreshDue() {
  const SteadyTime now = clock_.Steady();
  // Of a session of a quarter of an hour, the last four minutes: not all of it.
  const auto window = std::min<std::chrono::microseconds>(kRefreshBefore, lifetime_ / 4);
  const bool is_ending = current_->expires_at && *current_->expires_at - clock_.Now() <= window;
  if (is_ending && now >= next_attempt_) return true;
  if (now < next_look_) return false;
  next_look_ = now + kBetweenLooks;
  return now >= next_switch_ && source_->HasChanged();
}

void RefreshingCredentials::Invalidate(const CredentialsPtr& refused) {
  const std::lock_guard lock(mutex_);
  if (refused == current_) is_refused_ = true;
}

Result<CredentialsPtr> RefreshingCredentials::Refresh(std::unique_lock<std::mutex>& lock,
                                                      std::stop_token stop) {
  is_refreshing_ = true;
  lock.unlock();
  Result<CredentialsPtr> fresh = source_->Fetch(stop);
  if (fresh) {
    if (Status fit = CheckFitToSend(**fresh); !fit) fresh = std::move(fit).error();
  }
  lock.lock();
  is_refreshing_ = false;
  failure_.reset();
  if (fresh) {
    // The same keys are the same object: whoever was refused with them sees that asking brought
    // nothing new, and does not try again.
    if (current_ && (*fresh)->expires_at == current_->expires_at && IsSame(**fresh, *current_))
      fresh = current_;
    current_ = *fresh;
    is_refused_ = false;
    fetched_at_ = clock_.Steady();
    next_attempt_ = clock_.Steady() + kBetweenAttempts;
    next_switch_ = {};
    if (current_->expires_at) lifetime_ = *current_->expires_at - clock_.Now();
  } else if (fresh.error().code() != ErrorCode::kCancelled) {
    failure_ = fresh.error();
    next_switch_ = clock_.Steady() + kBetweenAttempts;
  }
  refreshed_.notify_all();
  return fresh;
}

void RefreshingCredentials::RefreshInBackground() {
  is_refreshing_ = true;
  next_attempt_ = clock_.Steady() + kBetweenAttempts;
  // The one before has ended: is_refreshing_ was false.
  background_ = std::jthread([this](std::stop_token stop) {
    std::unique_lock lock(mutex_);
    const CredentialsPtr old = current_;
    if (const Result<CredentialsPtr> fresh = Refresh(lock, stop);
        !fresh && fresh.error().code() != ErrorCode::kCancelled) {
      lock.unlock();
      Error error = fresh.error();
      error.With("source", old->source);
      LogError("credentials could not be refreshed; the old ones are used until they expire",
               error);
    }
  });
}

}  // namespace pcw::aws
