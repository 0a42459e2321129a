#include "pcw/sync/entity_columns.h"

#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>

namespace pcw::sync {
namespace {

using connector::ColumnMapping;
using connector::ColumnType;

// What every entity table has beside its mapping's columns (CONTRACT 3).
constexpr std::array<std::string_view, 20> kOwnColumns{
    "tenant_id",     "catalog",        "payload_json",  "payload_sha256", "mapping_version",
    "bronze_key",    "bronze_line",    "first_seen_at", "last_seen_run",  "missed_full_scans",
    "missing_since", "updated_at",     "source_rank",   "companion_json", "companion_sha256",
    "kept_from",     "listed_version", "accepted_key",  "older_seen",     "older_since"};

/// Types of the table that a column type can go into; the first is the one that is made.
std::vector<std::string_view> SqlTypes(ColumnType type) {
  switch (type) {
    case ColumnType::kText:
      return {"text"};
    case ColumnType::kInteger:
      return {"bigint", "integer"};
    case ColumnType::kDecimal:
      return {"numeric"};
    case ColumnType::kBoolean:
      return {"boolean"};
    case ColumnType::kTimestamp:
      return {"timestamp with time zone"};
    case ColumnType::kDate:
      return {"date"};
    case ColumnType::kJson:
      return {"jsonb"};
  }
  return {"text"};
}

}  // namespace

Result<ColumnCheck> CheckColumns(pg::Connection& connection, const connector::EntityDef& entity,
                                 const connector::Mapping& mapping, std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"table_columns",
                           "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute WHERE "
                           "attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped"},
                          {std::string(entity.table)}, stop));
  ColumnCheck check;
  check.has_table = !rows.empty();
  if (!check.has_table) return check;
  std::map<std::string, std::string, std::less<>> held;
  for (std::size_t row = 0; row < rows.size(); ++row)
    held.emplace(rows.Text(row, 0), rows.Text(row, 1));
  for (const ColumnMapping& column : mapping.columns) {
    if (std::find(kOwnColumns.begin(), kOwnColumns.end(), column.column) != kOwnColumns.end()) {
      check.conflicts.push_back(
          fmt::format("{}: is a column of pcw's own; name it otherwise", column.column));
      continue;
    }
    const std::vector<std::string_view> types = SqlTypes(column.type);
    const auto found = held.find(column.column);
    if (found == held.end()) {
      check.missing.push_back({.column = column.column,
                               .statement = fmt::format("ALTER TABLE {} ADD COLUMN \"{}\" {}",
                                                        entity.table, column.column, types[0])});
    } else if (std::find(types.begin(), types.end(), found->second) == types.end()) {
      check.conflicts.push_back(fmt::format("{}: the mapping makes {}, {} has {}", column.column,
                                            types[0], entity.table, found->second));
    }
  }
  return check;
}

Result<int> AddColumns(pg::Connection& admin, const connector::EntityDef& entity,
                       const connector::Mapping& mapping, std::stop_token stop) {
  PCW_TRY(const ColumnCheck check, CheckColumns(admin, entity, mapping, stop));
  if (!check.conflicts.empty()) {
    return Error(ErrorCode::kConfig,
                 fmt::format("the mapping of {} does not fit its table:\n{}\nColumns are never "
                             "retyped; give the column another name",
                             entity.name, fmt::join(check.conflicts, "\n")));
  }
  if (check.missing.empty()) return 0;
  PCW_TRY(pg::Transaction transaction, pg::Transaction::Begin(admin, "add columns", stop));
  // Names are checked to be plain by the mapping's reader.
  std::string script = "SET LOCAL ROLE pcw_owner;";
  for (const ColumnCheck::Missing& column : check.missing) script += column.statement + ";";
  script += "RESET ROLE;";
  PCW_TRY_OK(admin.ExecScript("add_columns", script, stop));
  PCW_TRY_OK(transaction.Commit());
  return static_cast<int>(check.missing.size());
}

}  // namespace pcw::sync
