#include "pcw/tables/bulk_table.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "pcw/pg/binary_copy.h"
#include "pcw/tables/entity_sql.h"
#include "pcw/tables/version_rounds.h"

namespace pcw::tables {
namespace {

using connector::ColumnMapping;

constexpr std::size_t kCopyHeader = 19;  // signature, flags, extension length
constexpr std::size_t kCopyTrailer = 2;
constexpr std::size_t kExamples = 3;
constexpr std::size_t kLongestExample = 200;

// An array literal of bytea whose elements are hex, built by the thousand.
void AppendDigest(std::string& array, const Sha256Digest& digest) {
  array += array.size() > 1 ? ",\"\\\\x" : "\"\\\\x";
  array += Hex(digest);
  array += '"';
}

void AppendElement(std::string& array, std::string_view item) {
  if (array.size() > 1) array += ',';
  array += '"';
  for (const char c : item) {
    if (c == '"' || c == '\\') array += '\\';
    array += c;
  }
  array += '"';
}

}  // namespace

std::string EncodedRows::Slice(std::size_t begin, std::size_t end) const {
  const std::size_t from = offsets[begin];
  const std::size_t to = end == offsets.size() ? copy.size() - kCopyTrailer : offsets[end];
  return copy.substr(0, kCopyHeader) + copy.substr(from, to - from) +
         copy.substr(copy.size() - kCopyTrailer);
}

EncodedRows EncodedRows::Without(const std::vector<std::size_t>& rows) const {
  if (rows.empty()) return *this;
  EncodedRows rest;
  rest.left_alone = left_alone;  // of a row that is not staged it says nothing
  rest.copy = copy.substr(0, kCopyHeader);
  for (std::size_t row = 0; row < offsets.size(); ++row) {
    if (std::binary_search(rows.begin(), rows.end(), row)) continue;
    const std::size_t end =
        row + 1 == offsets.size() ? copy.size() - kCopyTrailer : offsets[row + 1];
    rest.offsets.push_back(rest.copy.size());
    rest.records.push_back(records[row]);
    rest.copy += std::string_view(copy).substr(offsets[row], end - offsets[row]);
  }
  rest.copy += std::string_view(copy).substr(copy.size() - kCopyTrailer);
  return rest;
}

BulkTable::BulkTable(const connector::EntityDef& def, const connector::Mapping& mapping,
                     std::string table)
    : def_(&def),
      mapping_(&mapping),
      table_(std::move(table)),
      staging_(fmt::format("reingest_{}", def.name)),
      is_ranked_(def.sources.size() > 1),
      has_companion_(def.has_companion()) {}

Result<BulkTable> BulkTable::Create(const connector::EntityDef& def,
                                    const connector::Mapping& mapping, std::string table) {
  PCW_TRY_OK(EntityTable::Create(def, mapping));  // the same demands
  BulkTable bulk(def, mapping, std::move(table));
  const auto modified =
      std::find_if(mapping.columns.begin(), mapping.columns.end(),
                   [](const ColumnMapping& c) { return c.column == "source_modified_at"; });
  bulk.version_column_ = PlaceOf(mapping, "source_version");
  bulk.modified_column_ = static_cast<std::size_t>(modified - mapping.columns.begin());
  bulk.sql_ = std::make_shared<const Sql>(bulk.MakeSql());
  if (!def.has_sparse())
    bulk.direct_ =
        std::make_shared<const DirectMerge>(def, mapping, bulk.table_, bulk.StreamFields());
  return bulk;
}

std::string BulkTable::MergeSql(bool is_sparse) const {
  std::string columns;
  for (const ColumnMapping& column : mapping_->columns) columns += Quoted(column.column) + ", ";
  columns += OwnColumns(*def_);
  return fmt::format(
      "WITH merged AS (INSERT INTO {0} AS t (tenant_id, catalog, {1}mapping_version, "
      "last_seen_run{7}) SELECT (SELECT pcw_tenant()), $1, {1}$2::integer, fetched_run{8} FROM {2} "
      "s{3} ON CONFLICT (tenant_id, catalog, {4}) DO UPDATE SET {5}mapping_version = "
      "excluded.mapping_version, updated_at = now() WHERE {6} RETURNING xmax = 0 AS is_new) SELECT "
      "count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new) FROM merged",
      table_, columns, staging_,
      !def_->has_sparse() ? ""
      : is_sparse         ? " WHERE is_sparse"
                          : " WHERE NOT is_sparse",
      def_->id_column, Assignments(*def_, *mapping_, is_sparse),
      ReplacesHeld(*def_, "excluded", "excluded.mapping_version"),
      def_->has_sparse() ? ", kept_from" : "",
      def_->has_sparse() ? ", " + KeptWhenNew(*def_, *mapping_, "s", is_sparse) : "");
}

std::vector<DirectMerge::Field> BulkTable::StreamFields() const {
  std::vector<DirectMerge::Field> fields;
  for (const ColumnMapping& column : mapping_->columns)
    fields.push_back({column.column, std::string(SqlType(column.type))});
  for (const auto& [column, type] : {std::pair("payload_json", "jsonb"),
                                     {"payload_sha256", "bytea"},
                                     {"bronze_key", "text"},
                                     {"bronze_line", "integer"},
                                     {"listed_version", "text"},
                                     {"accepted_key", "text"},
                                     {"fetched_run", "uuid"}})
    fields.push_back({column, type});
  if (has_companion_) {
    fields.push_back({"companion_json", "jsonb"});
    fields.push_back({"companion_sha256", "bytea"});
  }
  if (is_ranked_) fields.push_back({"source_rank", "smallint"});
  if (def_->has_sparse()) fields.push_back({"is_sparse", "boolean"});
  return fields;
}

BulkTable::Sql BulkTable::MakeSql() const {
  Sql sql;
  std::string typed;
  for (const auto& [column, type] : StreamFields()) {
    // lz4 on staging too: INSERT ... SELECT keeps the compression of the value it copies.
    const bool is_large = column == "payload_json" || column == "companion_json";
    typed += fmt::format("{}{} {}{}", typed.empty() ? "" : ", ", Quoted(column), type,
                         is_large ? " COMPRESSION lz4" : "");
  }
  sql.create_staging = fmt::format(
      "CREATE TEMPORARY TABLE IF NOT EXISTS {} ({}) ON COMMIT DELETE ROWS", staging_, typed);
  sql.clear_staging = fmt::format("DELETE FROM {}", staging_);
  sql.copy = fmt::format("COPY {} FROM STDIN (FORMAT binary)", staging_);
  sql.contents = fmt::format(
      "DECLARE contents NO SCROLL CURSOR FOR SELECT {0}, substr(payload_sha256, 1, 8), {1}, {2} "
      "FROM {3} WHERE tenant_id = (SELECT pcw_tenant()) AND catalog = $1 AND mapping_version = "
      "$2::integer",
      def_->id_column, has_companion_ ? "substr(companion_sha256, 1, 8)" : "NULL::bytea",
      is_ranked_ ? "source_rank" : "0", table_);
  // LIMIT 1: one look into the primary key an id, whatever the planner believes of the table.
  const std::string is_same =
      fmt::format("t.payload_sha256 = w.sha256 AND t.mapping_version = $6::integer{}{}",
                  has_companion_ ? " AND t.companion_sha256 IS NOT DISTINCT FROM w.companion" : "",
                  is_ranked_ ? " AND t.source_rank = w.rank" : "");
  sql.held = fmt::format(
      "SELECT w.n, CASE WHEN {4} THEN NULL ELSE (extract(epoch FROM t.source_modified_at) * "
      "1000000)::bigint END, {5} FROM unnest($2::text[], $3::bytea[], $4::bytea[], "
      "$5::smallint[]) WITH ORDINALITY AS w (id, sha256, companion, rank, n) CROSS JOIN LATERAL "
      "(SELECT payload_sha256, mapping_version, source_modified_at{2}{3} FROM {0} WHERE tenant_id "
      "= (SELECT pcw_tenant()) AND catalog = $1 AND {1} = w.id LIMIT 1) AS t",
      table_, def_->id_column, has_companion_ ? ", companion_sha256" : "",
      is_ranked_ ? ", source_rank" : "", is_same, is_ranked_ ? "t.source_rank" : "0");
  sql.is_empty = fmt::format(
      "SELECT NOT EXISTS (SELECT FROM {} WHERE tenant_id = (SELECT pcw_tenant()) AND catalog = $1)",
      table_);
  sql.merge = MergeSql(false);
  if (def_->has_sparse()) {
    sql.merge_sparse = MergeSql(true);
    sql.fill = FillSql(*def_, *mapping_, table_, staging_);
  }
  sql.columns =
      "SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT "
      "attisdropped";
  AddCompareSql(sql);
  return sql;
}

void BulkTable::AddCompareSql(Sql& sql) const {
  const std::string joined = fmt::format(
      " FROM {0} s LEFT JOIN {1} t ON t.tenant_id = (SELECT pcw_tenant()) AND t.catalog = $1 AND "
      "t.{2} = s.{2}",
      staging_, table_, def_->id_column);
  const std::string changes = fmt::format("t.{} IS NOT NULL AND ({})", def_->id_column,
                                          ReplacesHeld(*def_, "s", "$2::integer"));
  sql.new_ids =
      fmt::format("SELECT s.{0}{1} WHERE t.{0} IS NULL AND $2 <> ''", def_->id_column, joined);
  sql.changed_ids = fmt::format("SELECT s.{0}{1} WHERE {2}", def_->id_column, joined, changes);
  sql.compare = fmt::format(
      "SELECT count(*) FILTER (WHERE {0}), count(*) FILTER (WHERE t.{1} IS NOT NULL AND "
      "s.source_modified_at < t.source_modified_at)",
      changes, def_->id_column);
  for (const ColumnMapping& column : mapping_->columns) {
    const std::string name = Quoted(column.column);
    const std::string after =
        def_->has_sparse()
            ? fmt::format("CASE WHEN s.is_sparse THEN coalesce(s.{0}, t.{0}) ELSE s.{0} END", name)
            : fmt::format("s.{}", name);
    const std::string differs =
        fmt::format("{} AND t.{} IS DISTINCT FROM {}", changes, name, after);
    sql.compare += fmt::format(", count(*) FILTER (WHERE {})", differs);
    sql.examples.push_back(
        fmt::format("SELECT s.{0}, left(t.{1}::text, {5}), left(({2})::text, {5}){3} WHERE {4} "
                    "ORDER BY 1 LIMIT 3",
                    def_->id_column, name, after, joined, differs, kLongestExample));
  }
  sql.compare += joined;
}

Status BulkTable::CheckColumns(pg::Connection& connection, std::stop_token stop) const {
  PCW_TRY(const pg::Rows rows, connection.Exec({"bulk_columns", sql_->columns}, {table_}, stop));
  std::string missing;
  for (const ColumnMapping& column : mapping_->columns) {
    bool is_there = false;
    for (std::size_t row = 0; row < rows.size(); ++row)
      is_there = is_there || rows.Text(row, 0) == column.column;
    if (is_there) continue;
    missing += fmt::format("{}{} {}", missing.empty() ? "" : ", ", Quoted(column.column),
                           SqlType(column.type));
  }
  if (missing.empty()) return Ok{};
  return Error(
      ErrorCode::kInvalidRequest,
      fmt::format("the table {} does not have what the mapping fills: {}; with the mapping in "
                  "connectors.partner_central.mappings `pcw db migrate` adds it",
                  table_, missing));
}

Status BulkTable::EncodeRound(std::span<const MappedRecord* const> round, const MappedRecord* first,
                              std::string spare, EncodedRows& rows) const {
  const StagingRow row{.mapping = *mapping_,
                       .has_run = true,
                       .has_companion = has_companion_,
                       .is_ranked = is_ranked_,
                       .has_sparse = def_->has_sparse()};
  pg::BinaryCopy copy(ExpectedBytes(row, round), std::move(spare));
  rows.offsets.reserve(round.size());
  rows.records.reserve(round.size());
  for (const MappedRecord* record : round) {
    rows.offsets.push_back(copy.bytes());
    rows.records.push_back(static_cast<std::size_t>(record - first));
    PCW_TRY_OK(AddRecord(copy, row, *record));
  }
  for (const MappedRecord* record : round) {
    for (const std::size_t column : record->row.left_alone)
      rows.left_alone.push_back({record->id, column});
  }
  rows.copy = copy.Finish();
  return Ok{};
}

Result<std::vector<EncodedRows>> BulkTable::Encode(std::span<const MappedRecord> records,
                                                   std::string spare) const {
  std::vector<EncodedRows> encoded;
  if (records.empty()) return encoded;
  const auto& pointers = mapping_->columns[modified_column_].pointers;
  const bool is_observed = std::any_of(pointers.begin(), pointers.end(),
                                       [](const std::string& p) { return p.front() == '@'; });
  const VersionClock clock = is_observed ? VersionClock::kObserved : VersionClock::kSource;
  for (const auto& round : RoundsOf(records, modified_column_, version_column_, clock))
    PCW_TRY_OK(
        EncodeRound(round, records.data(), std::exchange(spare, {}), encoded.emplace_back()));
  return encoded;
}

Result<bool> BulkTable::IsEmpty(pg::Connection& connection, std::string_view catalog,
                                std::stop_token stop) const {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"bulk_is_empty", sql_->is_empty}, {std::string(catalog)}, stop));
  return rows.Bool(0, 0);
}

Status BulkTable::ReadContents(pg::Connection& connection, std::string_view catalog,
                               const std::function<bool(const pg::Rows&)>& take,
                               std::stop_token stop) const {
  PCW_TRY(pg::Transaction transaction, pg::Transaction::Begin(connection, "read contents"));
  PCW_TRY_OK(connection.Exec({"bulk_contents", sql_->contents},
                             {std::string(catalog), std::to_string(mapping_->version)}, stop));
  for (;;) {
    PCW_TRY(const pg::Rows rows,
            connection.Exec({"bulk_contents_rows", "FETCH 10000 FROM contents"}, {}, stop));
    if (rows.empty() || !take(rows)) break;
  }
  return transaction.Commit();
}

bool BulkTable::IsOutdated(const connector::Row& row, int rank, const HeldVersion& held) const {
  if (def_->has_sparse()) return false;
  return rank == held.rank && std::get<WallTime>(row.values[modified_column_]) < held.modified_at;
}

Result<std::vector<HeldVersion>> BulkTable::FindHeld(pg::Connection& connection,
                                                     std::string_view catalog,
                                                     std::span<const KnownVersion> versions,
                                                     std::stop_token stop) const {
  std::vector<HeldVersion> held;
  if (versions.empty()) return held;
  std::string ids = "{", digests = "{", companions = "{", ranks = "{";
  ids.reserve(versions.size() * 24);
  digests.reserve(versions.size() * 72);
  for (const KnownVersion& version : versions) {
    AppendElement(ids, version.id);
    AppendDigest(digests, version.sha256);
    if (has_companion_ && version.has_companion) AppendDigest(companions, version.companion_sha256);
    if (has_companion_ && !version.has_companion)
      companions += companions.size() > 1 ? ",NULL" : "NULL";
    if (is_ranked_) ranks += (ranks.size() > 1 ? "," : "") + std::to_string(version.rank);
  }
  for (std::string* array : {&ids, &digests, &companions, &ranks}) *array += '}';
  PCW_TRY(
      const pg::Rows rows,
      connection.Exec({"bulk_held", sql_->held},
                      {std::string(catalog), std::move(ids), std::move(digests),
                       std::move(companions), std::move(ranks), std::to_string(mapping_->version)},
                      stop));
  held.reserve(rows.size());
  for (std::size_t row = 0; row < rows.size(); ++row) {
    held.push_back({.place = static_cast<std::size_t>(rows.Int(row, 0)) - 1,
                    .is_same = !rows.At(row, 1).has_value(),
                    .modified_at = WallTime(std::chrono::microseconds(rows.Int(row, 1))),
                    .rank = static_cast<int>(rows.Int(row, 2))});
  }
  std::sort(held.begin(), held.end(),
            [](const HeldVersion& a, const HeldVersion& b) { return a.place < b.place; });
  return held;
}

Status BulkTable::PrepareStaging(pg::Connection& connection, std::stop_token stop) const {
  PCW_TRY_OK(connection.Exec({"bulk_staging", sql_->create_staging}, {}, stop));
  return Ok{};
}

Status BulkTable::Stage(pg::Connection& connection, std::string_view catalog, std::string_view copy,
                        std::span<const LeftAlone> left_alone, std::stop_token stop) const {
  PCW_TRY_OK(connection.Exec({"bulk_clear", sql_->clear_staging}, {}, stop));
  if (auto copied = connection.CopyIn({"bulk_copy", sql_->copy}, copy, stop); !copied)
    return AsDataError(std::move(copied).error());
  return FillLeftAlone(connection, *def_, *mapping_,
                       {.staging = staging_, .table = table_, .catalog = catalog}, left_alone,
                       stop);
}

Status BulkTable::PrepareMerge(pg::Connection& connection, std::stop_token stop) const {
  return direct_ ? DirectMerge::Prepare(connection, stop) : PrepareStaging(connection, stop);
}

Result<MergeCounts> BulkTable::Merge(pg::Connection& connection, std::string_view catalog,
                                     std::string_view copy, std::span<const LeftAlone> left_alone,
                                     std::stop_token stop) const {
  if (direct_ && left_alone.empty()) return direct_->Run(connection, catalog, copy, stop);
  if (direct_) PCW_TRY_OK(PrepareStaging(connection, stop));
  PCW_TRY_OK(Stage(connection, catalog, copy, left_alone, stop));
  return MergeStaged(connection, catalog, stop);
}

Result<MergeCounts> BulkTable::MergeStaged(pg::Connection& connection, std::string_view catalog,
                                           std::stop_token stop) const {
  MergeCounts counts;
  const std::string version = std::to_string(mapping_->version);
  if (!sql_->fill.empty()) {
    auto filled = connection.Exec({"bulk_fill", sql_->fill}, {std::string(catalog)}, stop);
    if (!filled) return AsDataError(std::move(filled).error());
    counts.updated += filled->affected();
  }
  for (const std::string* merge : {&sql_->merge, &sql_->merge_sparse}) {
    if (merge->empty()) continue;
    auto merged = connection.Exec({"bulk_merge", *merge}, {std::string(catalog), version}, stop);
    if (!merged) return AsDataError(std::move(merged).error());
    counts.inserted += merged->Int(0, 0);
    counts.updated += merged->Int(0, 1);
  }
  return counts;
}

Status BulkTable::CompareStaged(pg::Connection& connection, std::string_view catalog,
                                Comparison& comparison, std::stop_token stop) const {
  const std::vector<pg::Param> params{std::string(catalog), std::to_string(mapping_->version)};
  PCW_TRY(const pg::Rows fresh, connection.Exec({"bulk_new", sql_->new_ids}, params, stop));
  for (std::size_t row = 0; row < fresh.size(); ++row)
    comparison.new_ids.emplace_back(fresh.Text(row, 0));
  if (comparison.wants_changed_ids) {
    PCW_TRY(const pg::Rows changed,
            connection.Exec({"bulk_changed", sql_->changed_ids}, params, stop));
    for (std::size_t row = 0; row < changed.size(); ++row)
      comparison.changed_ids.emplace_back(changed.Text(row, 0));
  }
  PCW_TRY(const pg::Rows counts, connection.Exec({"bulk_compare", sql_->compare}, params, stop));
  comparison.changed += counts.Int(0, 0);
  comparison.older += counts.Int(0, 1);
  comparison.columns.resize(mapping_->columns.size());
  for (std::size_t i = 0; i < mapping_->columns.size(); ++i) {
    ColumnChange& change = comparison.columns[i];
    change.column = mapping_->columns[i].column;
    const std::int64_t rows = counts.Int(0, i + 2);
    change.rows += rows;
    if (rows == 0 || change.examples.size() >= kExamples) continue;
    PCW_TRY(const pg::Rows examples,
            connection.Exec({"bulk_example", sql_->examples[i]}, params, stop));
    for (std::size_t row = 0; row < examples.size() && change.examples.size() < kExamples; ++row) {
      change.examples.push_back({std::string(examples.Text(row, 0)),
                                 std::string(examples.At(row, 1).value_or("NULL")),
                                 std::string(examples.At(row, 2).value_or("NULL"))});
    }
  }
  return Ok{};
}

}  // namespace pcw::tables
