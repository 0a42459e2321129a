#include "pcw/sync/entity_table.h"

#include <algorithm>
#include <variant>

#include <fmt/format.h>

#include "pcw/pg/binary_copy.h"

namespace pcw::sync {
namespace {

using connector::ColumnMapping;
using connector::ColumnType;

std::string_view SqlType(ColumnType type) {
  switch (type) {
    case ColumnType::kText:
      return "text";
    case ColumnType::kInteger:
      return "bigint";
    case ColumnType::kDecimal:
      return "numeric";
    case ColumnType::kBoolean:
      return "boolean";
    case ColumnType::kTimestamp:
      return "timestamptz";
    case ColumnType::kDate:
      return "date";
    case ColumnType::kJson:
      return "jsonb";
  }
  return "text";
}

Status AddValue(pg::BinaryCopy& copy, const connector::Value& value, ColumnType type) {
  if (std::holds_alternative<std::monostate>(value)) {
    copy.AddNull();
    return Ok{};
  }
  switch (type) {
    case ColumnType::kText:
      copy.AddText(std::get<std::string>(value));
      return Ok{};
    case ColumnType::kJson:
      copy.AddJsonb(std::get<std::string>(value));
      return Ok{};
    case ColumnType::kDecimal:
      return copy.AddNumeric(std::get<std::string>(value));
    case ColumnType::kInteger:
      copy.AddInt8(std::get<std::int64_t>(value));
      return Ok{};
    case ColumnType::kBoolean:
      copy.AddBool(std::get<bool>(value));
      return Ok{};
    case ColumnType::kTimestamp:
      copy.AddTimestamptz(std::get<WallTime>(value));
      return Ok{};
    case ColumnType::kDate: {
      const auto& date = std::get<connector::Date>(value);
      copy.AddDate(date.year, date.month, date.day);
      return Ok{};
    }
  }
  return Error(ErrorCode::kInternal, "unknown column type");
}

// Data that the server refuses is the record's fault, not the statement's.
Error AsDataError(Error error) {
  const auto state = error.Find("sqlstate");
  if (!state || !state->starts_with("22")) return error;
  Error refused(ErrorCode::kSchemaMismatch,
                "PostgreSQL refused a value of this record: " + error.message());
  for (const auto& [key, value] : error.context()) refused.With(key, value);
  return refused;
}

}  // namespace

std::string ArrayLiteral(std::span<const std::string> items) {
  std::string text = "{";
  for (const std::string& item : items) {
    if (text.size() > 1) text += ',';
    text += '"';
    for (const char c : item) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    text += '"';
  }
  text += '}';
  return text;
}

Result<EntityTable> EntityTable::Create(const connector::EntityDef& def,
                                        const connector::Mapping& mapping) {
  const auto has = [&](std::string_view name) {
    return std::any_of(mapping.columns.begin(), mapping.columns.end(),
                       [&](const ColumnMapping& c) { return c.column == name && c.is_required; });
  };
  for (const std::string_view needed : {def.id_column, std::string_view("source_version"),
                                        std::string_view("source_modified_at")}) {
    if (!has(needed)) {
      return Error(ErrorCode::kInternal,
                   fmt::format("mapping of {} has no required column {}", def.name, needed));
    }
  }

  std::string columns, typed, assignments;
  for (const ColumnMapping& column : mapping.columns) {
    columns += column.column + ", ";
    typed += fmt::format("{} {}, ", column.column, SqlType(column.type));
    if (column.column != def.id_column)
      assignments += fmt::format("{0} = excluded.{0}, ", column.column);
  }
  const std::string staging = fmt::format("staging_{}", def.name);

  auto sql = std::make_shared<Sql>();
  // One look into the primary key per id, whatever the planner believes about a table whose
  // statistics are not gathered yet: with `= ANY` it read the whole catalog for every page.
  sql->load_held = fmt::format(
      "SELECT held.* FROM unnest($2::text[]) AS wanted (id) CROSS JOIN LATERAL (SELECT {0}, "
      "source_version, (extract(epoch FROM source_modified_at) * 1000000)::bigint, last_seen_run "
      "FROM {1} WHERE tenant_id = pcw_tenant() AND catalog = $1 AND {0} = wanted.id LIMIT 1) AS "
      "held",
      def.id_column, def.table);
  // lz4 on staging too: INSERT ... SELECT keeps the compression of the value it copies (PERFORMANCE
  // 1).
  sql->create_staging = fmt::format(
      "CREATE TEMPORARY TABLE IF NOT EXISTS {} ({}payload_json jsonb COMPRESSION lz4, "
      "payload_sha256 bytea, bronze_line integer, ord "
      "integer) ON COMMIT DELETE ROWS",
      staging, typed);
  sql->clear_staging = fmt::format("DELETE FROM {}", staging);
  sql->copy = fmt::format("COPY {} FROM STDIN (FORMAT binary)", staging);
  sql->merge = fmt::format(
      "WITH merged AS (INSERT INTO {0} AS t (tenant_id, catalog, {1}payload_json, payload_sha256, "
      "mapping_version, bronze_key, "
      "bronze_line, last_seen_run) SELECT DISTINCT ON ({2}) pcw_tenant(), $1, {1}payload_json, "
      "payload_sha256, $2::integer, $3, "
      "bronze_line, $4::uuid FROM {3} ORDER BY {2}, source_modified_at DESC, ord DESC ON CONFLICT "
      "(tenant_id, catalog, {2}) DO UPDATE SET "
      "{4}payload_json = excluded.payload_json, payload_sha256 = excluded.payload_sha256, "
      "mapping_version = excluded.mapping_version, "
      "bronze_key = excluded.bronze_key, bronze_line = excluded.bronze_line, last_seen_run = "
      "excluded.last_seen_run, missed_full_scans = "
      "0, missing_since = NULL, updated_at = now() WHERE excluded.source_modified_at > "
      "t.source_modified_at OR "
      "(excluded.source_modified_at = t.source_modified_at AND (excluded.payload_sha256 <> "
      "t.payload_sha256 OR excluded.mapping_version <> "
      "t.mapping_version)) RETURNING xmax = 0 AS is_new) SELECT count(*) FILTER (WHERE is_new), "
      "count(*) FILTER (WHERE NOT is_new) FROM "
      "merged",
      def.table, columns, def.id_column, staging, assignments);
  const std::string seen =
      "last_seen_run = $2::uuid, missed_full_scans = 0, missing_since = NULL, updated_at = CASE "
      "WHEN t.missing_since IS NULL THEN "
      "t.updated_at ELSE now() END";
  sql->touch = fmt::format(
      "UPDATE {0} AS t SET {3} FROM (SELECT DISTINCT {1} AS id FROM {2}) s WHERE t.tenant_id = "
      "pcw_tenant() AND t.catalog = $1 AND t.{1} = "
      "s.id AND t.last_seen_run <> $2::uuid",
      def.table, def.id_column, staging, seen);
  sql->mark_seen = fmt::format(
      "UPDATE {0} AS t SET {2} WHERE t.tenant_id = pcw_tenant() AND t.catalog = $1 AND t.{1} = ANY "
      "($3::text[]) AND t.last_seen_run <> "
      "$2::uuid",
      def.table, def.id_column, seen);
  sql->count_present = fmt::format(
      "SELECT count(*) FROM {} WHERE tenant_id = pcw_tenant() AND catalog = $1 AND missing_since "
      "IS NULL",
      def.table);
  sql->candidates = fmt::format(
      "SELECT {1} FROM {0} WHERE tenant_id = pcw_tenant() AND catalog = $1 AND last_seen_run <> "
      "$2::uuid AND missing_since IS NULL AND "
      "missed_full_scans >= 1 ORDER BY {1}",
      def.table, def.id_column);
  sql->count_missed = fmt::format(
      "UPDATE {} SET missed_full_scans = least(missed_full_scans + 1, 1000) WHERE tenant_id = "
      "pcw_tenant() AND catalog = $1 AND "
      "last_seen_run <> $2::uuid AND missing_since IS NULL",
      def.table);
  sql->mark_missing = fmt::format(
      "UPDATE {0} SET missing_since = now(), updated_at = now() WHERE tenant_id = pcw_tenant() AND "
      "catalog = $1 AND {1} = ANY ($3::text[]) "
      "AND last_seen_run <> $2::uuid AND missing_since IS NULL",
      def.table, def.id_column);

  EntityTable table(def, mapping);
  table.sql_ = std::move(sql);
  return table;
}

Result<std::unordered_map<std::string, HeldRecord>> EntityTable::LoadHeld(
    pg::Connection& connection, std::string_view catalog, std::span<const std::string> ids,
    std::stop_token stop) const {
  std::unordered_map<std::string, HeldRecord> held;
  if (ids.empty()) return held;
  PCW_TRY(const pg::Rows rows, connection.Exec({"entity_held", sql_->load_held},
                                               {std::string(catalog), ArrayLiteral(ids)}, stop));
  held.reserve(rows.size());
  for (std::size_t row = 0; row < rows.size(); ++row) {
    held.emplace(std::string(rows.Text(row, 0)),
                 HeldRecord{.version = std::string(rows.Text(row, 1)),
                            .modified_at = WallTime(std::chrono::microseconds(rows.Int(row, 2))),
                            .last_seen_run = std::string(rows.Text(row, 3))});
  }
  return held;
}

Result<MergeCounts> EntityTable::Merge(pg::Connection& connection, std::string_view catalog,
                                       std::string_view run_id, std::string_view bronze_key,
                                       std::span<const MappedRecord> records,
                                       std::stop_token stop) const {
  if (records.empty()) return MergeCounts{};
  constexpr std::size_t kColumnBytes = 40;  // what a mapped value takes on average, with its length
  std::size_t expected = 0;
  for (const MappedRecord& record : records) {
    expected += record.payload.size() + (mapping_->columns.size() + 4) * kColumnBytes;
  }
  pg::BinaryCopy copy(expected);
  std::int32_t ord = 0;
  for (const MappedRecord& record : records) {
    copy.BeginRow(static_cast<std::int16_t>(mapping_->columns.size() + 4));
    for (std::size_t i = 0; i < mapping_->columns.size(); ++i) {
      PCW_TRY_OK(AddValue(copy, record.row.values[i], mapping_->columns[i].type));
    }
    copy.AddJsonb(record.payload);
    copy.AddBytea(BytesOf(record.payload_sha256));
    copy.AddInt4(record.bronze_line);
    copy.AddInt4(ord++);
  }

  PCW_TRY_OK(connection.Exec({"staging_create", sql_->create_staging}, {}, stop));
  PCW_TRY_OK(connection.Exec({"staging_clear", sql_->clear_staging}, {}, stop));
  if (auto copied = connection.CopyIn({"staging_copy", sql_->copy}, copy.Finish(), stop); !copied) {
    return AsDataError(std::move(copied).error());
  }
  auto merged = connection.Exec({"entity_merge", sql_->merge},
                                {std::string(catalog), std::to_string(mapping_->version),
                                 std::string(bronze_key), std::string(run_id)},
                                stop);
  if (!merged) return AsDataError(std::move(merged).error());
  MergeCounts counts{.inserted = merged->Int(0, 0), .updated = merged->Int(0, 1), .unchanged = 0};
  counts.unchanged = static_cast<std::int64_t>(records.size()) - counts.inserted - counts.updated;
  // The merge leaves rows alone that are as new as the source; they were seen all the same.
  if (counts.unchanged > 0) {
    PCW_TRY_OK(connection.Exec({"entity_touch", sql_->touch},
                               {std::string(catalog), std::string(run_id)}, stop));
  }
  return counts;
}

Status EntityTable::MarkSeen(pg::Connection& connection, std::string_view catalog,
                             std::string_view run_id, std::span<const std::string> ids,
                             std::stop_token stop) const {
  if (ids.empty()) return Ok{};
  PCW_TRY_OK(connection.Exec({"entity_mark_seen", sql_->mark_seen},
                             {std::string(catalog), std::string(run_id), ArrayLiteral(ids)}, stop));
  return Ok{};
}

Result<std::int64_t> EntityTable::CountPresent(pg::Connection& connection, std::string_view catalog,
                                               std::stop_token stop) const {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"entity_count", sql_->count_present}, {std::string(catalog)}, stop));
  return rows.Int(0, 0);
}

Result<std::vector<std::string>> EntityTable::LoadMissingCandidates(pg::Connection& connection,
                                                                    std::string_view catalog,
                                                                    std::string_view run_id,
                                                                    std::stop_token stop) const {
  PCW_TRY(const pg::Rows rows, connection.Exec({"entity_candidates", sql_->candidates},
                                               {std::string(catalog), std::string(run_id)}, stop));
  std::vector<std::string> ids;
  for (std::size_t row = 0; row < rows.size(); ++row) ids.emplace_back(rows.Text(row, 0));
  return ids;
}

Status EntityTable::RecordAbsence(pg::Connection& connection, std::string_view catalog,
                                  std::string_view run_id, std::span<const std::string> confirmed,
                                  std::stop_token stop) const {
  PCW_TRY_OK(connection.Exec({"entity_count_missed", sql_->count_missed},
                             {std::string(catalog), std::string(run_id)}, stop));
  if (confirmed.empty()) return Ok{};
  PCW_TRY_OK(connection.Exec({"entity_mark_missing", sql_->mark_missing},
                             {std::string(catalog), std::string(run_id), ArrayLiteral(confirmed)},
                             stop));
  return Ok{};
}

}  // namespace pcw::sync
