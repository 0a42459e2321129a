#include "pcw/sync/page_source.h"

#include <functional>
#include <utility>

#include <fmt/format.h>

#include "pcw/base/failpoint.h"
#include "pcw/connector/request.h"

namespace pcw::sync {
namespace {

std::string RequestBody(const connector::SourceDef& source, const ListOptions& options,
                        const std::string& token) {
  // Without a filter by modification both modes list everything.
  const bool is_full =
      options.mode != connector::RunMode::kIncremental || source.modified_filter.empty();
  return connector::ListRequest(
      source, {.catalog = options.catalog,
               .page_size = options.page_size,
               .next_token = token,
               .sort_by = is_full ? source.full_sort : source.modified_sort,
               .modified_after = is_full ? std::nullopt : options.modified_after});
}

}  // namespace

PageSource::PageSource(const connector::SourceDef& source, aws::Caller& caller, const Clock& clock,
                       ListOptions options, std::stop_token stop)
    : source_(source),
      caller_(caller),
      clock_(clock),
      options_(std::move(options)),
      forward_stop_(stop, [this] { stop_source_.request_stop(); }),
      worker_([this] { Work(stop_source_.get_token()); }) {}

PageSource::~PageSource() { stop_source_.request_stop(); }

Result<ListedPage> PageSource::Next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return ready_.has_value() || has_ended_; });
  // A stop ends the listing while an older page was still waiting to be taken.
  if (!ready_) return Error(ErrorCode::kCancelled, "stopped while listing");
  Result<ListedPage> page = std::move(*ready_);
  ready_.reset();
  changed_.notify_all();
  return page;
}

void PageSource::Work(std::stop_token stop) {
  const LogScope scope(log_fields_);
  ListAll(std::move(stop));
  const std::lock_guard lock(mutex_);
  has_ended_ = true;
  changed_.notify_all();
}

void PageSource::ListAll(std::stop_token stop) {
  for (;;) {
    Result<ListedPage> page = Fetch(stop);
    const bool is_end = !page || page->is_last;
    std::unique_lock lock(mutex_);
    // On stop the error must reach a waiting Next(), so only a reader that is gone ends the wait.
    if (!changed_.wait(lock, stop, [this] { return !ready_.has_value(); }) && ready_.has_value())
      return;
    ready_.emplace(std::move(page));
    changed_.notify_all();
    if (is_end) return;
  }
}

Result<ListedPage> PageSource::Fetch(std::stop_token stop) {
  PCW_FAILPOINT("list.before");
  bool restarts = false;
  Result<aws::CallResult> answer = CallPatiently(stop);
  if (!answer && answer.error().code() == ErrorCode::kInvalidRequest && !token_.empty() &&
      !has_restarted_) {
    // The token died while we worked on its pages. What is stored is skipped, so starting over
    // costs only the list calls (T1).
    has_restarted_ = restarts = true;
    token_.clear();
    seen_tokens_.clear();
    empty_pages_ = 0;
    answer = CallPatiently(stop);
  }
  PCW_TRY(const aws::CallResult result, std::move(answer));
  PCW_FAILPOINT("list.after");

  PCW_TRY(connector::Page page, connector::ReadListPage(result.body, source_));
  ListedPage listed{.items = std::move(page.items),
                    .request_id = result.request_id,
                    .server_date = result.server_date,
                    .elapsed = result.elapsed,
                    .received_at = clock_.Now(),
                    .is_last = page.next_token.empty(),
                    .has_restarted = restarts};
  if (!listed.is_last) {
    PCW_TRY_OK(RememberToken(page.next_token));
    PCW_TRY_OK(CountEmptyPage(listed.items.empty()));
  }
  token_ = page.next_token;
  return listed;
}

Result<aws::CallResult> PageSource::CallPatiently(std::stop_token stop) {
  const std::string body = RequestBody(source_, options_, token_);
  for (int round = 1;; ++round) {
    Result<aws::CallResult> answer = caller_.Call(*source_.list, body, stop);
    // A throttled list pauses the run instead of ending it; each round has waited for seconds
    // already. A spent day cannot be waited for.
    const bool may_wait = !answer && answer.error().code() == ErrorCode::kThrottled &&
                          !answer.error().Is(Reason::kQuotaSpent);
    if (!may_wait || round == kThrottledRounds) return answer;
  }
}

Status PageSource::RememberToken(std::string_view token) {
  if (seen_tokens_.insert(std::hash<std::string_view>{}(token)).second) return Ok{};
  return Error(ErrorCode::kUnavailable,
               "the list call repeated a page token, so its pages would never end; run again later")
      .With("operation", std::string(source_.list->name));
}

Status PageSource::CountEmptyPage(bool is_empty) {
  empty_pages_ = is_empty ? empty_pages_ + 1 : 0;
  if (empty_pages_ < kMostEmptyPages) return Ok{};
  return Error(ErrorCode::kUnavailable,
               fmt::format("the list call answered {} pages in a row that list nothing and name a "
                           "next one, so its pages may never end; what was listed before is "
                           "stored; run again later",
                           kMostEmptyPages))
      .With("operation", std::string(source_.list->name))
      .Because(Reason::kEndlessEmptyPages);
}

}  // namespace pcw::sync
