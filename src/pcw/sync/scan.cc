#include "pcw/sync/scan.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/failpoint.h"
#include "pcw/base/json.h"
#include "pcw/base/time.h"

namespace pcw::sync {
namespace {

constexpr int kMostFailuresInRow = 10;
constexpr int kMostThrottlesInRow = 20;
constexpr std::size_t kMostSeen = 5000;
constexpr std::size_t kPartSlack = 64U << 10U;  // the record that makes a part full is part of it

bool IsSameVersion(const HeldRecord& held, const std::string& listed_version) {
  if (held.version == listed_version || held.listed == listed_version) return true;
  // The list may spell the same instant differently from the detail ("...30Z", "...30.000Z").
  const Result<WallTime> listed = ParseRfc3339(listed_version);
  return listed && *listed == held.modified_at;
}

// The version of a record that was not listed: what the list would call it if the record says so
// itself, else its bytes are all that tells one version from another.
std::string VersionIn(const connector::SourceDef& source, std::string_view body) {
  if (!source.version_member.empty()) {
    const Result<Json> record = ParseJson(body);
    const std::string member(source.version_member);
    if (record && record->is_object() && record->contains(member) && (*record)[member].is_string())
      return (*record)[member].get<std::string>();
  }
  return "sha256:" + Sha256Hex(body);
}

// When AWS served an answer; the run's clock, which is the database's, where it sent no Date.
std::string ServedAt(const std::optional<WallTime>& server_date, WallTime received_at) {
  return FormatRfc3339(server_date.value_or(received_at));
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
      fetcher_(deps.caller, options.fetch, deps.clock, deps.sleeper, stop),
      started_(deps.clock.Steady()),
      fetch_failures_(options.stop_at_fetch_failure_percent, options.stop_window) {
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
  for (const connector::SourceDef& source : def_.sources)
    PCW_TRY_OK(ListSource(source, modified_after));
  return FetchDeferred();
}

Status Scan::FetchAll(std::vector<DetailTask> tasks) {
  progress_.expected = static_cast<std::int64_t>(tasks.size());
  for (DetailTask& task : tasks) PCW_TRY_OK(Fetch(std::move(task), Pass::kFirst));
  return FetchDeferred();
}

Status Scan::FetchListed(std::set<std::string> ids) {
  wanted_ = std::move(ids);
  progress_.expected = static_cast<std::int64_t>(wanted_.size());
  return Run(std::nullopt);
}

Status Scan::FetchDeferred() {
  PCW_TRY_OK(DrainAll(Pass::kFirst));
  std::vector<DetailTask> deferred = std::exchange(deferred_, {});
  failures_in_row_ = 0;
  for (DetailTask& task : deferred) PCW_TRY_OK(Fetch(std::move(task), Pass::kDeferred));
  PCW_TRY_OK(DrainAll(Pass::kDeferred));
  return Flush();
}

// Nobody listed what an event names, so it may be a record that this account may not see. If none
// of the first few can be had, it is the account's permissions, and the run ends as any other does.
bool Scan::IsDeniedAlone(const Error& error, Pass pass) {
  if (options_.mode != RunMode::kFetch || error.code() != ErrorCode::kPermissionDenied)
    return false;
  if (fetched_by_name_ > 0) return true;
  return pass == Pass::kFirst && ++denied_ < kMostFailuresInRow;
}

Status Scan::ListSource(const connector::SourceDef& source,
                        std::optional<WallTime> modified_after) {
  PageSource pages(source, deps_.caller, deps_.clock,
                   {.catalog = options_.catalog,
                    .page_size = options_.page_size,
                    .mode = options_.mode,
                    .modified_after = modified_after},
                   stop_);
  for (bool is_last = false; !is_last;) {
    PCW_TRY(ListedPage page, pages.Next());
    is_last = page.is_last;
    PCW_TRY_OK(TakePage(source, std::move(page)));
  }
  return Ok{};
}

Result<std::vector<std::string>> Scan::ConfirmMissing() {
  for (const connector::SourceDef& source : def_.sources) {
    using Candidates = std::vector<MissingCandidate>;
    PCW_TRY(
        Candidates candidates, database_.Run<Candidates>(stop_, [&](pg::Connection& connection) {
          return table_.LoadMissingCandidates(connection, options_.catalog, run_id_, source, stop_);
        }));
    for (MissingCandidate& candidate : candidates) {
      // Where AWS has no call for one record, two full listings have to do.
      if (source.detail == nullptr) {
        confirmed_missing_.push_back(std::move(candidate.id));
        continue;
      }
      PCW_TRY_OK(Fetch({.source = &source,
                        .id = std::move(candidate.id),
                        .key = std::move(candidate.key),
                        .listed_version = ""},
                       Pass::kConfirm));
    }
  }
  PCW_TRY_OK(DrainAll(Pass::kConfirm));
  PCW_TRY_OK(Flush());
  return std::move(confirmed_missing_);
}

Status Scan::TakePage(const connector::SourceDef& source, ListedPage page) {
  for (const std::string& id : committer_.TakeSettledIds()) pending_.erase(id);
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
  listed_ += static_cast<std::int64_t>(page.items.size());
  pages_.push_back({.request_id = page.request_id,
                    .items = static_cast<int>(page.items.size()),
                    .first_id = page.items.empty() ? "" : page.items.front().id,
                    .last_id = page.items.empty() ? "" : page.items.back().id});
}

// True if the listed version is on its way or in the table, so that there is nothing to do.
bool Scan::CountIfKnown(const connector::SourceDef& source, const connector::PageItem& item,
                        const Held& held) {
  if (const auto pending = pending_.find(item.id);
      pending != pending_.end() &&
      (pending->second.rank > source.rank || pending->second.version == item.version)) {
    ++batch_.duplicate;
    ++progress_.settled;
    return true;
  }
  if (!wanted_.empty()) return false;  // asked for by name: whatever is held
  const auto stored = held.find(item.id);
  if (stored == held.end() || stored->second.rank < source.rank) return false;
  const bool tells_more = stored->second.rank > source.rank;
  if (!tells_more && !IsSameVersion(stored->second, item.version)) return false;
  const bool is_of_this_run = stored->second.last_seen_run == run_id_;
  // Details may have changed behind a version that did not: a full run asks for all of them, once.
  const bool is_only_a_hint = source.version_means == connector::ListedVersion::kHint &&
                              options_.mode == RunMode::kFull && !is_of_this_run;
  if (is_only_a_hint && !tells_more) return false;
  ++progress_.settled;
  if (is_of_this_run) {
    ++batch_.duplicate;
    return true;
  }
  ++batch_.skipped;
  ++progress_.skipped;
  // Only a full scan counts absence, so only it needs to know what it saw.
  if (options_.mode == RunMode::kFull) batch_.seen.push_back(item.id);
  return true;
}

Status Scan::TakeItem(const connector::SourceDef& source, const ListedPage& page,
                      connector::PageItem item, const Held& held) {
  if (!wanted_.empty() && !wanted_.contains(item.id)) return Ok{};
  // Its bytes are kept and it is a dead letter; what is held of it stays, and it is not missing.
  if (item.problem) {
    has_unnamed_ = has_unnamed_ || !item.has_id;
    if (options_.mode == RunMode::kFull && held.contains(item.id)) batch_.seen.push_back(item.id);
    return AppendListed(source, page, std::move(item));
  }
  if (CountIfKnown(source, item, held)) return Ok{};
  pending_[item.id] = {item.version, source.rank};
  if (!item.has_detail) return AppendListed(source, page, std::move(item));
  return Fetch({.source = &source,
                .id = std::move(item.id),
                .key = std::move(item.key),
                .listed_version = std::move(item.version)},
               Pass::kFirst);
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

Status Scan::Handle(FetchedDetail detail, Pass pass) {
  if (!detail.result) return HandleFailure(std::move(detail), pass);
  failures_in_row_ = 0;
  throttles_in_row_ = 0;
  if (options_.mode == RunMode::kFetch) ++fetched_by_name_;
  PCW_TRY_OK(NoteFetched(nullptr, pass));
  PCW_TRY_OK(Append(std::move(detail)));
  return HandOverIfDue();
}

Status Scan::HandleFailure(FetchedDetail detail, Pass pass) {
  Error error = std::move(detail.result).error();
  error.With("record", detail.task.id);
  const Pass asked_in = pass;
  switch (error.code()) {
    case ErrorCode::kThrottled:
      // The account is paused already. A spent day cannot be waited for; any other throttle only
      // delays this record.
      if (error.Find("reason") || ++throttles_in_row_ >= kMostThrottlesInRow) return error;
      fetcher_.Submit(std::move(detail.task));
      return Ok{};
    case ErrorCode::kNotFound:
      if (pass == Pass::kConfirm) {
        confirmed_missing_.push_back(std::move(detail.task.id));
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
    case ErrorCode::kPermissionDenied:
      if (!IsDeniedAlone(error, pass)) return error;
      break;
    case ErrorCode::kUnauthenticated:
    case ErrorCode::kConfig:
    case ErrorCode::kCancelled:
    case ErrorCode::kInternal:
      return error;
  }
  PCW_TRY_OK(NoteFetched(&error, asked_in));
  if (pass == Pass::kConfirm) return Ok{};  // not confirmed; the next full scan asks again
  if (pass == Pass::kFirst) {
    ++batch_.deferred;
    deferred_.push_back(std::move(detail.task));
    return Ok{};
  }
  // What a refetch asks for, where it is not the id.
  if (detail.task.key != detail.task.id) error.With("detail_key", detail.task.key);
  batch_.letters.push_back(dlq::MakeDeadLetter(error, dlq::Stage::kFetch, detail.task.id));
  pending_.erase(detail.task.id);
  ++progress_.settled;
  ++progress_.dead_letters;
  return HandOverIfDue();
}

// A run of whose records AWS does not give most would ask for each of them twice and leave as many
// letters. Only first tries count: what is asked for again has failed before.
Status Scan::NoteFetched(const Error* failure, Pass pass) {
  if (pass != Pass::kFirst) return Ok{};
  fetch_failures_.Note(failure != nullptr);
  if (failure == nullptr || !fetch_failures_.is_exceeded()) return Ok{};
  return Error(failure->code(),
               fmt::format("AWS did not give {} records, more than "
                           "sync.stop_at_fetch_failure_percent ({}) allows; the last answer: {}",
                           fetch_failures_.Worst(), options_.stop_at_fetch_failure_percent,
                           failure->message()))
      .With("reason", "too_many_fetch_failures");
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

Status Scan::Append(FetchedDetail detail) {
  OpenBatch();
  DetailTask& task = detail.task;
  aws::CallResult& call = detail.result->detail;
  lake::RecordMeta meta;
  meta.id = task.id;
  meta.operation = task.source->detail->name;
  meta.request_id = std::move(call.request_id);
  meta.fetched_at = FormatRfc3339(call.received_at);
  meta.served_at = ServedAt(call.server_date, call.received_at);
  meta.version = task.listed_version.empty() ? VersionIn(*task.source, call.body)
                                             : std::move(task.listed_version);
  meta.source = "get";
  meta.accepts_older = options_.accepts_older;
  lake::CompanionMeta companion;
  std::string_view companion_payload;
  if (const auto& other = detail.result->companion) {
    companion.operation = task.source->companion->name;
    companion.request_id = other->request_id;
    companion.fetched_at = FormatRfc3339(other->received_at);
    companion_payload = other->body;
  }
  batch_.records.push_back(
      {.id = std::move(task.id),
       .source = task.source,
       .is_sparse = false,
       .version = meta.version,
       .served_at = meta.served_at,
       .line = batch_.part.Append(meta, call.body, std::move(companion), companion_payload)});
  CountFetched();
  return Ok{};
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
