#include "pcw/jobs/job_queue.h"

#include <algorithm>

namespace pcw::jobs {
namespace {

constexpr std::chrono::milliseconds kBetweenThoroughLooks{2'000};

std::string Text(std::int64_t number) { return std::to_string(number); }

// Exactly one row, or the job belongs to somebody else by now.
Status ExpectOurs(const pg::Rows& rows, const Job& job) {
  if (rows.affected() == 1) return Ok{};
  return Error(ErrorCode::kConflict, "the job was taken over by another worker")
      .With("job", job.id);
}

}  // namespace

std::string_view NameOf(JobEnd end) {
  switch (end) {
    case JobEnd::kDone:
      return "done";
    case JobEnd::kFailed:
      return "failed";
    case JobEnd::kCancelled:
      return "cancelled";
  }
  return "failed";
}

Result<std::optional<Job>> ClaimJob(pg::Connection& connection, const std::string& holder,
                                    const ClaimTerms& terms, Look look, std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"job_claim",
                           "SELECT tenant_id, id, connector_id, entity, mode, run_id, attempts, "
                           "claim, trigger, requested_by, is_takeover FROM jobs_claim($1, "
                           "$2::bigint * interval '1 millisecond', $3::bigint * interval '1 "
                           "millisecond', $4::boolean)"},
                          {holder, Text(terms.lease.count()), Text(terms.stall_after.count()),
                           look == Look::kThorough ? "true" : "false"},
                          stop));
  if (rows.empty()) return std::optional<Job>();
  const auto text = [&](std::size_t column) { return std::string(rows.Text(0, column)); };
  return std::optional<Job>(Job{.tenant_id = text(0),
                                .id = text(1),
                                .entity = text(3),
                                .mode = text(4),
                                .run_id = text(5),
                                .trigger = text(8),
                                .requested_by = text(9),
                                .connector_id = rows.Int(0, 2),
                                .claim = rows.Int(0, 7),
                                .attempts = static_cast<int>(rows.Int(0, 6)),
                                .is_takeover = rows.Bool(0, 10)});
}

Look ClaimPace::Next() {
  const SteadyTime now = clock_.Steady();
  SteadyTime next = next_thorough_.load();
  if (now < next || !next_thorough_.compare_exchange_strong(next, now + kBetweenThoroughLooks))
    return Look::kQuick;
  return Look::kThorough;
}

std::chrono::milliseconds ClaimPace::UntilThorough() const {
  return std::max(std::chrono::milliseconds(0),
                  std::chrono::duration_cast<std::chrono::milliseconds>(next_thorough_.load() -
                                                                        clock_.Steady()));
}

Result<std::optional<std::chrono::milliseconds>> NextClaimIn(pg::Connection& connection,
                                                             std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"job_next",
                           "SELECT (extract(epoch FROM jobs_next_at() - clock_timestamp()) * "
                           "1000)::bigint"},
                          {}, stop));
  if (!rows.At(0, 0)) return std::optional<std::chrono::milliseconds>();
  return std::optional(std::chrono::milliseconds(std::max<std::int64_t>(0, rows.Int(0, 0))));
}

Result<Beat> BeatJob(pg::Connection& connection, const Job& job, std::int64_t progress,
                     const ClaimTerms& terms, std::stop_token stop) {
  PCW_TRY(
      const pg::Rows rows,
      connection.Exec(
          {"job_beat",
           "UPDATE jobs SET heartbeat_at = clock_timestamp(), lease_expires_at = clock_timestamp() "
           "+ $3::bigint * interval '1 millisecond', progress_at = CASE WHEN progress <> "
           "$4::bigint THEN clock_timestamp() ELSE progress_at END, stalls_at = CASE WHEN progress "
           "<> $4::bigint THEN clock_timestamp() ELSE progress_at END + $5::bigint * interval '1 "
           "millisecond', progress = $4::bigint WHERE "
           "tenant_id = pcw_tenant() AND id = $1::uuid AND claim = $2::bigint AND state = "
           "'running' RETURNING cancel_requested_at IS NOT NULL, (extract(epoch FROM "
           "clock_timestamp() - progress_at) * 1000)::bigint"},
          {job.id, Text(job.claim), Text(terms.lease.count()), Text(progress),
           Text(terms.stall_after.count())},
          stop));
  if (rows.empty()) return Beat{};
  return Beat{.is_ours = true,
              .is_cancelled = rows.Bool(0, 0),
              .since_progress = std::chrono::milliseconds(rows.Int(0, 1))};
}

Result<Beat> LockJob(pg::Connection& connection, const Job& job, std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"job_lock",
                           "SELECT cancel_requested_at IS NOT NULL FROM jobs WHERE tenant_id = "
                           "pcw_tenant() AND id = $1::uuid AND claim = $2::bigint AND state = "
                           "'running' FOR UPDATE"},
                          {job.id, Text(job.claim)}, stop));
  if (rows.empty()) return Beat{};
  return Beat{.is_ours = true, .is_cancelled = rows.Bool(0, 0), .since_progress = {}};
}

Status FinishJob(pg::Connection& connection, const Job& job, JobEnd end,
                 const pg::Param& error_code, std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"job_finish",
                           "UPDATE jobs SET state = $3, ended_at = clock_timestamp(), holder = "
                           "NULL, lease_expires_at = NULL, error_code = $4 WHERE tenant_id = "
                           "pcw_tenant() AND id = $1::uuid AND claim = $2::bigint AND state = "
                           "'running'"},
                          {job.id, Text(job.claim), std::string(NameOf(end)), error_code}, stop));
  return ExpectOurs(rows, job);
}

Status RequeueJob(pg::Connection& connection, const Job& job, const std::string& run_id,
                  std::chrono::milliseconds delay, Counting counting, std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"job_requeue",
                           "UPDATE jobs SET state = 'queued', holder = NULL, lease_expires_at = "
                           "NULL, run_id = $3::uuid, not_before = clock_timestamp() + $4::bigint * "
                           "interval '1 millisecond', attempts = CASE WHEN $5::boolean THEN "
                           "greatest(0, attempts - 1) ELSE attempts END WHERE tenant_id = "
                           "pcw_tenant() AND id = $1::uuid AND claim = $2::bigint AND state = "
                           "'running'"},
                          {job.id, Text(job.claim), run_id, Text(delay.count()),
                           counting == Counting::kForgiven ? "true" : "false"},
                          stop));
  return ExpectOurs(rows, job);
}

Status RepointJob(pg::Connection& connection, const Job& job, const std::string& run_id,
                  std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"job_repoint",
                           "UPDATE jobs SET run_id = $3::uuid WHERE tenant_id = pcw_tenant() AND "
                           "id = $1::uuid AND claim = $2::bigint AND state = 'running'"},
                          {job.id, Text(job.claim), run_id}, stop));
  return ExpectOurs(rows, job);
}

}  // namespace pcw::jobs
