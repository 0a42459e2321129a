#include "pcw/tables/entity_columns.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "pcw/connector/reserved_columns.h"
#include "pcw/tables/entity_sql.h"

namespace pcw::tables {
namespace {

using connector::ColumnMapping;
using connector::ColumnType;

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

bool IsMapped(const connector::Mapping& mapping, std::string_view name) {
  return std::any_of(mapping.columns.begin(), mapping.columns.end(),
                     [&](const ColumnMapping& column) { return column.column == name; });
}

// What a mapping filled at any time: the one that is built in, and those that runs learned rates
// of. A column that nobody but the owner of the table knows is the owner's.
Result<std::set<std::string>> FilledOnce(pg::Connection& connection,
                                         const connector::EntityDef& entity, std::stop_token stop) {
  std::set<std::string> names;
  PCW_TRY(const connector::Mapping builtin, connector::BuiltinMapping(entity.name));
  for (const ColumnMapping& column : builtin.columns) names.insert(column.column);
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"columns_filled_once",
                           "SELECT DISTINCT name FROM drift_baseline WHERE tenant_id = "
                           "pcw_tenant() AND entity = $1 AND is_column"},
                          {std::string(entity.name)}, stop));
  for (std::size_t row = 0; row < rows.size(); ++row) names.emplace(rows.Text(row, 0));
  return names;
}

}  // namespace

ColumnCheck CompareColumns(const connector::EntityDef& entity, const connector::Mapping& mapping,
                           std::span<const TableColumn> columns,
                           const std::set<std::string>& filled_once) {
  ColumnCheck check;
  check.has_table = !columns.empty();
  if (!check.has_table) return check;
  std::map<std::string, std::string, std::less<>> held;
  for (const TableColumn& column : columns) {
    held.emplace(column.name, column.type);
    if (connector::IsReservedColumn(column.name) || IsMapped(mapping, column.name)) continue;
    if (column.must_be_given) {
      check.conflicts.push_back(fmt::format(
          "{0}: {1} has it NOT NULL, and the mapping does not fill it: every record "
          "would be refused; fill it, or ALTER TABLE {1} ALTER COLUMN {2} DROP NOT NULL",
          column.name, entity.table, Quoted(column.name)));
    } else if (!column.is_generated) {
      (filled_once.contains(column.name) ? check.left : check.owners).push_back(column.name);
    }
  }
  for (const ColumnMapping& column : mapping.columns) {
    const std::vector<std::string_view> types = SqlTypes(column.type);
    const auto found = held.find(column.column);
    if (found == held.end()) {
      check.missing.push_back(
          {.column = column.column,
           .statement = fmt::format("ALTER TABLE {} ADD COLUMN {} {}", entity.table,
                                    Quoted(column.column), types[0])});
    } else if (std::find(types.begin(), types.end(), found->second) == types.end()) {
      check.conflicts.push_back(fmt::format("{}: the mapping makes {}, {} has {}", column.column,
                                            types[0], entity.table, found->second));
    }
  }
  return check;
}

Result<ColumnCheck> CheckColumns(pg::Connection& connection, const connector::EntityDef& entity,
                                 const connector::Mapping& mapping, std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"table_columns",
                           "SELECT attname, format_type(atttypid, NULL), attnotnull AND NOT "
                           "atthasdef AND attidentity = '', attgenerated <> '' OR attidentity = "
                           "'a' FROM pg_attribute WHERE attrelid = "
                           "to_regclass($1) AND attnum > 0 AND NOT attisdropped"},
                          {std::string(entity.table)}, stop));
  if (rows.empty()) return ColumnCheck{};
  std::vector<TableColumn> columns;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    columns.push_back({.name = std::string(rows.Text(row, 0)),
                       .type = std::string(rows.Text(row, 1)),
                       .must_be_given = rows.Bool(row, 2),
                       .is_generated = rows.Bool(row, 3)});
  }
  PCW_TRY(const std::set<std::string> once, FilledOnce(connection, entity, stop));
  return CompareColumns(entity, mapping, columns, once);
}

Result<std::int64_t> ClearColumns(pg::Connection& connection, const connector::EntityDef& entity,
                                  const std::vector<std::string>& columns, std::stop_token stop) {
  if (columns.empty()) return 0;
  std::string set, filled;
  for (const std::string& column : columns) {
    set += fmt::format("{} = NULL, ", Quoted(column));
    filled += fmt::format("{}{} IS NOT NULL", filled.empty() ? "" : " OR ", Quoted(column));
  }
  const std::string sql =
      fmt::format("UPDATE {} SET {}updated_at = now() WHERE tenant_id = pcw_tenant() AND ({})",
                  entity.table, set, filled);
  PCW_TRY(const pg::Rows rows, connection.Exec({"columns_clear", sql}, {}, stop));
  return rows.affected();
}

Result<std::int64_t> CountFilled(pg::Connection& connection, const connector::EntityDef& entity,
                                 const std::string& column, std::stop_token stop) {
  const std::string sql =
      fmt::format("SELECT count(*) FROM {} WHERE tenant_id = pcw_tenant() AND {} IS NOT NULL",
                  entity.table, Quoted(column));
  PCW_TRY(const pg::Rows rows, connection.Exec({"column_filled", sql}, {}, stop));
  return rows.Int(0, 0);
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

}  // namespace pcw::tables
