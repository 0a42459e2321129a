#include "pcw/tables/entity_sql.h"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "pcw/base/digest.h"

namespace pcw::tables {

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

void AddVersionNames(pg::BinaryCopy& copy, const MappedRecord& record) {
  if (record.listed_version.empty()) {
    copy.AddNull();
  } else {
    copy.AddText(record.listed_version);
  }
  if (record.accepts_older) {
    copy.AddText(record.bronze_key);
  } else {
    copy.AddNull();
  }
}

std::size_t StagingRow::fields() const {
  return mapping.columns.size() + 6 + (has_run ? 1 : 0) + (has_companion ? 2 : 0) +
         (is_ranked ? 1 : 0) + (has_sparse ? 1 : 0);
}

std::size_t ExpectedBytes(const StagingRow& row, std::span<const MappedRecord* const> records) {
  constexpr std::size_t kColumnBytes = 40;  // what a mapped value takes on average, with its length
  std::size_t expected = 64;
  for (const MappedRecord* record : records)
    expected += record->payload.size() + record->companion.size() + row.fields() * kColumnBytes;
  return expected;
}

Status AddRecord(pg::BinaryCopy& copy, const StagingRow& row, const MappedRecord& record) {
  copy.BeginRow(static_cast<std::int16_t>(row.fields()));
  for (std::size_t i = 0; i < row.mapping.columns.size(); ++i)
    PCW_TRY_OK(AddValue(copy, record.row.values[i], row.mapping.columns[i].type));
  copy.AddJsonb(record.payload);
  copy.AddBytea(BytesOf(record.payload_sha256));
  copy.AddText(record.bronze_key);
  copy.AddInt4(record.bronze_line);
  AddVersionNames(copy, record);
  if (row.has_run) PCW_TRY_OK(copy.AddUuid(record.fetched_run));
  if (row.has_companion && record.companion.empty()) {
    copy.AddNull();
    copy.AddNull();
  } else if (row.has_companion) {
    copy.AddJsonb(record.companion);
    copy.AddBytea(BytesOf(record.companion_sha256));
  }
  if (row.is_ranked) copy.AddInt2(static_cast<std::int16_t>(record.rank));
  if (row.has_sparse) copy.AddBool(record.is_sparse);
  return Ok{};
}

Error AsDataError(Error error) {
  const auto state = error.Find("sqlstate");
  // A value, a constraint (of the table's owner too), a limit of the server, a trigger's own word.
  static constexpr std::array<std::string_view, 4> kOfTheRow{"22", "23", "54", "P0"};
  const bool is_of_row =
      state && std::any_of(kOfTheRow.begin(), kOfTheRow.end(),
                           [&](std::string_view c) { return state->starts_with(c); });
  if (!is_of_row) return error;
  return error.Retold(ErrorCode::kSchemaMismatch,
                      "PostgreSQL refused this record: " + error.message());
}

std::string OwnColumns(const connector::EntityDef& def) {
  std::string own =
      "payload_json, payload_sha256, bronze_key, bronze_line, listed_version, accepted_key, ";
  if (def.has_companion()) own += "companion_json, companion_sha256, ";
  if (def.sources.size() > 1) own += "source_rank, ";
  return own;
}

namespace {

// When a record is from, as the rows of one entity are compared: microseconds.
std::string TimeOf(std::string_view row) {
  return fmt::format("(extract(epoch FROM {}.source_modified_at) * 1000000)::bigint", row);
}

// When the value of a column of the held row t was told.
std::string ToldAt(std::string_view column) {
  return fmt::format(
      "coalesce((t.kept_from ->> '{0}')::bigint, CASE WHEN t.kept_from IS NOT NULL AND t.{1} IS "
      "NULL THEN 0 ELSE {2} END)",
      column, Quoted(column), TimeOf("t"));
}

// {"column": value of each expression, ...} without the NULL ones; a function takes 100 arguments.
std::string ObjectOf(const std::vector<std::pair<std::string, std::string>>& members) {
  constexpr std::size_t kAtOnce = 40;
  std::string object;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (i % kAtOnce == 0) object += i == 0 ? "jsonb_build_object(" : ") || jsonb_build_object(";
    object += fmt::format("{}'{}', {}", i % kAtOnce == 0 ? "" : ", ", members[i].first,
                          members[i].second);
  }
  return members.empty() ? "'{}'::jsonb" : fmt::format("jsonb_strip_nulls({}))", object);
}

std::vector<std::string> ToldColumns(const connector::EntityDef& def,
                                     const connector::Mapping& mapping) {
  std::vector<std::string> columns;
  for (const ColumnMapping& column : mapping.columns) {
    if (column.column != def.id_column && !column.is_required) columns.push_back(column.column);
  }
  return columns;
}

}  // namespace

std::string KeptWhenNew(const connector::EntityDef& def, const connector::Mapping& mapping,
                        std::string_view fresh, bool is_sparse) {
  if (!is_sparse) return "NULL::jsonb";
  std::vector<std::pair<std::string, std::string>> members;
  for (const std::string& column : ToldColumns(def, mapping))
    members.emplace_back(column,
                         fmt::format("CASE WHEN {}.{} IS NULL THEN 0 END", fresh, Quoted(column)));
  return ObjectOf(members);
}

std::string FillSql(const connector::EntityDef& def, const connector::Mapping& mapping,
                    std::string_view table, std::string_view staging) {
  std::string set, changes;
  std::vector<std::pair<std::string, std::string>> told;
  for (const std::string& column : ToldColumns(def, mapping)) {
    const std::string name = Quoted(column);
    const std::string takes = fmt::format("(NOT s.is_sparse OR s.{0} IS NOT NULL) AND {1} <= {2}",
                                          name, ToldAt(column), TimeOf("s"));
    set += fmt::format("{0} = CASE WHEN {1} THEN s.{0} ELSE t.{0} END, ", name, takes);
    changes += fmt::format("{1}({2} AND s.{0} IS DISTINCT FROM t.{0})", name,
                           changes.empty() ? "" : " OR ", takes);
    told.emplace_back(column, fmt::format("CASE WHEN {} THEN {} END", takes, TimeOf("s")));
  }
  return fmt::format(
      "UPDATE {0} AS t SET {1}kept_from = t.kept_from || {2}, updated_at = now() FROM {3} s WHERE "
      "t.tenant_id = (SELECT pcw_tenant()) AND t.catalog = $1 AND t.{4} = s.{4} AND s.source_rank "
      "= "
      "t.source_rank AND s.source_modified_at < t.source_modified_at AND t.kept_from IS NOT NULL "
      "AND (s.accepted_key IS NULL OR s.accepted_key IS NOT DISTINCT FROM t.accepted_key) AND "
      "({5})",
      table, set, ObjectOf(told), staging, def.id_column, changes);
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
  if (def.has_sparse() && is_sparse) {
    std::vector<std::pair<std::string, std::string>> kept;
    for (const std::string& column : ToldColumns(def, mapping)) {
      kept.emplace_back(column, fmt::format("CASE WHEN excluded.{} IS NULL THEN {} END",
                                            Quoted(column), ToldAt(column)));
    }
    assignments += fmt::format("kept_from = {}, ", ObjectOf(kept));
  } else if (def.has_sparse()) {
    assignments += "kept_from = NULL, ";
  }
  const std::string own = OwnColumns(def);
  for (std::string_view rest = own; !rest.empty();) {
    const std::string_view name = rest.substr(0, rest.find(','));
    assignments +=
        name == "accepted_key"
            ? std::string("accepted_key = coalesce(excluded.accepted_key, t.accepted_key), ")
            : fmt::format("{0} = excluded.{0}, ", name);
    rest.remove_prefix(name.size() + 2);
  }
  return assignments + "older_seen = 0, older_since = NULL, ";
}

std::string ReplacesHeld(const connector::EntityDef& def, std::string_view fresh,
                         std::string_view version) {
  std::string differs = fmt::format(
      "{0}.payload_sha256 <> t.payload_sha256 OR {1} <> t.mapping_version OR {0}.source_version <> "
      "t.source_version OR ({0}.listed_version IS NOT NULL AND {0}.listed_version IS DISTINCT FROM "
      "t.listed_version)",
      fresh, version);
  if (def.has_companion())
    differs += fmt::format(" OR {}.companion_sha256 IS DISTINCT FROM t.companion_sha256", fresh);
  // A version that an operator accepted stands over a newer one, once.
  std::string guard = fmt::format(
      "({0}.source_modified_at >= t.source_modified_at OR ({0}.accepted_key IS NOT NULL AND "
      "{0}.accepted_key IS DISTINCT FROM t.accepted_key)) AND ({1})",
      fresh, differs);
  if (def.sources.size() > 1) {
    guard =
        fmt::format("{0}.source_rank > t.source_rank OR ({0}.source_rank = t.source_rank AND {1})",
                    fresh, guard);
  }
  return guard;
}

}  // namespace pcw::tables
