#include "pcw/sync/entity_sql.h"

#include <algorithm>
#include <array>
#include <variant>

#include <fmt/format.h>

namespace pcw::sync {

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

std::string Quoted(std::string_view column) {
  std::string name = "\"";
  for (const char c : column) name.append(c == '"' ? 2 : 1, c);
  return name + '"';
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

Error AsDataError(Error error) {
  const auto state = error.Find("sqlstate");
  // A value, a constraint (of the table's owner too), a limit of the server, a trigger's own word.
  static constexpr std::array<std::string_view, 4> kOfTheRow{"22", "23", "54", "P0"};
  const bool is_of_row =
      state && std::any_of(kOfTheRow.begin(), kOfTheRow.end(),
                           [&](std::string_view c) { return state->starts_with(c); });
  if (!is_of_row) return error;
  Error refused(ErrorCode::kSchemaMismatch, "PostgreSQL refused this record: " + error.message());
  for (const auto& [key, value] : error.context()) refused.With(key, value);
  return refused;
}

std::string OwnColumns(const connector::EntityDef& def) {
  std::string own = "payload_json, payload_sha256, bronze_key, bronze_line, ";
  if (def.has_companion()) own += "companion_json, companion_sha256, ";
  if (def.sources.size() > 1) own += "source_rank, ";
  return own;
}

std::string Assignments(const connector::EntityDef& def, const connector::Mapping& mapping,
                        bool is_sparse) {
  std::string assignments;
  for (const ColumnMapping& column : mapping.columns) {
    if (column.column == def.id_column) continue;
    const std::string name = Quoted(column.column);
    assignments += is_sparse ? fmt::format("{0} = coalesce(excluded.{0}, t.{0}), ", name)
                             : fmt::format("{0} = excluded.{0}, ", name);
  }
  const std::string own = OwnColumns(def);
  for (std::string_view rest = own; !rest.empty();) {
    const std::string_view name = rest.substr(0, rest.find(','));
    assignments += fmt::format("{0} = excluded.{0}, ", name);
    rest.remove_prefix(name.size() + 2);
  }
  return assignments;
}

std::string ReplacesHeld(const connector::EntityDef& def, std::string_view fresh,
                         std::string_view version) {
  std::string differs = fmt::format(
      "{0}.payload_sha256 <> t.payload_sha256 OR {1} <> t.mapping_version OR {0}.source_version <> "
      "t.source_version",
      fresh, version);
  if (def.has_companion())
    differs += fmt::format(" OR {}.companion_sha256 IS DISTINCT FROM t.companion_sha256", fresh);
  std::string guard =
      fmt::format("{}.source_modified_at >= t.source_modified_at AND ({})", fresh, differs);
  if (def.sources.size() > 1) {
    guard =
        fmt::format("{0}.source_rank > t.source_rank OR ({0}.source_rank = t.source_rank AND {1})",
                    fresh, guard);
  }
  return guard;
}

}  // namespace pcw::sync
