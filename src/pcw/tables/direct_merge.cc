#include "pcw/tables/direct_merge.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "pcw/tables/entity_sql.h"

namespace pcw::tables {
namespace {

// 16 rows a statement cost the server 15 % more than 64, and so do 256.
constexpr std::size_t kMostRows = 64;
constexpr std::size_t kMostParams = 60'000;    // the protocol counts them in 16 bits
constexpr std::size_t kMostBytes = 1U << 20U;  // of one statement, unless one row is larger
constexpr std::size_t kMostAhead = 1;          // statements the server has beside the one it runs
constexpr std::size_t kOwnParams = 2;          // catalog, mapping version
constexpr std::size_t kCopyHeaderBytes = 19;   // signature, flags, extension length

std::string Int4(std::int32_t value) {
  const auto bits = static_cast<std::uint32_t>(value);
  std::string bytes;
  for (const unsigned shift : {24U, 16U, 8U, 0U}) bytes += static_cast<char>(bits >> shift & 0xffU);
  return bytes;
}

// Reads the rows of a COPY stream as parameters.
class FieldReader {
 public:
  explicit FieldReader(std::string_view copy) : rest_(copy) {}

  // Appends the fields of the next row; false at the trailer, or if the stream is broken.
  bool Next(std::size_t fields, std::vector<pg::BinaryParam>& params) {
    const std::optional<std::int64_t> count = Take(2);
    if (!count || static_cast<std::size_t>(*count) != fields) {
      is_whole_ = count == 0xffff && rest_.empty();
      return false;
    }
    for (std::size_t i = 0; i < fields; ++i) {
      const std::optional<std::int64_t> length = Take(4);
      if (!length) return false;
      if (*length == 0xffffffff) {
        params.emplace_back(std::nullopt);
        continue;
      }
      if (static_cast<std::size_t>(*length) > rest_.size()) return false;
      params.emplace_back(rest_.substr(0, static_cast<std::size_t>(*length)));
      rest_.remove_prefix(static_cast<std::size_t>(*length));
    }
    return true;
  }
  bool is_whole() const { return is_whole_; }
  std::size_t left() const { return rest_.size(); }

 private:
  std::optional<std::int64_t> Take(std::size_t bytes) {
    if (rest_.size() < bytes) return std::nullopt;
    std::int64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i)
      value = value << 8 | static_cast<unsigned char>(rest_[i]);
    rest_.remove_prefix(bytes);
    return value;
  }

  std::string_view rest_;
  bool is_whole_ = false;
};

}  // namespace

DirectMerge::DirectMerge(const connector::EntityDef& def, const connector::Mapping& mapping,
                         std::string_view table, const std::vector<Field>& fields)
    : fields_(fields.size()), version_(Int4(mapping.version)) {
  for (std::size_t rows = 1; rows <= kMostRows && (rows == 1 || rows * fields_ <= kMostParams);
       rows *= 2)
    sql_.push_back(MakeSql(def, mapping, table, fields, rows));
}

std::string DirectMerge::MakeSql(const connector::EntityDef& def, const connector::Mapping& mapping,
                                 std::string_view table, const std::vector<Field>& fields,
                                 std::size_t rows) const {
  std::string names, brought, values;
  for (const Field& field : fields) {
    names += fmt::format("{}{}", names.empty() ? "" : ", ", Quoted(field.column));
    if (field.column != "fetched_run") brought += Quoted(field.column) + ", ";
  }
  std::size_t number = kOwnParams;
  for (std::size_t row = 0; row < rows; ++row) {
    values += row == 0 ? "(" : ", (";
    for (std::size_t i = 0; i < fields.size(); ++i) {
      // The first row types the columns of the list.
      values += fmt::format("{}${}{}", i == 0 ? "" : ", ", ++number,
                            row == 0 ? "::" + fields[i].type : "");
    }
    values += ')';
  }
  return fmt::format(
      "WITH merged AS (INSERT INTO {0} AS t (tenant_id, catalog, {1}mapping_version, "
      "last_seen_run) SELECT (SELECT pcw_tenant()), $1::text, {1}$2::integer, fetched_run FROM "
      "(VALUES {2}) AS s ({3}) ON CONFLICT (tenant_id, catalog, {4}) DO UPDATE SET "
      "{5}mapping_version = excluded.mapping_version, updated_at = now() WHERE {6} RETURNING xmax "
      "= 0 AS is_new) SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new) "
      "FROM merged",
      table, brought, values, names, def.id_column, Assignments(def, mapping, false),
      ReplacesHeld(def, "excluded", "excluded.mapping_version"));
}

Status DirectMerge::Prepare(pg::Connection& connection, std::stop_token stop) {
  // A plan made anew for the values at hand would copy all of them. lz4 for the columns beside the
  // payload, which the server tries to shrink too.
  return connection.ExecScript("merge_settings",
                               "SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL "
                               "default_toast_compression = lz4",
                               stop);
}

Result<MergeCounts> DirectMerge::Run(pg::Connection& connection, std::string_view catalog,
                                     std::string_view copy, std::stop_token stop) const {
  MergeCounts counts;
  FieldReader reader(copy.substr(std::min(kCopyHeaderBytes, copy.size())));
  std::vector<pg::BinaryParam> gathered;  // of rows that wait
  std::size_t bytes = 0;
  PCW_TRY(pg::Pipeline pipeline, pg::Pipeline::Begin(connection));
  const auto take = [&]() -> Status {
    auto merged = pipeline.Take(stop);
    if (!merged) return AsDataError(std::move(merged).error());
    counts.inserted += merged->Int(0, 0);
    counts.updated += merged->Int(0, 1);
    return Ok{};
  };
  const auto send = [&](std::size_t power) -> Status {
    const std::size_t taken = (std::size_t{1} << power) * fields_;
    std::vector<pg::BinaryParam> params{catalog, version_};
    params.insert(params.end(), gathered.begin(),
                  gathered.begin() + static_cast<std::ptrdiff_t>(taken));
    gathered.erase(gathered.begin(), gathered.begin() + static_cast<std::ptrdiff_t>(taken));
    PCW_TRY_OK(pipeline.Send({"direct_merge", sql_[power]}, params));
    return pipeline.size() > kMostAhead ? take() : Status(Ok{});
  };
  // What waits, in as few statements as there are sizes for.
  const auto flush = [&]() -> Status {
    while (!gathered.empty()) {
      std::size_t power = sql_.size() - 1;
      while ((std::size_t{1} << power) > gathered.size() / fields_) --power;
      PCW_TRY_OK(send(power));
    }
    bytes = 0;
    return Ok{};
  };
  for (std::size_t before = reader.left(); reader.Next(fields_, gathered); before = reader.left()) {
    bytes += before - reader.left();
    const bool is_full =
        gathered.size() / fields_ == std::size_t{1} << (sql_.size() - 1) || bytes >= kMostBytes;
    if (is_full) PCW_TRY_OK(flush());
  }
  if (!reader.is_whole()) return Error(ErrorCode::kInternal, "a broken stream of rows to merge");
  PCW_TRY_OK(flush());
  while (pipeline.size() > 0) PCW_TRY_OK(take());
  return counts;
}

}  // namespace pcw::tables
