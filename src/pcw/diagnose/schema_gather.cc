#include "pcw/diagnose/schema_gather.h"

#include <fmt/format.h>

#include "pcw/connector/response_shape.h"
#include "pcw/runs/mapping_version.h"
#include "pcw/tables/entity_columns.h"

namespace pcw::diagnose {
namespace {

// The runbook's query, as it is written there.
constexpr std::string_view kRunbookQuery =
    "SELECT COUNT(*), "
    "SUM(CASE WHEN customer_company_name IS NULL THEN 1 ELSE 0 END) as null_company, "
    "SUM(CASE WHEN expected_revenue_usd IS NULL THEN 1 ELSE 0 END) as null_revenue "
    "FROM partnercentral_opportunities "
    "WHERE updated_at > NOW() - INTERVAL '24 hours'";

Status LoadOldRows(pg::Connection& connection, const connector::EntityDef& entity, int version,
                   SchemaFacts& facts, std::stop_token stop) {
  const std::string name = fmt::format("doctor_old_{}", entity.name);
  // The table's name is compiled in.
  const std::string sql = fmt::format(
      "SELECT count(*) FROM {} WHERE tenant_id = pcw_tenant() AND mapping_version <> $1::integer",
      entity.table);
  PCW_TRY(const pg::Rows rows, connection.Exec({name, sql}, {std::to_string(version)}, stop));
  PCW_TRY(const auto newest, runs::LoadMappingVersion(connection, entity.name, stop));
  facts.old_rows.push_back({.entity = std::string(entity.name),
                            .version = version,
                            .rows = rows.Int(0, 0),
                            .newest = newest.value_or(0)});
  return Ok{};
}

Status LoadLeft(pg::Connection& connection, const connector::EntityDef& entity,
                const connector::Mapping& mapping, SchemaFacts& facts, std::stop_token stop) {
  PCW_TRY(const tables::ColumnCheck check, tables::CheckColumns(connection, entity, mapping, stop));
  for (const std::string& column : check.left) {
    PCW_TRY(const std::int64_t rows, tables::CountFilled(connection, entity, column, stop));
    if (rows == 0) continue;
    facts.left.push_back({.entity = std::string(entity.name),
                          .table = std::string(entity.table),
                          .column = column,
                          .rows = rows});
  }
  return Ok{};
}

}  // namespace

Result<SchemaFacts> LoadSchemaFacts(
    pg::Connection& connection, const std::vector<const connector::EntityDef*>& entities,
    const std::map<std::string, Result<connector::Mapping>>& mappings, std::stop_token stop) {
  SchemaFacts facts;
  facts.api_versions = connector::ShippedApiVersions();
  tables::DriftFilter open;
  open.limit = 1000;
  PCW_TRY(facts.open, tables::LoadDrift(connection, open, stop));
  PCW_TRY(const pg::Rows nulls, connection.Exec({"doctor_nulls", kRunbookQuery}, {}, stop));
  facts.changed_rows = nulls.Int(0, 0);
  facts.null_company = nulls.Int(0, 1);
  facts.null_revenue = nulls.Int(0, 2);
  for (const connector::EntityDef* entity : entities) {
    const auto mapping = mappings.find(std::string(entity->name));
    if (mapping == mappings.end()) continue;
    if (!mapping->second) {
      facts.broken.emplace_back(entity->name, mapping->second.error().message());
      continue;
    }
    PCW_TRY_OK(LoadOldRows(connection, *entity, mapping->second->version, facts, stop));
    PCW_TRY_OK(LoadLeft(connection, *entity, *mapping->second, facts, stop));
  }
  PCW_TRY(const pg::Rows letters,
          connection.Exec({"doctor_letters",
                           "SELECT entity, count(*) FROM dead_letters WHERE tenant_id = "
                           "pcw_tenant() AND state = 'open' AND stage = 'map' GROUP BY 1 ORDER BY "
                           "1"},
                          {}, stop));
  for (std::size_t row = 0; row < letters.size(); ++row)
    facts.letters.emplace_back(letters.Text(row, 0), letters.Int(row, 1));
  PCW_TRY(const pg::Rows runs,
          connection.Exec(
              {"doctor_stopped",
               "SELECT entity, id, reason, error FROM (SELECT DISTINCT ON (entity) entity, id, "
               "status, stats_json->>'reason' AS reason, error FROM ingestion_runs WHERE "
               "tenant_id = pcw_tenant() ORDER BY entity, started_at DESC, id DESC) r WHERE status "
               "= 'failed' AND reason IN ('schema_frozen', 'too_many_mismatches') ORDER BY 1"},
              {}, stop));
  for (std::size_t row = 0; row < runs.size(); ++row) {
    facts.stopped.push_back({.entity = std::string(runs.Text(row, 0)),
                             .run_id = std::string(runs.Text(row, 1)),
                             .reason = std::string(runs.Text(row, 2)),
                             .error = std::string(runs.Text(row, 3))});
  }
  return facts;
}

}  // namespace pcw::diagnose
