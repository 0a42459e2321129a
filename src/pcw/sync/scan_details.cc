// What becomes of the details that a scan asked for. The listing is in scan.cc.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/failpoint.h"
#include "pcw/base/json.h"
#include "pcw/base/log.h"
#include "pcw/base/time.h"
#include "pcw/sync/scan.h"

namespace pcw::sync {
namespace {

constexpr std::size_t kMostExamples = 5;
constexpr int kMostHeldAsked = 3;

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

}  // namespace

Status Scan::Handle(FetchedDetail detail, Pass pass) {
  if (!detail.result) return HandleFailure(std::move(detail), pass);
  throttles_in_row_ = 0;
  NoteSuccess(detail.task);
  PCW_TRY_OK(NoteFetched(nullptr, pass));
  PCW_TRY_OK(Append(std::move(detail)));
  return HandOverIfDue();
}

void Scan::NoteSuccess(const DetailTask& task) {
  has_fetched_ = true;
  denials_.NoteSuccess(task.source->detail->name);
  if (task.source->companion != nullptr) denials_.NoteSuccess(task.source->companion->name);
}

Status Scan::HandleFailure(FetchedDetail detail, Pass pass) {
  Error error = std::move(detail.result).error();
  DetailTask& task = detail.task;
  error.With("record", task.id);
  const bool is_throttled = error.code() == ErrorCode::kThrottled;
  throttles_in_row_ = is_throttled ? throttles_in_row_ + 1 : 0;
  const FailureOutcome outcome = OutcomeOfFailure({.code = error.code(),
                                                   .pass = pass,
                                                   .is_day_spent = error.Is(Reason::kQuotaSpent),
                                                   .throttles_in_row = throttles_in_row_,
                                                   .may_be_absent = task.source->may_be_absent});
  switch (outcome) {
    case FailureOutcome::kStopRun:
      return error;
    case FailureOutcome::kSubmitAgain:
      fetcher_.Submit(std::move(task));
      return Ok{};
    case FailureOutcome::kAbsent:
      NoteSuccess(task);
      PCW_TRY_OK(NoteFetched(nullptr, pass));
      return AddAbsent(task);
    case FailureOutcome::kGone:
      confirm_failures_.Note(false);
      confirmed_missing_.push_back(std::move(task.id));
      return Ok{};
    case FailureOutcome::kUnconfirmed:
      confirm_failures_.Note(true);
      return Ok{};
    case FailureOutcome::kDefer:
      PCW_TRY_OK(NoteFetched(&error, pass));
      ++batch_.deferred;
      deferred_.push_back({std::move(task), std::move(error)});
      return Ok{};
    case FailureOutcome::kDeadLetter:
      PCW_TRY_OK(NoteFetched(&error, pass));
      return AddDeadLetter(task, std::move(error));
    case FailureOutcome::kWeighDenial:
      PCW_TRY_OK(NoteFetched(&error, pass));
      return AddDenial(std::move(task), std::move(error));
  }
  return error;
}

// A run of whose records AWS does not give most would ask for each of them twice and leave as many
// dead letters. Only first tries of records that did not fail before count: the others are known to
// fail, and would be all that is left to ask for once the rest is held.
Status Scan::NoteFetched(const Error* failure, Pass pass) {
  if (pass == Pass::kConfirm) confirm_failures_.Note(failure != nullptr);
  if (pass != Pass::kFirst) return Ok{};
  fetch_failures_.Note(failure != nullptr);
  if (failure == nullptr) return Ok{};
  ++failures_[failure->code()];
  if (!fetch_failures_.is_exceeded()) return Ok{};
  return Error(CodeOfStop(failures_),
               fmt::format("AWS did not give {} records, more than "
                           "sync.stop_at_fetch_failure_percent ({}) allows; the last answer: {}",
                           fetch_failures_.Worst(), options_.stop_at_fetch_failure_percent,
                           failure->message()))
      .Because(Reason::kTooManyFetchFailures);
}

Status Scan::AddDeadLetter(const DetailTask& task, Error error) {
  // What a refetch asks for, where it is not the id.
  if (task.key != task.id) error.With("detail_key", task.key);
  batch_.letters.push_back(dlq::MakeDeadLetter(error, dlq::Stage::kFetch, task.id));
  batch_.letter_ranks.push_back(task.source->rank);
  // It was listed, so it is there, whatever became of its details (I6). Who was only asked for by
  // name may be gone.
  if (options_.mode != connector::RunMode::kFetch) batch_.seen.push_back(task.id);
  if (const auto pending = pending_.find(task.id); pending != pending_.end())
    pending->second.has_failed = true;
  ++progress_.settled;
  ++progress_.dead_letters;
  return HandOverIfDue();
}

// AWS has no such record and need not have one. A row of it stays as AWS last told.
Status Scan::AddAbsent(const DetailTask& task) {
  batch_.absent.push_back(task.id);
  if (options_.mode != connector::RunMode::kFetch) batch_.seen.push_back(task.id);
  if (task.is_held) {
    ++rows_without_record_;
    if (kept_without_record_.size() < kMostExamples) kept_without_record_.push_back(task.id);
  }
  ++progress_.settled;
  ++progress_.fetched;
  return HandOverIfDue();
}

std::string Scan::AbsenceFinding() const {
  if (rows_without_record_ == 0) return "";
  return fmt::format(
      "AWS has no {} record any more for {} rows, among them {}: they keep what AWS told last",
      def_.name, rows_without_record_, fmt::join(kept_without_record_, ", "));
}

Status Scan::AddDenial(DetailTask task, Error error) {
  const std::string operation(OperationOf(task, error));
  // The companion is asked for only behind a detail that was given.
  if (operation != task.source->detail->name) denials_.NoteSuccess(task.source->detail->name);
  if (denials_.Works(operation)) return AddDeadLetter(task, std::move(error));
  if (!denials_.Add({std::move(task), std::move(error)})) return Ok{};
  return DecideDenials(operation);
}

// Records of their own are dead letters; a permission that the account lacks ends the run, with
// AWS's words. Where this run has no success to go by, records that are held are asked for: they
// were given once.
Status Scan::DecideDenials(const std::string& operation) {
  if (!denials_.Works(operation)) {
    const DeniedDetail& first = denials_.waiting(operation).front();
    PCW_TRY(std::optional<Error> refused, AskForHeld(first));
    if (refused) {
      const bool is_many = denials_.waiting(operation).size() >= Denials::kMostWithoutSuccess;
      // Nobody listed what an event names, so it may be a record that this account may not see.
      const bool is_by_name = options_.mode == connector::RunMode::kFetch && !is_many &&
                              refused->code() != ErrorCode::kPermissionDenied;
      if (!is_by_name) return first.error;
    } else {
      denials_.NoteSuccess(operation);
    }
  }
  for (DeniedDetail& denied : denials_.Take(operation))
    PCW_TRY_OK(AddDeadLetter(denied.task, std::move(denied.error)));
  return Ok{};
}

// Whether the operation that was denied works for a record that is held: nullopt = it does, else
// why that could not be shown.
Result<std::optional<Error>> Scan::AskForHeld(const DeniedDetail& denied) {
  const connector::SourceDef& source = *denied.task.source;
  const std::string_view operation = OperationOf(denied.task, denied.error);
  std::unordered_set<std::string_view> failed;
  for (const DeniedDetail& other : denials_.waiting(operation)) failed.insert(other.task.id);
  using Rows = std::vector<tables::HeldKey>;
  PCW_TRY(Rows rows, database_.Run<Rows>(stop_, [&](pg::Connection& connection) {
    return table_.LoadRecentlyChanged(connection, options_.catalog, source, stop_);
  }));
  std::optional<Error> refused(Error(ErrorCode::kNotFound, "no other record is held"));
  int asked = 0;
  for (tables::HeldKey& row : rows) {
    if (failed.contains(row.id) || failed_before_.contains(row.id)) continue;
    if (asked++ == kMostHeldAsked) break;
    Result<DetailAnswer> answer = fetcher_.FetchNow({.source = &source,
                                                     .id = std::move(row.id),
                                                     .key = std::move(row.key),
                                                     .listed_version = "",
                                                     .is_held = true});
    if (answer) return std::optional<Error>();
    const ErrorCode code = answer.error().code();
    if (code == ErrorCode::kNotFound) return std::optional<Error>();  // AWS looked: it may be asked
    if (code == ErrorCode::kCancelled || code == ErrorCode::kThrottled) return answer.error();
    refused = std::move(answer).error();
  }
  return refused;
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
       .line = batch_.part.Append(meta, call.body, std::move(companion), companion_payload,
                                  call.is_well_formed ? lake::Form::kGood : lake::Form::kUnknown)});
  CountFetched();
  return Ok{};
}

}  // namespace pcw::sync
