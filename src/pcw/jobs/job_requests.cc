#include "pcw/jobs/job_requests.h"

namespace pcw::jobs {

Status QueueJob(pg::Connection& connection, const NewJob& job, std::stop_token stop) {
  PCW_TRY_OK(connection.Exec(
      {"job_queue",
       "INSERT INTO jobs (tenant_id, id, kind, connector_id, entity, mode, run_id, priority, "
       "requested_by, trigger) VALUES (pcw_tenant(), $1::uuid, $9, $2::bigint, $3, $4, "
       "$5::uuid, $6::smallint, $7, $8)"},
      {job.id, std::to_string(job.connector_id), job.entity, job.mode, job.run_id,
       std::to_string(job.priority), job.requested_by, job.trigger, job.kind},
      stop));
  return Ok{};
}

Result<std::optional<std::string>> LockOpenJobOfRun(pg::Connection& connection,
                                                    std::string_view run_id, std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"cancel_job_lock",
                           "SELECT state FROM jobs WHERE tenant_id = pcw_tenant() AND run_id = "
                           "$1::uuid AND state IN ('queued', 'running') FOR UPDATE"},
                          {std::string(run_id)}, stop));
  if (rows.empty()) return std::optional<std::string>();
  return std::optional<std::string>(std::string(rows.Text(0, 0)));
}

Status CancelJobOfRun(pg::Connection& connection, std::string_view run_id, std::stop_token stop) {
  PCW_TRY_OK(connection.Exec(
      {"job_cancel",
       "UPDATE jobs SET cancel_requested_at = coalesce(cancel_requested_at, now()), state = CASE "
       "WHEN state = 'queued' THEN 'cancelled' ELSE state END, ended_at = CASE WHEN state = "
       "'queued' THEN now() ELSE ended_at END WHERE tenant_id = pcw_tenant() AND run_id = "
       "$1::uuid AND state IN ('queued', 'running')"},
      {std::string(run_id)}, stop));
  return Ok{};
}

Result<std::optional<std::chrono::seconds>> NewestJobWaits(pg::Connection& connection,
                                                           std::string_view entity,
                                                           std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"doctor_queued",
                           "SELECT extract(epoch FROM now() - max(not_before))::bigint FROM jobs "
                           "WHERE tenant_id = pcw_tenant() AND entity = $1 AND state = 'queued' "
                           "AND not_before < now()"},
                          {std::string(entity)}, stop));
  if (!rows.At(0, 0)) return std::optional<std::chrono::seconds>();
  return std::optional<std::chrono::seconds>(std::chrono::seconds(rows.Int(0, 0)));
}

Status PruneJobs(pg::Connection& connection, std::stop_token stop) {
  PCW_TRY_OK(connection.Exec({"jobs_prune", "SELECT jobs_prune(interval '7 days')"}, {}, stop));
  return Ok{};
}

}  // namespace pcw::jobs
