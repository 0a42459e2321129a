// Credentials that stay fresh: the one place that keeps a set and decides when to ask again.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "pcw/aws/credentials.h"

namespace pcw::aws {

/// Keeps what its source gave. From 15 minutes before their end (a quarter of a shorter life), and
/// within a second of the source being pointed elsewhere, the source is asked in the background,
/// and whoever signs goes on with what there is: a slow or failing refresh fails no call while the
/// old ones live. A failed one is tried again after a minute. Only expired or refused ones make Get
/// wait; a set that looks expired when it comes is trusted for half a minute, because our clock may
/// be the wrong one. One refresh at a time (docs/aws-facts.md 23). Thread-safe.
class RefreshingCredentials final : public CredentialsProvider {
 public:
  RefreshingCredentials(std::unique_ptr<CredentialsSource> source, Clock& clock);
  ~RefreshingCredentials() override;

  Result<CredentialsPtr> Get(std::stop_token stop) override;
  void Invalidate(const CredentialsPtr& refused) override;

 private:
  /// Asks the source without the lock, which is held again at return.
  Result<CredentialsPtr> Refresh(std::unique_lock<std::mutex>& lock, std::stop_token stop);
  void RefreshInBackground();
  bool IsRefreshDue();

  const std::unique_ptr<CredentialsSource> source_;
  Clock& clock_;
  std::mutex mutex_;
  std::condition_variable_any refreshed_;
  CredentialsPtr current_;                // guarded by mutex_; null = never had any
  bool is_refused_ = false;               // guarded by mutex_: current_ must not be used again
  SteadyTime fetched_at_{};               // guarded by mutex_
  std::chrono::microseconds lifetime_{};  // guarded by mutex_: of current_, when it was fetched
  bool is_refreshing_ = false;            // guarded by mutex_
  std::optional<Error> failure_;          // guarded by mutex_: how the latest refresh ended
  SteadyTime next_attempt_{};             // guarded by mutex_: of a refresh in the background
  SteadyTime next_switch_{};              // guarded by mutex_: to what the source was pointed at
  SteadyTime next_look_{};   // guarded by mutex_: whether the source was pointed elsewhere
  std::jthread background_;  // last: it uses everything above
};

}  // namespace pcw::aws
