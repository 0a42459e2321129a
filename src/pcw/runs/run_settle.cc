#include "pcw/runs/run_settle.h"

#include <algorithm>
#include <array>
#include <utility>

#include "pcw/base/storable_text.h"
#include "pcw/base/time.h"
#include "pcw/base/uuid.h"
#include "pcw/runs/fetch_requests.h"
#include "pcw/runs/mapping_version.h"
#include "pcw/runs/run_store.h"

namespace pcw::runs {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kShortPause{1'000};
// Until a worker with the newer mapping takes it, or this one has read it.
constexpr milliseconds kOlderMappingPause{10'000};
// A continued run lists anew: with the first calls that free it would do nothing else (ADR 9).
constexpr milliseconds kQuotaGathers{600'000};

/// The run of a job as its row stands now.
struct RunNow {
  std::string status, error_code, reason;
  bool is_resumable = false;
  WallTime now{};  ///< the database's clock
  bool is_open() const { return status == "queued" || status == "running" || status == "stalled"; }
};

Result<RunNow> LockRun(pg::Connection& connection, const std::string& run_id,
                       std::stop_token stop) {
  PCW_TRY(
      const pg::Rows rows,
      connection.Exec(
          {"settle_run",
           "SELECT status, error_code, stats_json->>'reason', "
           "coalesce((stats_json->>'resumable')::boolean, false), (extract(epoch FROM pcw_now()) "
           "* 1000000)::bigint FROM "
           "ingestion_runs WHERE tenant_id = pcw_tenant() AND id = $1::uuid FOR "
           "UPDATE"},
          {run_id}, stop));
  if (rows.empty()) return Error(ErrorCode::kInternal, "the run of a job is not there");
  return RunNow{.status = std::string(rows.Text(0, 0)),
                .error_code = std::string(rows.Text(0, 1)),
                .reason = std::string(rows.Text(0, 2)),
                .is_resumable = rows.Bool(0, 3),
                .now = WallTime(std::chrono::microseconds(rows.Int(0, 4)))};
}

// A run that goes on where `before` ended; who asked for it stays.
Result<std::string> InsertSuccessor(pg::Connection& connection, const std::string& before,
                                    WallTime now, Rng& rng, std::stop_token stop) {
  std::string id = MakeUuidV7(now, rng);
  PCW_TRY_OK(connection.Exec(
      {"run_successor",
       "INSERT INTO ingestion_runs (tenant_id, id, connector_id, entity, mode, status, catalog, "
       "fence, requested_by, trigger, resumed_from, stats_json) SELECT tenant_id, $2::uuid, "
       "connector_id, entity, mode, 'queued', catalog, 0, requested_by, trigger, id, $3::jsonb "
       "FROM ingestion_runs WHERE tenant_id = pcw_tenant() AND id = $1::uuid"},
      {before, id, FormatStats(RunStats{})}, stop));
  return id;
}

// Ends an open run that nobody will work on any more.
Status EndOpenRun(pg::Connection& connection, const std::string& run_id,
                  connector::RunStatus status, std::string_view code, std::string_view text,
                  std::stop_token stop) {
  PCW_TRY_OK(connection.Exec(
      {"run_end_open",
       "UPDATE ingestion_runs SET status = $2, ended_at = pcw_now(), error_code = $3, error = $4, "
       "stats_json = stats_json || jsonb_build_object('resumable', true, 'reason', $3::text) WHERE "
       "tenant_id = pcw_tenant() AND id = $1::uuid AND ended_at IS NULL"},
      {run_id, std::string(NameOf(status)), std::string(code),
       StorableText(text, kMostErrorBytes, LineBreaks::kKeep)},
      stop));
  return Ok{};
}

// Errors that another attempt may not meet again.
bool MayPass(std::string_view code) {
  static constexpr std::array<std::string_view, 6> kPassing{
      "unavailable", "timeout", "throttled", "conflict", "abandoned", "cancelled"};
  return std::find(kPassing.begin(), kPassing.end(), code) != kPassing.end();
}

milliseconds UntilQuotaFrees(const std::optional<Error>& error, WallTime now) {
  const auto text = error ? error->Find("free_at") : std::nullopt;
  if (!text) return kQuotaGathers;
  const Result<WallTime> free_at = ParseRfc3339(*text);
  if (!free_at) return kQuotaGathers;
  const auto wait = std::chrono::duration_cast<milliseconds>(*free_at - now);
  return std::clamp(wait, milliseconds(0), milliseconds(std::chrono::hours(25))) + kQuotaGathers;
}

/// What is to be done with a job, decided from its run.
struct Verdict {
  std::optional<jobs::JobEnd> end{};  ///< absent: it goes back
  milliseconds delay{0};
  jobs::Counting counting = jobs::Counting::kCounted;
};

Verdict Judge(const RunNow& run, const jobs::Job& job, bool is_cancelled,
              const std::optional<Error>& error) {
  if (run.status == "succeeded" || run.status == "partial") return {.end = jobs::JobEnd::kDone};
  if (is_cancelled || run.status == "cancelled") return {.end = jobs::JobEnd::kCancelled};
  if (run.reason == "drained") return {.counting = jobs::Counting::kForgiven};
  if (run.reason == "quota_spent")
    return {.delay = UntilQuotaFrees(error, run.now), .counting = jobs::Counting::kForgiven};
  const std::string code =
      run.is_open() && error ? std::string(NameOf(error->code())) : run.error_code;
  if (run.is_open() && error && error->Find("reason") == kOlderMapping)
    return {.delay = kOlderMappingPause, .counting = jobs::Counting::kForgiven};
  const bool is_held = run.is_open() && code == "conflict";  // another process syncs the entity
  if (is_held) return {.delay = kShortPause, .counting = jobs::Counting::kForgiven};
  if (run.is_open() && code == "cancelled")  // drained before it began
    return {.counting = jobs::Counting::kForgiven};
  // A database or an AWS that is away is not a fault of the job while nothing was begun.
  const bool is_tried_out = job.attempts >= kMostAttempts;
  if (MayPass(code) && !is_tried_out) return {.delay = PauseAfter(job.attempts)};
  return {.end = jobs::JobEnd::kFailed};
}

pg::Param CodeOf(const RunNow& run, const std::optional<Error>& error) {
  if (!run.error_code.empty()) return run.error_code;
  return error ? pg::Param(std::string(NameOf(error->code()))) : std::nullopt;
}

// Ends or puts back, in the caller's transaction.
Result<JobOutcome> Carry(pg::Connection& connection, const jobs::Job& job, const RunNow& run,
                         const Verdict& verdict, const std::optional<Error>& error, Rng& rng,
                         std::stop_token stop) {
  if (verdict.end) {
    if (run.is_open()) {
      const bool is_cancel = *verdict.end == jobs::JobEnd::kCancelled;
      PCW_TRY_OK(
          EndOpenRun(connection, job.run_id,
                     is_cancel ? connector::RunStatus::kCancelled : connector::RunStatus::kFailed,
                     is_cancel ? "cancelled" : CodeOf(run, error).value_or("abandoned"),
                     is_cancel ? "cancelled on request"
                     : error   ? error->ToString()
                               : "its workers ended without finishing it, several times",
                     stop));
    }
    // What it was to fetch waits a while: the next run would meet the same trouble.
    if (job.mode == NameOf(connector::RunMode::kFetch) && *verdict.end != jobs::JobEnd::kDone)
      PCW_TRY_OK(PostponeFetchRequests(connection, job.connector_id, job.entity, stop));
    PCW_TRY_OK(jobs::FinishJob(connection, job, *verdict.end, CodeOf(run, error), stop));
    return JobOutcome::kEnded;
  }
  std::string run_id = job.run_id;
  if (run.status != "queued") {
    // Its end could not be stored when its worker gave up, and nobody else may ever come to it.
    if (run.is_open()) {
      PCW_TRY_OK(EndOpenRun(connection, job.run_id, connector::RunStatus::kFailed,
                            CodeOf(run, error).value_or("abandoned"),
                            error ? error->ToString() : "its worker ended without finishing it",
                            stop));
    }
    PCW_TRY(run_id, InsertSuccessor(connection, job.run_id, run.now, rng, stop));
  }
  PCW_TRY_OK(jobs::RequeueJob(connection, job, run_id, verdict.delay, verdict.counting, stop));
  return JobOutcome::kPutBack;
}

Error LostJob(const jobs::Job& job) {
  return Error(ErrorCode::kConflict, "the job was taken over by another worker")
      .With("job", job.id);
}

}  // namespace

bool MayStoreLater(const Error& error) { return MayPass(NameOf(error.code())); }

Status AbandonJob(pg::Connection& connection, const jobs::Job& job, std::stop_token stop) {
  PCW_TRY(pg::Transaction transaction, pg::Transaction::Begin(connection, "abandon job", stop));
  PCW_TRY(const jobs::Beat held, jobs::LockJob(connection, job, stop));
  if (!held.is_ours) return LostJob(job);
  PCW_TRY_OK(jobs::FinishJob(connection, job, jobs::JobEnd::kFailed,
                             std::string(NameOf(ErrorCode::kInternal)), stop));
  return transaction.Commit();
}

milliseconds PauseAfter(int attempts) {
  const int doublings = std::clamp(attempts - 1, 0, 6);
  return std::min(milliseconds(5'000) * (1 << doublings), milliseconds(300'000));
}

Result<std::optional<std::string>> PrepareJob(pg::Connection& connection, jobs::Job& job, Rng& rng,
                                              std::stop_token stop) {
  PCW_TRY(pg::Transaction transaction, pg::Transaction::Begin(connection, "prepare job", stop));
  PCW_TRY(const jobs::Beat held, jobs::LockJob(connection, job, stop));
  if (!held.is_ours) return LostJob(job);
  PCW_TRY(const RunNow run, LockRun(connection, job.run_id, stop));
  const bool is_given_up = run.is_open() && job.is_takeover && job.attempts > kMostAttempts;
  if (run.is_open() && !held.is_cancelled && !is_given_up) {
    std::string run_id = job.run_id;
    if (run.status != "queued") {
      PCW_TRY(run_id, InsertSuccessor(connection, job.run_id, run.now, rng, stop));
      PCW_TRY_OK(jobs::RepointJob(connection, job, run_id, stop));
    }
    PCW_TRY_OK(transaction.Commit());
    job.run_id = run_id;
    return std::optional<std::string>(run_id);
  }
  const Verdict verdict = is_given_up ? Verdict{.end = jobs::JobEnd::kFailed}
                                      : Judge(run, job, held.is_cancelled, std::nullopt);
  PCW_TRY_OK(Carry(connection, job, run, verdict, std::nullopt, rng, stop));
  PCW_TRY_OK(transaction.Commit());
  return std::optional<std::string>();
}

Result<JobOutcome> SettleJob(pg::Connection& connection, const jobs::Job& job,
                             const std::optional<Error>& error, Rng& rng, std::stop_token stop) {
  PCW_TRY(pg::Transaction transaction, pg::Transaction::Begin(connection, "settle job", stop));
  PCW_TRY(const jobs::Beat held, jobs::LockJob(connection, job, stop));
  if (!held.is_ours) return LostJob(job);
  PCW_TRY(const RunNow run, LockRun(connection, job.run_id, stop));
  const Verdict verdict = Judge(run, job, held.is_cancelled, error);
  PCW_TRY(const JobOutcome outcome, Carry(connection, job, run, verdict, error, rng, stop));
  PCW_TRY_OK(transaction.Commit());
  return outcome;
}

}  // namespace pcw::runs
