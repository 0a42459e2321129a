#include "pcw/diagnose/run_gather.h"

#include <nlohmann/json.hpp>

#include "pcw/base/json.h"
#include "pcw/identity/token_store.h"
#include "pcw/jobs/job_requests.h"
#include "pcw/runs/run_page.h"
#include "pcw/runs/run_totals.h"
#include "pcw/tables/row_counts.h"

namespace pcw::diagnose {
namespace {

std::optional<std::chrono::seconds> SecondsAt(const pg::Rows& rows, std::size_t row,
                                              std::size_t column) {
  if (!rows.At(row, column)) return std::nullopt;
  return std::chrono::seconds(rows.Int(row, column));
}

Result<EntityRuns> LoadEntity(pg::Connection& connection, const connector::EntityDef& entity,
                              std::stop_token stop) {
  EntityRuns seen{.entity = std::string(entity.name)};
  // As `pcw runs list` shows them, so that both call the same runs stalled.
  PCW_TRY(
      const auto newest,
      runs::ListRunPage(
          connection,
          {.entity = seen.entity, .status = "", .before_id = "", .limit = 1, .is_of_scans = true},
          stop));
  for (const runs::StoredRun& run : newest) {
    PCW_TRY(const Json stats, ParseJson(run.stats_json));
    seen.run_id = run.id;
    seen.mode = run.mode;
    seen.status = run.status;
    seen.reason = stats.value("reason", "");
    seen.error_code = run.error_code;
    seen.error = run.error;
    seen.dead_letters = stats.value("dead_lettered", std::int64_t{0});
    seen.is_resumable = stats.value("resumable", false);
  }
  PCW_TRY(const runs::EntityAge age,
          runs::LoadEntityAge(connection, entity.connector->kind, entity.name, stop));
  seen.since_complete = age.since_complete;
  seen.interval = age.interval;
  seen.overdue = age.overdue;
  PCW_TRY(seen.queued, jobs::NewestJobWaits(connection, entity.name, stop));
  PCW_TRY(runs::FutureRuns future, runs::FindFutureRuns(connection, entity.name, stop));
  seen.future_run = std::move(future.newest_id);
  seen.future_by = future.by;
  seen.future_runs = future.runs;
  PCW_TRY(tables::OlderVersions older, tables::FindOlderVersions(connection, entity, stop));
  seen.older_ids = std::move(older.ids);
  seen.older_records = older.rows;
  return seen;
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
  PCW_TRY(const auto tokens, identity::ListEndingTokens(connection, stop));
  for (const identity::EndingToken& token : tokens)
    facts.tokens.push_back({.name = token.name, .id = token.id, .expires_at = token.expires_at});
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
