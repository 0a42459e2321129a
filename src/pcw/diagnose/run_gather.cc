#include "pcw/diagnose/run_gather.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/json.h"
#include "pcw/runs/run_page.h"

namespace pcw::diagnose {
namespace {

std::optional<std::chrono::seconds> SecondsAt(const pg::Rows& rows, std::size_t row,
                                              std::size_t column) {
  if (!rows.At(row, column)) return std::nullopt;
  return std::chrono::seconds(rows.Int(row, column));
}

Result<EntityRuns> LoadEntity(pg::Connection& connection, const connector::EntityDef& entity,
                              std::stop_token stop) {
  EntityRuns runs{.entity = std::string(entity.name)};
  // As `pcw runs list` shows them, so that both call the same runs stalled.
  PCW_TRY(
      const auto newest,
      runs::ListRunPage(
          connection,
          {.entity = runs.entity, .status = "", .before_id = "", .limit = 1, .is_of_scans = true},
          stop));
  for (const runs::StoredRun& run : newest) {
    PCW_TRY(const Json stats, ParseJson(run.stats_json));
    runs.run_id = run.id;
    runs.mode = run.mode;
    runs.status = run.status;
    runs.reason = stats.value("reason", "");
    runs.error_code = run.error_code;
    runs.error = run.error;
    runs.dead_letters = stats.value("dead_lettered", std::int64_t{0});
    runs.is_resumable = stats.value("resumable", false);
  }
  // A scan shows what AWS had when it began; intervals between firings tell what is promised.
  PCW_TRY(
      const pg::Rows ages,
      connection.Exec(
          {"doctor_run_ages",
           "SELECT (SELECT CASE WHEN count(*) > 0 THEN greatest(0, extract(epoch FROM pcw_now() - "
           "max(r.started_at)))::bigint END FROM "
           "ingestion_runs r JOIN connectors c ON c.tenant_id = r.tenant_id AND c.id = "
           "r.connector_id WHERE r.tenant_id = pcw_tenant() AND c.kind = $1 AND r.entity = $2 AND "
           "r.mode IN ('full', 'incremental') AND r.status IN ('succeeded', 'partial') AND "
           "r.started_at <= pcw_now() + interval '1 minute'), "
           "(SELECT min(extract(epoch FROM s.next_due - s.last_due))::bigint FROM schedules s "
           "WHERE s.tenant_id = pcw_tenant() AND s.entity = $2 AND s.last_due IS NOT NULL AND "
           "s.next_due > s.last_due), (SELECT extract(epoch FROM now() - "
           "min(s.next_due))::bigint FROM schedules s WHERE s.tenant_id = pcw_tenant() AND "
           "s.entity = $2 AND s.next_due < now()), (SELECT extract(epoch FROM now() - "
           "max(j.not_before))::bigint FROM jobs j WHERE j.tenant_id = pcw_tenant() AND j.entity = "
           "$2 AND j.state = 'queued' AND j.not_before < now())"},
          {std::string(entity.connector->kind), runs.entity}, stop));
  runs.since_complete = SecondsAt(ages, 0, 0);
  runs.interval = SecondsAt(ages, 0, 1);
  runs.overdue = SecondsAt(ages, 0, 2);
  runs.queued = SecondsAt(ages, 0, 3);
  PCW_TRY(const pg::Rows future,
          connection.Exec(
              {"doctor_future_runs",
               "SELECT r.id, extract(epoch FROM greatest(r.started_at, r.ended_at) - "
               "pcw_now())::bigint, count(*) OVER () FROM ingestion_runs r WHERE r.tenant_id = "
               "pcw_tenant() AND r.entity = $1 AND (r.started_at > pcw_now() + interval '1 minute' "
               "OR r.ended_at > pcw_now() + interval '1 minute') ORDER BY r.started_at DESC LIMIT "
               "1"},
              {runs.entity}, stop));
  if (!future.empty()) {
    runs.future_run = future.Text(0, 0);
    runs.future_by = std::chrono::seconds(future.Int(0, 1));
    runs.future_runs = future.Int(0, 2);
  }
  PCW_TRY(const pg::Rows older,
          connection.Exec(
              {"doctor_older_versions",
               fmt::format("SELECT {}, count(*) OVER () FROM {} WHERE tenant_id = pcw_tenant() AND "
                           "older_seen > 0 AND (older_seen > 1 OR source_modified_at > pcw_now() + "
                           "interval '1 hour') ORDER BY 1 LIMIT 3",
                           entity.id_column, entity.table)},
              {}, stop));
  for (std::size_t row = 0; row < older.size(); ++row) {
    runs.older_ids.emplace_back(older.Text(row, 0));
    runs.older_records = older.Int(row, 1);
  }
  return runs;
}

}  // namespace

Result<RunFacts> LoadRunFacts(pg::Connection& connection,
                              const std::vector<const connector::EntityDef*>& entities,
                              Clock& clock, std::stop_token stop) {
  RunFacts facts;
  for (const connector::EntityDef* entity : entities) {
    PCW_TRY(EntityRuns runs, LoadEntity(connection, *entity, stop));
    facts.entities.push_back(std::move(runs));
  }
  PCW_TRY(const pg::Rows tokens,
          connection.Exec({"doctor_tokens",
                           "SELECT name, id, to_char(expires_at AT TIME ZONE 'UTC', "
                           "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM api_tokens WHERE tenant_id = "
                           "pcw_tenant() AND revoked_at IS NULL AND expires_at BETWEEN now() AND "
                           "now() + interval '14 days' ORDER BY expires_at"},
                          {}, stop));
  for (std::size_t row = 0; row < tokens.size(); ++row) {
    facts.tokens.push_back({.name = std::string(tokens.Text(row, 0)),
                            .id = std::string(tokens.Text(row, 1)),
                            .expires_at = std::string(tokens.Text(row, 2))});
  }
  const WallTime before = clock.Now();
  PCW_TRY(
      const pg::Rows server,
      connection.Exec(
          {"doctor_server",
           "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint, (SELECT count(*) FROM "
           "pg_stat_activity WHERE backend_type = 'client backend'), "
           "current_setting('max_connections')::bigint - "
           "current_setting('superuser_reserved_connections')::bigint, (SELECT extract(epoch FROM "
           "now() - min(xact_start))::bigint FROM pg_stat_activity WHERE datname = "
           "current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend')"},
          {}, stop));
  const WallTime after = clock.Now();
  // The server's answer lies between the two; the middle is off by half of the way at most.
  const WallTime middle = before + (after - before) / 2;
  facts.clock_ahead =
      std::chrono::duration_cast<std::chrono::milliseconds>(middle.time_since_epoch()) -
      std::chrono::milliseconds(server.Int(0, 0));
  facts.sessions = server.Int(0, 1);
  facts.most_sessions = server.Int(0, 2);
  facts.longest_transaction = SecondsAt(server, 0, 3);
  return facts;
}

}  // namespace pcw::diagnose
