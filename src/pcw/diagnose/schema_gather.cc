#include "pcw/diagnose/schema_gather.h"

#include "pcw/connector/response_shape.h"
#include "pcw/dlq/dead_letter_counts.h"
#include "pcw/runs/mapping_version.h"
#include "pcw/runs/run_totals.h"
#include "pcw/tables/entity_columns.h"
#include "pcw/tables/row_counts.h"

namespace pcw::diagnose {
namespace {

Status LoadOldRows(pg::Connection& connection, const connector::EntityDef& entity, int version,
                   SchemaFacts& facts, std::stop_token stop) {
  PCW_TRY(const std::int64_t rows,
          tables::CountRowsOfOtherMappings(connection, entity, version, stop));
  PCW_TRY(const auto newest, runs::LoadMappingVersion(connection, entity.name, stop));
  facts.old_rows.push_back({.entity = std::string(entity.name),
                            .version = version,
                            .rows = rows,
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
  PCW_TRY(const tables::RecentOpportunities recent,
          tables::CountRecentOpportunities(connection, stop));
  facts.changed_rows = recent.rows;
  facts.null_company = recent.without_company;
  facts.null_revenue = recent.without_revenue;
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
  PCW_TRY(facts.letters, dlq::CountOpenByEntity(connection, dlq::Stage::kMap, stop));
  PCW_TRY(const auto stopped, runs::FindStoppedBySchema(connection, stop));
  for (const runs::StoppedBySchema& run : stopped) {
    facts.stopped.push_back(
        {.entity = run.entity, .run_id = run.run_id, .reason = run.reason, .error = run.error});
  }
  return facts;
}

}  // namespace pcw::diagnose
