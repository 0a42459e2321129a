#include "pcw/runs/run_settle.h"

#include <utility>

#include "pcw/base/storable_text.h"
#include "pcw/base/uuid.h"
#include "pcw/runs/fetch_requests.h"
#include "pcw/runs/mapping_version.h"
#include "pcw/runs/run_store.h"

namespace pcw::runs {
namespace {

Result<RunNow> LockRun(pg::Connection& connection, const std::string& run_id,
                       std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"settle_run",
                           "SELECT status, error_code, stats_json->>'reason', "
                           "(extract(epoch FROM pcw_now()) * 1000000)::bigint FROM ingestion_runs "
                           "WHERE tenant_id = pcw_tenant() AND id = $1::uuid FOR "
                           "UPDATE"},
                          {run_id}, stop));
  if (rows.empty()) return Error(ErrorCode::kInternal, "the run of a job is not there");
  return RunNow{.status = std::string(rows.Text(0, 0)),
                .error_code = std::string(rows.Text(0, 1)),
                .reason = ReasonNamed(rows.Text(0, 2)),
                .now = WallTime(std::chrono::microseconds(rows.Int(0, 3)))};
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

pg::Param CodeOf(const RunNow& run, const std::optional<Error>& error) {
  if (!run.error_code.empty()) return run.error_code;
  return error ? pg::Param(std::string(NameOf(error->code()))) : std::nullopt;
}

// Ends or puts back, in the caller's transaction.
Result<JobOutcome> Carry(pg::Connection& connection, const jobs::Job& job, const RunNow& run,
                         const JobVerdict& verdict, const std::optional<Error>& error, Rng& rng,
                         std::stop_token stop) {
  if (verdict.end) {
    if (run.is_open()) {
      const bool is_cancel = *verdict.end == jobs::JobEnd::kCancelled;
      PCW_TRY_OK(
          EndOpenRun(connection, job.run_id,
                     is_cancel ? connector::RunStatus::kCancelled : connector::RunStatus::kFailed,
                     is_cancel ? std::string(NameOf(ErrorCode::kCancelled))
                               : CodeOf(run, error).value_or(std::string(kAbandoned)),
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
                            CodeOf(run, error).value_or(std::string(kAbandoned)),
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

bool MayStoreLater(const Error& error) { return MayPass(error.code()); }

Status AbandonJob(pg::Connection& connection, const jobs::Job& job, std::stop_token stop) {
  PCW_TRY(pg::Transaction transaction, pg::Transaction::Begin(connection, "abandon job", stop));
  PCW_TRY(const jobs::Beat held, jobs::LockJob(connection, job, stop));
  if (!held.is_ours) return LostJob(job);
  PCW_TRY_OK(jobs::FinishJob(connection, job, jobs::JobEnd::kFailed,
                             std::string(NameOf(ErrorCode::kInternal)), stop));
  return transaction.Commit();
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
  const JobVerdict verdict = is_given_up
                                 ? JobVerdict{.end = jobs::JobEnd::kFailed}
                                 : JudgeJob(run, job.attempts, held.is_cancelled, std::nullopt);
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
  const JobVerdict verdict = JudgeJob(run, job.attempts, held.is_cancelled, error);
  PCW_TRY(const JobOutcome outcome, Carry(connection, job, run, verdict, error, rng, stop));
  PCW_TRY_OK(transaction.Commit());
  return outcome;
}

}  // namespace pcw::runs
