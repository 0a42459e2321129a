// The listing of one scan: pages in order, the next one fetched while the current one is worked on.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "pcw/aws/caller.h"
#include "pcw/base/log.h"
#include "pcw/connector/entity_def.h"
#include "pcw/connector/raw_record.h"
#include "pcw/runs/run_store.h"

namespace pcw::sync {

/// One answer of the list call, checked and copied out of it.
struct ListedPage {
  std::vector<connector::PageItem> items;
  std::string request_id;
  std::optional<WallTime> server_date;
  std::chrono::microseconds elapsed{0};  ///< of the call
  WallTime received_at{};                ///< the run's clock
  bool is_last = false;
  bool has_restarted = false;  ///< it is the first page again
};

struct ListOptions {
  std::string catalog;
  int page_size = 100;
  connector::RunMode mode = connector::RunMode::kFull;
  std::optional<WallTime> modified_after;  ///< incremental only
};

/// Lists an entity on a thread of its own, one page ahead. Full scans sort by the immutable key, so
/// that a record modified meanwhile cannot move; incremental scans sort by modification, ascending
/// (T1).
///
/// A token that AWS no longer takes restarts the listing from the first page, once. A token that
/// repeats ends it with kUnavailable, and so do a hundred pages in a row that are empty and yet
/// name a next one: neither would ever end.
class PageSource {
 public:
  PageSource(const connector::SourceDef& source, aws::Caller& caller, const Clock& clock,
             ListOptions options, std::stop_token stop);
  ~PageSource();

  /// The next page; after the last one (is_last) it must not be called again. Errors are those of
  /// the call.
  Result<ListedPage> Next();

 private:
  static constexpr int kThrottledRounds = 10;
  static constexpr int kMostEmptyPages = 100;

  void Work(std::stop_token stop);
  void ListAll(std::stop_token stop);
  Result<ListedPage> Fetch(std::stop_token stop);
  Result<aws::CallResult> CallPatiently(std::stop_token stop);
  Status RememberToken(std::string_view token);
  Status CountEmptyPage(bool is_empty);

  const connector::SourceDef& source_;
  aws::Caller& caller_;
  const Clock& clock_;
  ListOptions options_;
  const LogFields log_fields_ = CurrentLogFields();  ///< of the run, for the thread
  std::string token_;
  bool has_restarted_ = false;
  int empty_pages_ = 0;  ///< in a row
  std::unordered_set<std::size_t> seen_tokens_;

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<Result<ListedPage>> ready_;  // guarded by mutex_
  bool has_ended_ = false;                   // guarded by mutex_: nothing comes after ready_
  std::stop_source stop_source_;
  std::stop_callback<std::function<void()>> forward_stop_;
  std::jthread worker_;
};

}  // namespace pcw::sync
