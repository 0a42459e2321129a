#include "pcw/tables/entity_table.h"

#include <algorithm>
#include <variant>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/json.h"
#include "pcw/base/time.h"
#include "pcw/pg/binary_copy.h"
#include "pcw/tables/entity_sql.h"
#include "pcw/tables/left_alone.h"
#include "pcw/tables/version_rounds.h"

namespace pcw::tables {
using connector::ColumnMapping;

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

std::string_view ListedName(std::string_view listed, std::string_view source_version,
                            std::string_view served_at) {
  // A digest is the name of a version that nobody listed.
  if (listed.empty() || listed == source_version || listed.starts_with("sha256:")) return {};
  const Result<WallTime> version = ParseRfc3339(listed);
  const Result<WallTime> served = ParseRfc3339(served_at);
  const bool is_in_seconds = version && listed.find('.') == std::string_view::npos;
  // The record may change again within the second, and the list would call that the same.
  if (is_in_seconds && (!served || *served < *version + std::chrono::seconds(1))) return {};
  return listed;
}

std::size_t PlaceOf(const connector::Mapping& mapping, std::string_view column) {
  const auto found = std::find_if(mapping.columns.begin(), mapping.columns.end(),
                                  [&](const ColumnMapping& c) { return c.column == column; });
  return static_cast<std::size_t>(found - mapping.columns.begin());
}

namespace {

std::vector<HeldKey> KeysOf(const pg::Rows& rows) {
  std::vector<HeldKey> keys;
  keys.reserve(rows.size());
  for (std::size_t row = 0; row < rows.size(); ++row)
    keys.push_back({std::string(rows.Text(row, 0)), std::string(rows.Text(row, 1))});
  return keys;
}

}  // namespace

EntityTable::EntityTable(const connector::EntityDef& def, const connector::Mapping& mapping)
    : def_(&def),
      mapping_(&mapping),
      is_ranked_(def.sources.size() > 1),
      has_companion_(def.has_companion()) {}

Result<EntityTable> EntityTable::Create(const connector::EntityDef& def,
                                        const connector::Mapping& mapping) {
  const auto find = [&](std::string_view name) {
    return std::find_if(mapping.columns.begin(), mapping.columns.end(),
                        [&](const ColumnMapping& c) { return c.column == name && c.is_required; });
  };
  for (const std::string_view needed : {def.id_column, std::string_view("source_version"),
                                        std::string_view("source_modified_at")}) {
    if (find(needed) == mapping.columns.end()) {
      return Error(ErrorCode::kInternal,
                   fmt::format("mapping of {} has no required column {}", def.name, needed));
    }
  }
  EntityTable table(def, mapping);
  table.version_column_ = PlaceOf(mapping, "source_version");
  table.modified_column_ =
      static_cast<std::size_t>(find("source_modified_at") - mapping.columns.begin());
  table.sql_ = std::make_shared<const Sql>(table.MakeSql());
  return table;
}

std::string EntityTable::MergeSql(bool is_sparse) const {
  std::string columns;
  for (const ColumnMapping& column : mapping_->columns) columns += Quoted(column.column) + ", ";
  const std::string own = OwnColumns(*def_);
  const std::string assignments = Assignments(*def_, *mapping_, is_sparse);
  const std::string guard = ReplacesHeld(*def_, "excluded", "excluded.mapping_version");
  return fmt::format(
      "WITH merged AS (INSERT INTO {0} AS t (tenant_id, catalog, {1}{2}mapping_version, "
      "last_seen_run{8}) SELECT pcw_tenant(), $1, {1}{2}$2::integer, $3::uuid{9} FROM staging_{3} "
      "s{4} ON "
      "CONFLICT (tenant_id, catalog, {5}) DO UPDATE SET {6}mapping_version = "
      "excluded.mapping_version, last_seen_run = excluded.last_seen_run, missed_full_scans = 0, "
      "missing_since = NULL, updated_at = now() WHERE {7} RETURNING xmax = 0 AS is_new) SELECT "
      "count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new) FROM merged",
      def_->table, columns, own, def_->name,
      !def_->has_sparse() ? ""
      : is_sparse         ? " WHERE is_sparse"
                          : " WHERE NOT is_sparse",
      def_->id_column, assignments, guard, def_->has_sparse() ? ", kept_from" : "",
      def_->has_sparse() ? ", " + KeptWhenNew(*def_, *mapping_, "s", is_sparse) : "");
}

// What the merge of the staged rows will change, read before it: INSERT ... ON CONFLICT cannot tell
// what a row was. The lease keeps everybody else from writing meanwhile.
std::string EntityTable::ChangesSql() const {
  std::string differing;
  for (const ColumnMapping& column : mapping_->columns) {
    const bool is_version =
        column.column == "source_version" || column.column == "source_modified_at";
    if (is_version || column.column == def_->id_column) continue;
    const std::string name = Quoted(column.column);
    differing += fmt::format(
        "{0}CASE WHEN s.{1} IS DISTINCT FROM t.{1}{2} THEN '{3}' END",
        differing.empty() ? "" : ", ", name,
        def_->has_sparse() ? fmt::format(" AND NOT (s.is_sparse AND s.{} IS NULL)", name) : "",
        column.column);
  }
  std::string differs = "s.payload_sha256 <> t.payload_sha256";
  if (has_companion_) differs += " OR s.companion_sha256 IS DISTINCT FROM t.companion_sha256";
  return fmt::format(
      "SELECT s.{0}, t.{0} IS NULL, s.source_version, (extract(epoch FROM s.source_modified_at) * "
      "1000000)::bigint, encode(s.payload_sha256, 'hex'), CASE WHEN t.{0} IS NULL THEN '[]' ELSE "
      "to_json(array_remove(ARRAY[{1}]::text[], NULL)) END FROM staging_{2} s LEFT JOIN {3} t ON "
      "t.tenant_id = pcw_tenant() AND t.catalog = $1 AND t.{0} = s.{0} WHERE t.{0} IS NULL OR "
      "(({4}) AND ({5})) ORDER BY s.{0}",
      def_->id_column, differing, def_->name, def_->table, ReplacesHeld(*def_, "s", "$2::integer"),
      differs);
}

EntityTable::Sql EntityTable::MakeSql() const {
  const std::string staging = fmt::format("staging_{}", def_->name);
  Sql sql;
  // One look into the primary key per id, whatever the planner believes about a table whose
  // statistics are not gathered yet: with `= ANY` it read the whole catalog for every page.
  sql.load_held = fmt::format(
      "SELECT held.* FROM unnest($2::text[]) AS wanted (id) CROSS JOIN LATERAL (SELECT {0}, "
      "source_version, (extract(epoch FROM source_modified_at) * 1000000)::bigint, last_seen_run, "
      "{2}, coalesce(listed_version, '') FROM {1} WHERE tenant_id = pcw_tenant() AND catalog = $1 "
      "AND {0} = wanted.id LIMIT 1) "
      "AS held",
      def_->id_column, def_->table, is_ranked_ ? "source_rank" : "0");
  // lz4 on staging too: INSERT ... SELECT keeps the compression of the value it copies.
  std::string typed;
  for (const ColumnMapping& column : mapping_->columns)
    typed += fmt::format("{} {}, ", Quoted(column.column), SqlType(column.type));
  typed +=
      "payload_json jsonb COMPRESSION lz4, payload_sha256 bytea, bronze_key text, bronze_line "
      "integer, listed_version text, accepted_key text";
  if (has_companion_) typed += ", companion_json jsonb, companion_sha256 bytea";
  if (is_ranked_) typed += ", source_rank smallint";
  if (def_->has_sparse()) typed += ", is_sparse boolean";
  sql.create_staging = fmt::format(
      "CREATE TEMPORARY TABLE IF NOT EXISTS {} ({}) ON COMMIT DELETE ROWS", staging, typed);
  sql.clear_staging = fmt::format("DELETE FROM {}", staging);
  sql.copy = fmt::format("COPY {} FROM STDIN (FORMAT binary)", staging);
  sql.merge = MergeSql(false);
  if (def_->has_sparse()) {
    sql.merge_sparse = MergeSql(true);
    sql.fill = FillSql(*def_, *mapping_, def_->table, staging);
  }
  sql.changes = ChangesSql();
  const std::string seen =
      "last_seen_run = $2::uuid, missed_full_scans = 0, missing_since = NULL, updated_at = CASE "
      "WHEN t.missing_since IS NULL THEN t.updated_at ELSE now() END";
  // AWS served an older version than is held, and not just the same bytes.
  const std::string is_older = fmt::format(
      "(s.source_modified_at < t.source_modified_at AND s.payload_sha256 <> t.payload_sha256{})",
      is_ranked_ ? " AND s.source_rank = t.source_rank" : "");
  sql.touch = fmt::format(
      "UPDATE {0} AS t SET {3}, older_seen = CASE WHEN {4} THEN least(t.older_seen + 1, 1000) ELSE "
      "0 "
      "END, older_since = CASE WHEN {4} THEN coalesce(t.older_since, now()) END FROM {2} s WHERE "
      "t.tenant_id = pcw_tenant() AND t.catalog = $1 AND t.{1} = s.{1} AND t.last_seen_run <> "
      "$2::uuid",
      def_->table, def_->id_column, staging, seen, is_older);
  sql.mark_seen = fmt::format(
      "UPDATE {0} AS t SET older_seen = 0, older_since = NULL, {2} WHERE t.tenant_id = "
      "pcw_tenant() AND t.catalog = $1 AND t.{1} = ANY "
      "($3::text[]) AND t.last_seen_run <> $2::uuid",
      def_->table, def_->id_column, seen);
  sql.count_present = fmt::format(
      "SELECT count(*) FROM {} WHERE tenant_id = pcw_tenant() AND catalog = $1 AND missing_since "
      "IS NULL",
      def_->table);
  // {} is the column of the key; the sources of an entity differ in it.
  sql.candidates = fmt::format(
      "SELECT {1}, {{}} FROM {0} WHERE tenant_id = pcw_tenant() AND catalog = $1 AND last_seen_run "
      "<> $2::uuid AND missing_since IS NULL AND missed_full_scans >= 1 AND {2} = $3::integer "
      "ORDER "
      "BY {1}",
      def_->table, def_->id_column,
      is_ranked_ ? std::string("source_rank") : fmt::format("{}", def_->sources.front().rank));
  sql.recent = fmt::format(
      "SELECT {1}, {{}} FROM {0} WHERE tenant_id = pcw_tenant() AND catalog = $1 AND missing_since "
      "IS NULL AND {2} = $2::integer ORDER BY updated_at DESC LIMIT 100",
      def_->table, def_->id_column,
      is_ranked_ ? std::string("source_rank") : fmt::format("{}", def_->sources.front().rank));
  sql.count_missed = fmt::format(
      "UPDATE {} SET missed_full_scans = least(missed_full_scans + 1, 1000) WHERE tenant_id = "
      "pcw_tenant() AND catalog = $1 AND last_seen_run <> $2::uuid AND missing_since IS NULL",
      def_->table);
  sql.mark_missing = fmt::format(
      "UPDATE {0} SET missing_since = now(), updated_at = now() WHERE tenant_id = pcw_tenant() AND "
      "catalog = $1 AND {1} = ANY ($3::text[]) AND last_seen_run <> $2::uuid AND missing_since IS "
      "NULL",
      def_->table, def_->id_column);
  return sql;
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
                            .listed = std::string(rows.Text(row, 5)),
                            .modified_at = WallTime(std::chrono::microseconds(rows.Int(row, 2))),
                            .last_seen_run = std::string(rows.Text(row, 3)),
                            .rank = static_cast<int>(rows.Int(row, 4))});
  }
  return held;
}

Status EntityTable::CopyToStaging(pg::Connection& connection,
                                  std::span<const MappedRecord* const> records,
                                  std::stop_token stop) const {
  const StagingRow row{.mapping = *mapping_,
                       .has_companion = has_companion_,
                       .is_ranked = is_ranked_,
                       .has_sparse = def_->has_sparse()};
  pg::BinaryCopy copy(ExpectedBytes(row, records));
  for (const MappedRecord* record : records) PCW_TRY_OK(AddRecord(copy, row, *record));
  PCW_TRY_OK(connection.Exec({"staging_create", sql_->create_staging}, {}, stop));
  PCW_TRY_OK(connection.Exec({"staging_clear", sql_->clear_staging}, {}, stop));
  if (auto copied = connection.CopyIn({"staging_copy", sql_->copy}, copy.Finish(), stop); !copied)
    return AsDataError(std::move(copied).error());
  return Ok{};
}

Status EntityTable::LoadChanges(pg::Connection& connection, std::string_view catalog,
                                std::vector<LandedChange>& changes, std::stop_token stop) const {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"entity_changes", sql_->changes},
                          {std::string(catalog), std::to_string(mapping_->version)}, stop));
  for (std::size_t row = 0; row < rows.size(); ++row) {
    LandedChange change{.id = std::string(rows.Text(row, 0)),
                        .is_new = rows.Bool(row, 1),
                        .version = std::string(rows.Text(row, 2)),
                        .modified_at = WallTime(std::chrono::microseconds(rows.Int(row, 3))),
                        .payload_sha256 = std::string(rows.Text(row, 4)),
                        .columns = {}};
    PCW_TRY(const Json columns, ParseJson(rows.Text(row, 5)));
    for (const Json& column : columns) change.columns.push_back(column.get<std::string>());
    changes.push_back(std::move(change));
  }
  return Ok{};
}

Status EntityTable::MergeRound(pg::Connection& connection, std::string_view catalog,
                               std::string_view run_id,
                               std::span<const MappedRecord* const> records, MergeCounts& counts,
                               std::vector<LandedChange>* changes, std::stop_token stop) const {
  PCW_TRY_OK(CopyToStaging(connection, records, stop));
  std::vector<LeftAlone> left_alone;
  for (const MappedRecord* record : records) {
    for (const std::size_t column : record->row.left_alone)
      left_alone.push_back({record->id, column});
  }
  PCW_TRY_OK(FillLeftAlone(
      connection, *def_, *mapping_,
      {.staging = fmt::format("staging_{}", def_->name), .table = def_->table, .catalog = catalog},
      left_alone, stop));
  if (changes != nullptr) PCW_TRY_OK(LoadChanges(connection, catalog, *changes, stop));
  std::int64_t written = 0;
  if (!sql_->fill.empty()) {
    auto filled = connection.Exec({"entity_fill", sql_->fill}, {std::string(catalog)}, stop);
    if (!filled) return AsDataError(std::move(filled).error());
    counts.updated += filled->affected();
  }
  for (const std::string* merge : {&sql_->merge, &sql_->merge_sparse}) {
    if (merge->empty()) continue;
    auto merged = connection.Exec(
        {"entity_merge", *merge},
        {std::string(catalog), std::to_string(mapping_->version), std::string(run_id)}, stop);
    if (!merged) return AsDataError(std::move(merged).error());
    counts.inserted += merged->Int(0, 0);
    counts.updated += merged->Int(0, 1);
    written += merged->Int(0, 0) + merged->Int(0, 1);
  }
  // The merge leaves rows alone that are as new as the source; they were seen all the same.
  if (written < static_cast<std::int64_t>(records.size())) {
    auto touched = connection.Exec({"entity_touch", sql_->touch},
                                   {std::string(catalog), std::string(run_id)}, stop);
    if (!touched) return AsDataError(std::move(touched).error());
  }
  return Ok{};
}

Result<MergeCounts> EntityTable::Merge(pg::Connection& connection, std::string_view catalog,
                                       std::string_view run_id,
                                       std::span<const MappedRecord> records, std::stop_token stop,
                                       std::vector<LandedChange>* changes) const {
  MergeCounts counts;
  if (records.empty()) return counts;
  const auto& pointers = mapping_->columns[modified_column_].pointers;
  const bool is_observed = std::any_of(pointers.begin(), pointers.end(),
                                       [](const std::string& p) { return p.front() == '@'; });
  const VersionClock clock = is_observed ? VersionClock::kObserved : VersionClock::kSource;
  for (const auto& round : RoundsOf(records, modified_column_, version_column_, clock))
    PCW_TRY_OK(MergeRound(connection, catalog, run_id, round, counts, changes, stop));
  counts.unchanged = static_cast<std::int64_t>(records.size()) - counts.inserted - counts.updated;
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

Result<std::vector<HeldKey>> EntityTable::LoadHeldKeys(pg::Connection& connection,
                                                       std::string_view catalog,
                                                       std::string_view run_id,
                                                       const connector::SourceDef& source,
                                                       std::stop_token stop) const {
  const std::string_view key = source.key_column.empty() ? def_->id_column : source.key_column;
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"entity_candidates", fmt::format(fmt::runtime(sql_->candidates), key)},
                          {std::string(catalog), std::string(run_id), std::to_string(source.rank)},
                          stop));
  return KeysOf(rows);
}

Result<std::vector<HeldKey>> EntityTable::LoadRecentlyChanged(pg::Connection& connection,
                                                              std::string_view catalog,
                                                              const connector::SourceDef& source,
                                                              std::stop_token stop) const {
  const std::string_view key = source.key_column.empty() ? def_->id_column : source.key_column;
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"entity_recent", fmt::format(fmt::runtime(sql_->recent), key)},
                          {std::string(catalog), std::to_string(source.rank)}, stop));
  return KeysOf(rows);
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

}  // namespace pcw::tables
