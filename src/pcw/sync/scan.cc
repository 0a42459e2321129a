#include "pcw/sync/scan.h"

#include <algorithm>

#include <fmt/format.h>

#include "pcw/base/failpoint.h"
#include "pcw/base/time.h"

namespace pcw::sync {
namespace {

constexpr int kMostFailuresInRow = 10;
constexpr int kMostThrottlesInRow = 20;
constexpr std::size_t kMostSeen = 5000;
constexpr std::size_t kPartSlack = 64U << 10U;  // the record that makes a part full is part of it

bool IsHeld(const HeldRecord& held, const std::string& listed_version) {
  if (held.version == listed_version) return true;
  // The list may spell the same instant differently from the detail ("...30Z", "...30.000Z").
  const Result<WallTime> listed = ParseRfc3339(listed_version);
  return listed && *listed == held.modified_at;
}

}  // namespace

Scan::Scan(const connector::EntityDef& def, const EntityTable& table, const SyncOptions& options,
           SyncDeps& deps, Database& database, PartCommitter& committer, std::string run_id,
           std::int64_t expected, std::stop_token stop)
    : def_(def),
      table_(table),
      options_(options),
      deps_(deps),
      database_(database),
      committer_(committer),
      run_id_(std::move(run_id)),
      stop_(stop),
      fetcher_(def, deps.caller, options.fetch, deps.clock, deps.sleeper, stop),
      started_(deps.clock.Steady()) {
  base_ = totals();
  progress_.run_id = run_id_;
  if (options.mode == RunMode::kFull) progress_.expected = expected;
}

CallTotals Scan::totals() const {
  const aws::CallCounters& counters = deps_.caller.counters();
  const auto number = [](const auto& counter) { return static_cast<std::int64_t>(counter.load()); };
  return {.api_calls = number(counters.calls) - base_.api_calls,
          .throttles = number(counters.throttles) - base_.throttles,
          .retries = number(counters.retries) - base_.retries,
          .pages = static_cast<std::int64_t>(pages_.size()),
          .bytes = number(counters.bytes) - base_.bytes};
}

Status Scan::Run(std::optional<WallTime> modified_after) {
  PageSource source(def_, deps_.caller,
                    {.catalog = options_.catalog,
                     .page_size = options_.page_size,
                     .mode = options_.mode,
                     .modified_after = modified_after},
                    stop_);
  for (;;) {
    PCW_TRY(const ListedPage page, source.Next());
    PCW_TRY_OK(TakePage(page));
    if (page.is_last) break;
  }
  PCW_TRY_OK(DrainAll(Pass::kFirst));

  const std::vector<std::pair<std::string, std::string>> deferred = std::exchange(deferred_, {});
  failures_in_row_ = 0;
  for (const auto& [id, version] : deferred) PCW_TRY_OK(Fetch(id, version, Pass::kDeferred));
  PCW_TRY_OK(DrainAll(Pass::kDeferred));
  return Flush();
}

Result<std::vector<std::string>> Scan::ConfirmMissing() {
  PCW_TRY(const std::vector<std::string> candidates,
          database_.Run<std::vector<std::string>>(stop_, [&](pg::Connection& connection) {
            return table_.LoadMissingCandidates(connection, options_.catalog, run_id_, stop_);
          }));
  for (const std::string& id : candidates) PCW_TRY_OK(Fetch(id, "", Pass::kConfirm));
  PCW_TRY_OK(DrainAll(Pass::kConfirm));
  PCW_TRY_OK(Flush());
  return std::move(confirmed_missing_);
}

Status Scan::TakePage(const ListedPage& page) {
  for (const std::string& id : committer_.TakeSettledIds()) pending_.erase(id);
  Observe(page);
  std::vector<std::string> ids;
  ids.reserve(page.items.size());
  for (const ListedPage::Item& item : page.items) ids.push_back(item.id);
  PCW_FAILPOINT("held.before");
  using Held = std::unordered_map<std::string, HeldRecord>;
  PCW_TRY(const Held held, database_.Run<Held>(stop_, [&](pg::Connection& connection) {
    return table_.LoadHeld(connection, options_.catalog, ids, stop_);
  }));
  PCW_FAILPOINT("held.after");
  for (const ListedPage::Item& item : page.items) PCW_TRY_OK(TakeItem(item, held));
  Report();
  return HandOverIfDue();
}

void Scan::Observe(const ListedPage& page) {
  if (pages_.empty()) observation_.first_response_date = page.server_date;
  for (const ListedPage::Item& item : page.items) {
    if (const Result<WallTime> version = ParseRfc3339(item.version)) {
      observation_.max_version = std::max(observation_.max_version.value_or(*version), *version);
    }
  }
  listed_ += static_cast<std::int64_t>(page.items.size());
  pages_.push_back({.request_id = page.request_id,
                    .items = static_cast<int>(page.items.size()),
                    .first_id = page.items.empty() ? "" : page.items.front().id,
                    .last_id = page.items.empty() ? "" : page.items.back().id});
}

Status Scan::TakeItem(const ListedPage::Item& item,
                      const std::unordered_map<std::string, HeldRecord>& held) {
  if (const auto pending = pending_.find(item.id);
      pending != pending_.end() && pending->second == item.version) {
    ++batch_.duplicate;
    ++progress_.settled;
    return Ok{};
  }
  if (const auto stored = held.find(item.id);
      stored != held.end() && IsHeld(stored->second, item.version)) {
    ++progress_.settled;
    if (stored->second.last_seen_run == run_id_) {
      ++batch_.duplicate;
      return Ok{};
    }
    ++batch_.skipped;
    ++progress_.skipped;
    // Only a full scan counts absence, so only it needs to know what it saw.
    if (options_.mode == RunMode::kFull) batch_.seen.push_back(item.id);
    return Ok{};
  }
  pending_[item.id] = item.version;
  return Fetch(item.id, item.version, Pass::kFirst);
}

Status Scan::Fetch(std::string id, std::string version, Pass pass) {
  PCW_TRY_OK(DrainReady(pass));
  while (fetcher_.is_full()) PCW_TRY_OK(Handle(fetcher_.Take(), pass));
  fetcher_.Submit(std::move(id), std::move(version));
  return Ok{};
}

Status Scan::DrainReady(Pass pass) {
  while (fetcher_.is_ready()) PCW_TRY_OK(Handle(fetcher_.Take(), pass));
  return Ok{};
}

Status Scan::DrainAll(Pass pass) {
  while (!fetcher_.is_empty()) PCW_TRY_OK(Handle(fetcher_.Take(), pass));
  return Ok{};
}

Status Scan::Handle(FetchedDetail detail, Pass pass) {
  if (!detail.result) return HandleFailure(std::move(detail), pass);
  failures_in_row_ = 0;
  throttles_in_row_ = 0;
  PCW_TRY_OK(Append(std::move(detail)));
  return HandOverIfDue();
}

Status Scan::HandleFailure(FetchedDetail detail, Pass pass) {
  Error error = std::move(detail.result).error();
  error.With("record", detail.id);
  switch (error.code()) {
    case ErrorCode::kThrottled:
      // The account is paused already. A spent day cannot be waited for; any other throttle only
      // delays this record.
      if (error.Find("reason") || ++throttles_in_row_ >= kMostThrottlesInRow) return error;
      fetcher_.Submit(std::move(detail.id), std::move(detail.listed_version));
      return Ok{};
    case ErrorCode::kNotFound:
      if (pass == Pass::kConfirm) {
        confirmed_missing_.push_back(std::move(detail.id));
        return Ok{};
      }
      break;  // a Get may lag the list for seconds after a create (FACTS 3.1)
    case ErrorCode::kUnavailable:
    case ErrorCode::kTimeout:
      if (++failures_in_row_ >= kMostFailuresInRow) {
        return std::move(error).With("stopped_after",
                                     fmt::format("{} failed details in a row", kMostFailuresInRow));
      }
      break;
    case ErrorCode::kInvalidRequest:
    case ErrorCode::kConflict:
    case ErrorCode::kSchemaMismatch:
      if (pass == Pass::kFirst) pass = Pass::kDeferred;  // asking again gives the same answer
      break;
    case ErrorCode::kUnauthenticated:
    case ErrorCode::kPermissionDenied:
    case ErrorCode::kConfig:
    case ErrorCode::kCancelled:
    case ErrorCode::kInternal:
      return error;
  }
  if (pass == Pass::kConfirm) return Ok{};  // not confirmed; the next full scan asks again
  if (pass == Pass::kFirst) {
    ++batch_.deferred;
    deferred_.emplace_back(std::move(detail.id), std::move(detail.listed_version));
    return Ok{};
  }
  batch_.letters.push_back(dlq::MakeDeadLetter(error, dlq::Stage::kFetch, detail.id));
  pending_.erase(detail.id);
  ++progress_.settled;
  ++progress_.dead_letters;
  return HandOverIfDue();
}

Status Scan::Append(FetchedDetail detail) {
  if (batch_.records.empty()) {
    batch_.opened_at = deps_.clock.Steady();
    batch_.part.Reserve(options_.part_bytes + kPartSlack);
  }
  aws::CallResult& call = *detail.result;
  lake::RecordMeta meta;
  meta.id = detail.id;
  meta.operation = def_.detail->name;
  meta.request_id = std::move(call.request_id);
  meta.fetched_at = FormatRfc3339(call.received_at);
  meta.source = "get";
  const lake::AppendedLine stored = batch_.part.Append(std::move(meta), call.body);
  batch_.records.push_back({.id = std::move(detail.id), .line = stored});
  ++progress_.settled;
  ++progress_.fetched;
  if (progress_.fetched % 16 == 0) Report();
  return Ok{};
}

Status Scan::HandOverIfDue() {
  const bool is_due =
      static_cast<int>(batch_.records.size()) >= options_.part_records ||
      batch_.part.bytes() >= options_.part_bytes || batch_.seen.size() >= kMostSeen ||
      (!batch_.records.empty() && deps_.clock.Steady() - batch_.opened_at >= options_.part_age);
  return is_due ? HandOver() : Status(Ok{});
}

Status Scan::HandOver() {
  if (batch_.is_empty()) return Ok{};
  return committer_.Enqueue(std::exchange(batch_, {}), totals());
}

Status Scan::Flush() {
  PCW_TRY_OK(HandOver());
  return committer_.Flush();
}

void Scan::Report() {
  if (!deps_.on_progress) return;
  const CallTotals now = totals();
  progress_.api_calls = now.api_calls;
  progress_.throttles = now.throttles;
  progress_.elapsed =
      std::chrono::duration_cast<std::chrono::milliseconds>(deps_.clock.Steady() - started_);
  deps_.on_progress(progress_);
}

}  // namespace pcw::sync
