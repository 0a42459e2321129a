#include "pcw/runs/run_request.h"

#include <optional>
#include <utility>

#include "pcw/base/uuid.h"
#include "pcw/jobs/job_requests.h"
#include "pcw/runs/request_rules.h"

namespace pcw::runs {
namespace {

// An open run counts while a job stands behind it or its process holds the entity's lease.
Result<std::optional<StoredRun>> OpenRunOf(pg::Connection& connection, std::int64_t connector_id,
                                           const RunRequest& request, std::stop_token stop) {
  PCW_TRY(
      const pg::Rows rows,
      connection.Exec(
          {"run_open",
           "SELECT r.id FROM ingestion_runs r WHERE r.tenant_id = pcw_tenant() AND "
           "r.connector_id = $1::bigint AND r.entity = $2 AND r.ended_at IS NULL AND r.mode IN "
           "('full', 'incremental', 'fetch') AND (r.mode = 'fetch') = ($3 = 'fetch') AND (EXISTS "
           "(SELECT FROM jobs j WHERE j.tenant_id = "
           "r.tenant_id AND j.run_id = r.id AND j.state IN ('queued', 'running')) OR EXISTS "
           "(SELECT FROM leases l WHERE l.tenant_id = r.tenant_id AND l.connector_id = "
           "r.connector_id AND l.entity = r.entity AND l.run_id = r.id AND l.expires_at >= now())) "
           "ORDER BY r.requested_at DESC LIMIT 1"},
          {std::to_string(connector_id), request.entity, std::string(KindOf(request.mode))}, stop));
  if (rows.empty()) return std::optional<StoredRun>();
  PCW_TRY(StoredRun run, LoadRun(connection, rows.Text(0, 0), stop));
  return std::optional<StoredRun>(std::move(run));
}

Status InsertQueuedRun(pg::Connection& connection, std::int64_t connector_id,
                       std::string_view catalog, const RunRequest& request,
                       const std::string& run_id, const std::string& job_id, std::stop_token stop) {
  // What no process and no job stands behind is over (I8); re-ingests are not ours to judge.
  PCW_TRY_OK(connection.Exec(
      {"runs_abandon_orphans",
       "UPDATE ingestion_runs SET status = 'failed', ended_at = now(), error_code = 'abandoned', "
       "error = 'the process that ran it ended without finishing it; a later run goes on', "
       "stats_json = stats_json || '{\"resumable\": true, \"reason\": \"abandoned\"}' WHERE "
       "tenant_id = pcw_tenant() AND connector_id = $1::bigint AND entity = $2 AND ended_at IS "
       "NULL AND mode IN ('full', 'incremental', 'fetch') AND (mode = 'fetch') = ($3 = 'fetch')"},
      {std::to_string(connector_id), request.entity, std::string(KindOf(request.mode))}, stop));
  // A run ends before its job does. Whoever asks in between ends the job in its worker's place,
  // which has nothing more to decide, and does not have to ask again.
  PCW_TRY_OK(connection.Exec(
      {"jobs_end_done",
       "UPDATE jobs j SET state = CASE r.status WHEN 'cancelled' THEN 'cancelled' ELSE 'done' END, "
       "ended_at = clock_timestamp(), holder = NULL, lease_expires_at = NULL FROM ingestion_runs r "
       "WHERE j.tenant_id = pcw_tenant() AND j.connector_id = $1::bigint AND j.entity = $2 AND "
       "j.state = 'running' AND r.tenant_id = j.tenant_id AND r.id = j.run_id AND r.status IN "
       "('succeeded', 'partial', 'cancelled')"},
      {std::to_string(connector_id), request.entity}, stop));
  PCW_TRY_OK(connection.Exec(
      {"run_queue",
       "INSERT INTO ingestion_runs (tenant_id, id, connector_id, entity, mode, status, catalog, "
       "fence, requested_by, trigger, stats_json) VALUES (pcw_tenant(), $1::uuid, $2::bigint, $3, "
       "$4, 'queued', $5, 0, $6, $7, $8::jsonb)"},
      {run_id, std::to_string(connector_id), request.entity, std::string(NameOf(request.mode)),
       std::string(catalog), request.requested_by, request.trigger, FormatStats(RunStats{})},
      stop));
  PCW_TRY_OK(jobs::QueueJob(connection,
                            {.id = job_id,
                             .kind = std::string(KindOf(request.mode)),
                             .entity = request.entity,
                             .mode = std::string(NameOf(request.mode)),
                             .run_id = run_id,
                             .requested_by = request.requested_by,
                             .trigger = request.trigger,
                             .connector_id = connector_id,
                             .priority = PriorityOf(request.trigger)},
                            stop));
  PCW_TRY_OK(connection.Exec({"jobs_wake", "SELECT pg_notify($1, '')"}, {std::string(kJobsChannel)},
                             stop));
  return Ok{};
}

}  // namespace

Result<RequestedRun> RequestRunWithin(pg::Transaction& transaction, std::int64_t connector_id,
                                      std::string_view catalog, const RunRequest& request, Rng& rng,
                                      Clock& clock, std::stop_token stop) {
  pg::Connection& connection = transaction.connection();
  // One at a time for an entity: whoever waited sees what the one before him made.
  // Ids of runs sort by the database's clock.
  PCW_TRY(const pg::Rows locked,
          connection.Exec(
              {"run_request_lock",
               "SELECT (extract(epoch FROM pcw_now()) * 1000000)::bigint, "
               "pg_advisory_xact_lock(hashtextextended('pcw request ' || pcw_tenant()::text || '/' "
               "|| $1 || '/' || $2, 0))"},
              {std::to_string(connector_id), request.entity}, stop));
  PCW_TRY(std::optional<StoredRun> open, OpenRunOf(connection, connector_id, request, stop));
  if (open) return RequestedRun{.run = std::move(*open), .is_new = false};
  const WallTime now{std::chrono::microseconds(locked.Int(0, 0))};
  const std::string run_id = MakeUuidV7(now, rng);
  const std::string job_id = MakeUuidV7(clock.Now(), rng);
  PCW_TRY_OK(InsertQueuedRun(connection, connector_id, catalog, request, run_id, job_id, stop));
  PCW_TRY(StoredRun run, LoadRun(connection, run_id, stop));
  return RequestedRun{.run = std::move(run), .is_new = true};
}

Result<RequestedRun> RequestRun(pg::Connection& connection, std::int64_t connector_id,
                                std::string_view catalog, const RunRequest& request, Rng& rng,
                                Clock& clock, std::stop_token stop) {
  // Most repeated triggers end here, without a transaction and without waiting for each other.
  PCW_TRY(std::optional<StoredRun> open, OpenRunOf(connection, connector_id, request, stop));
  if (open) return RequestedRun{.run = std::move(*open), .is_new = false};
  PCW_TRY(pg::Transaction transaction, pg::Transaction::Begin(connection, "request run", stop));
  PCW_TRY(RequestedRun requested,
          RequestRunWithin(transaction, connector_id, catalog, request, rng, clock, stop));
  PCW_TRY_OK(transaction.Commit());
  return requested;
}

Status RequestCancel(pg::Connection& connection, std::string_view run_id, std::stop_token stop) {
  PCW_TRY(const StoredRun run, LoadRun(connection, run_id, stop));
  PCW_TRY(pg::Transaction transaction, pg::Transaction::Begin(connection, "cancel run", stop));
  // The job's row first, as the worker does, so that a claim either came before or finds it ended.
  PCW_TRY(const std::optional<std::string> job, jobs::LockOpenJobOfRun(connection, run.id, stop));
  PCW_TRY(const pg::Rows state,
          connection.Exec({"cancel_run_lock",
                           "SELECT r.status, coalesce(l.holder, 'a command line') FROM "
                           "ingestion_runs r LEFT JOIN leases l ON l.tenant_id = r.tenant_id AND "
                           "l.connector_id = r.connector_id AND l.entity = r.entity AND l.run_id = "
                           "r.id WHERE r.tenant_id = pcw_tenant() AND r.id = $1::uuid FOR UPDATE "
                           "OF r"},
                          {run.id}, stop));
  const CancelTarget target{.run_id = run.id,
                            .status = state.Text(0, 0),
                            .job_state = job ? std::string_view(*job) : std::string_view(),
                            .holder = state.Text(0, 1)};
  PCW_TRY_OK(CheckCancel(target));
  PCW_TRY_OK(connection.Exec(
      {"run_cancel",
       "UPDATE ingestion_runs SET cancel_requested_at = coalesce(cancel_requested_at, now()), "
       "status = CASE WHEN $2::boolean THEN 'cancelled' ELSE status END, ended_at = CASE WHEN "
       "$2::boolean THEN now() ELSE ended_at END, error_code = CASE WHEN $2::boolean THEN "
       "'cancelled' ELSE error_code END, error = CASE WHEN $2::boolean THEN 'cancelled before it "
       "began' ELSE error END WHERE tenant_id = pcw_tenant() AND id = $1::uuid"},
      {run.id, EndsAtOnce(target) ? "true" : "false"}, stop));
  PCW_TRY_OK(jobs::CancelJobOfRun(connection, run.id, stop));
  return transaction.Commit();
}

}  // namespace pcw::runs
