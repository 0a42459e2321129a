#include "pcw/sync/scan.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/failpoint.h"
#include "pcw/base/json.h"
#include "pcw/base/time.h"

namespace pcw::sync {
namespace {

constexpr std::size_t kMostSeen = 5000;
constexpr std::size_t kPartSlack = 64U << 10U;  // the record that makes a part full is part of it

}  // namespace

Scan::Scan(const connector::EntityDef& def, const tables::EntityTable& table,
           const SyncOptions& options, SyncDeps& deps, pg::Database& database,
           PartCommitter& committer, std::string run_id, ScanHistory history, std::stop_token stop)
    : def_(def),
      table_(table),
      options_(options),
      deps_(deps),
      database_(database),
      committer_(committer),
      run_id_(std::move(run_id)),
      stop_(stop),
      fetcher_(deps.caller, options.fetch, deps.clock, deps.sleeper, stop),
      started_(deps.clock.Steady()),
      failed_before_(std::move(history.failed_before)),
      fetch_failures_(options.stop_at_fetch_failure_percent, options.stop_window),
      confirm_failures_(options.stop_at_fetch_failure_percent, options.stop_window) {
  base_ = totals();
  progress_.run_id = run_id_;
  if (options.mode == connector::RunMode::kFull) progress_.expected = history.expected;
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
  for (const connector::SourceDef& source : def_.sources) {
    if (Status listed = ListSource(source, modified_after); !listed) {
      // Lists and details fail apart: what was listed lands, and the next run need not fetch it.
      // Whoever stops, or has no calls left, is not asked for more.
      if (!IsOfThisCallAlone(listed.error().code())) return listed;
      if (const Status drained = DrainAll(Pass::kFirst); !drained)
        LogError("what was listed last could not be fetched", drained.error());
      return listed;
    }
  }
  return FetchRest();
}

Status Scan::FetchAll(std::vector<DetailTask> tasks) {
  progress_.expected = static_cast<std::int64_t>(tasks.size());
  for (DetailTask& task : tasks) {
    if (failed_before_.contains(task.id)) {
      held_back_.push_back(std::move(task));
    } else {
      PCW_TRY_OK(Fetch(std::move(task), Pass::kFirst));
    }
  }
  return FetchRest();
}

Status Scan::FetchListed(std::set<std::string> ids) {
  wanted_ = std::move(ids);
  progress_.expected = static_cast<std::int64_t>(wanted_.size());
  return Run(std::nullopt);
}

// What failed once, then what failed in earlier runs, then what AWS denied.
Status Scan::FetchRest() {
  PCW_TRY_OK(DrainAll(Pass::kFirst));
  for (DeferredDetail& deferred : std::exchange(deferred_, {})) {
    // While AWS gives nothing at all, asking again only spends calls.
    if (IsPassing(deferred.error.code()) && !has_fetched_) {
      PCW_TRY_OK(AddDeadLetter(deferred.task, std::move(deferred.error)));
    } else {
      PCW_TRY_OK(Fetch(std::move(deferred.task), Pass::kLast));
    }
  }
  for (DetailTask& task : std::exchange(held_back_, {}))
    PCW_TRY_OK(Fetch(std::move(task), Pass::kLast));
  PCW_TRY_OK(DrainAll(Pass::kLast));
  for (const std::string& operation : denials_.Undecided()) PCW_TRY_OK(DecideDenials(operation));
  return Flush();
}

Status Scan::ListSource(const connector::SourceDef& source,
                        std::optional<WallTime> modified_after) {
  PageSource pages(source, deps_.caller, deps_.clock,
                   {.catalog = options_.catalog,
                    .page_size = options_.page_size,
                    .mode = options_.mode,
                    .modified_after = modified_after},
                   stop_);
  listed_of_source_ = 0;
  for (bool is_last = false; !is_last;) {
    PCW_TRY(ListedPage page, pages.Next());
    is_last = page.is_last;
    PCW_TRY_OK(TakePage(source, std::move(page)));
  }
  return Ok{};
}

Result<std::vector<std::string>> Scan::ConfirmMissing() {
  for (const connector::SourceDef& source : def_.sources) {
    using Candidates = std::vector<tables::HeldKey>;
    PCW_TRY(Candidates candidates,
            database_.Run<Candidates>(stop_, [&](pg::Connection& connection) {
              return table_.LoadHeldKeys(connection, options_.catalog, run_id_, source, stop_);
            }));
    for (tables::HeldKey& candidate : candidates) {
      // Where AWS has no call for one record, two full listings have to do.
      if (source.detail == nullptr) {
        confirmed_missing_.push_back(std::move(candidate.id));
        continue;
      }
      // Who AWS does not give now is asked for again after the next full scan.
      if (confirm_failures_.is_exceeded()) break;
      PCW_TRY_OK(Fetch({.source = &source,
                        .id = std::move(candidate.id),
                        .key = std::move(candidate.key),
                        .listed_version = "",
                        .is_held = true},
                       Pass::kConfirm));
    }
  }
  PCW_TRY_OK(DrainAll(Pass::kConfirm));
  PCW_TRY_OK(Flush());
  return std::move(confirmed_missing_);
}

Status Scan::TakePage(const connector::SourceDef& source, ListedPage page) {
  for (const SettledRecord& record : committer_.TakeSettled()) {
    const auto pending = pending_.find(record.id);
    if (pending == pending_.end()) continue;
    if (record.has_failed) {
      pending->second.has_failed = true;
    } else {
      pending_.erase(pending);
    }
  }
  Observe(page, !source.modified_filter.empty());
  std::vector<std::string> ids;
  ids.reserve(page.items.size());
  for (const connector::PageItem& item : page.items) {
    if (item.has_id) ids.push_back(item.id);
  }
  PCW_FAILPOINT("held.before");
  PCW_TRY(const Held held, database_.Run<Held>(stop_, [&](pg::Connection& connection) {
    return table_.LoadHeld(connection, options_.catalog, ids, stop_);
  }));
  PCW_FAILPOINT("held.after");
  for (connector::PageItem& item : page.items)
    PCW_TRY_OK(TakeItem(source, page, std::move(item), held));
  Report();
  return HandOverIfDue();
}

void Scan::Observe(const ListedPage& page, bool is_by_time) {
  list_time_ += page.elapsed;
  if (pages_.empty()) {
    observation_.first_response_date = page.server_date;
    observation_.began_at = page.received_at;
  }
  if (is_by_time) {
    for (const connector::PageItem& item : page.items) {
      if (const Result<WallTime> version = ParseRfc3339(item.version)) {
        observation_.max_version = std::max(observation_.max_version.value_or(*version), *version);
      }
    }
  }
  // A listing that starts over lists all of it again.
  if (page.has_restarted) listed_ -= std::exchange(listed_of_source_, 0);
  const auto items = static_cast<std::int64_t>(page.items.size());
  listed_ += items;
  listed_of_source_ += items;
  pages_.push_back({.request_id = page.request_id,
                    .items = static_cast<int>(page.items.size()),
                    .first_id = page.items.empty() ? "" : page.items.front().id,
                    .last_id = page.items.empty() ? "" : page.items.back().id});
}

// The listed version is on its way, in the table, or a dead letter: there is nothing to do.
void Scan::CountKnown(ListedOutcome outcome, const std::string& id) {
  ++progress_.settled;
  if (outcome == ListedOutcome::kDuplicate) {
    ++batch_.duplicate;
    return;
  }
  ++batch_.skipped;
  ++progress_.skipped;
  // Only a full scan counts absence, so only it needs to know what it saw.
  if (options_.mode == connector::RunMode::kFull) batch_.seen.push_back(id);
}

Status Scan::TakeItem(const connector::SourceDef& source, const ListedPage& page,
                      connector::PageItem item, const Held& held) {
  if (!wanted_.empty() && !wanted_.contains(item.id)) return Ok{};
  // Its bytes are kept and it is a dead letter; what is held of it stays, and it is not missing.
  if (item.problem) {
    has_unnamed_ = has_unnamed_ || !item.has_id;
    const PendingRecord failed{.version = item.version, .rank = source.rank, .has_failed = true};
    if (const auto [met, is_first] = pending_.try_emplace(item.id, failed); !is_first) {
      const bool is_repeated =
          met->second.rank == failed.rank && met->second.version == failed.version;
      if (is_repeated) {
        CountKnown(ListedOutcome::kDuplicate, item.id);
        return Ok{};
      }
      met->second = failed;
    }
    if (options_.mode == connector::RunMode::kFull && held.contains(item.id))
      batch_.seen.push_back(item.id);
    return AppendListed(source, page, std::move(item));
  }
  const auto pending = pending_.find(item.id);
  const auto stored = held.find(item.id);
  const bool is_held = stored != held.end();
  const ListedOutcome outcome = OutcomeOfListed(
      {.version = item.version,
       .rank = source.rank,
       .has_detail = item.has_detail,
       .is_version_only_hint = source.version_means == connector::ListedVersion::kHint &&
                               options_.mode == connector::RunMode::kFull,
       .has_failed_before = failed_before_.contains(item.id)},
      pending != pending_.end() ? &pending->second : nullptr,
      is_held && wanted_.empty() ? &stored->second
                                 : nullptr,  // asked for by name: whatever is held
      run_id_);
  if (outcome == ListedOutcome::kSkipped || outcome == ListedOutcome::kDuplicate) {
    CountKnown(outcome, item.id);
    return Ok{};
  }
  pending_[item.id] = {.version = item.version, .rank = source.rank, .has_failed = false};
  if (outcome == ListedOutcome::kTakeAsListed) return AppendListed(source, page, std::move(item));
  DetailTask task{.source = &source,
                  .id = std::move(item.id),
                  .key = std::move(item.key),
                  .listed_version = std::move(item.version),
                  .is_held = is_held};
  if (outcome == ListedOutcome::kFetch) return Fetch(std::move(task), Pass::kFirst);
  held_back_.push_back(std::move(task));
  return Ok{};
}

Status Scan::Fetch(DetailTask task, Pass pass) {
  PCW_TRY_OK(DrainReady(pass));
  while (fetcher_.is_full()) PCW_TRY_OK(Handle(fetcher_.Take(), pass));
  fetcher_.Submit(std::move(task));
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

void Scan::OpenBatch() {
  if (!batch_.records.empty()) return;
  batch_.opened_at = deps_.clock.Steady();
  batch_.part.Reserve(options_.part_bytes + kPartSlack);
}

void Scan::CountFetched() {
  ++progress_.settled;
  ++progress_.fetched;
  if (progress_.fetched % 16 == 0) Report();
}

std::string Scan::ServedAt(const std::optional<WallTime>& server_date, WallTime received_at) {
  // In whole seconds, as a Date is: within one second the later scan decides, not the fraction.
  return FormatRfc3339(server_date.value_or(std::chrono::floor<std::chrono::seconds>(received_at)));
}

Status Scan::AppendListed(const connector::SourceDef& source, const ListedPage& page,
                          connector::PageItem item) {
  OpenBatch();
  lake::RecordMeta meta;
  meta.id = item.id;
  meta.operation = source.list->name;
  meta.request_id = page.request_id;
  meta.fetched_at = FormatRfc3339(page.received_at);
  meta.served_at = ServedAt(page.server_date, page.received_at);
  meta.version = std::move(item.version);
  meta.source = "list";
  meta.accepts_older = options_.accepts_older;
  meta.index = item.index;
  batch_.records.push_back({.id = std::move(item.id),
                            .source = &source,
                            .is_sparse = connector::IsSparse(source, source.list->name),
                            .version = meta.version,
                            .served_at = meta.served_at,
                            .line = batch_.part.Append(meta, item.bytes),
                            .problem = std::move(item.problem)});
  CountFetched();
  return HandOverIfDue();
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
