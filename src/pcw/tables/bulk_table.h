// The table of one entity as a re-ingest writes it: encoded batches, merged by the rule of I4.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/connector/entity_def.h"
#include "pcw/connector/mapping.h"
#include "pcw/pg/connection.h"
#include "pcw/tables/direct_merge.h"
#include "pcw/tables/entity_table.h"
#include "pcw/tables/left_alone.h"

namespace pcw::tables {

/// Rows of one COPY, encoded; at most one version of each id.
struct EncodedRows {
  std::string copy;                  ///< a complete binary COPY stream
  std::vector<std::size_t> offsets;  ///< where each row begins in it
  std::vector<std::size_t> records;  ///< which record of the batch each row is
  std::vector<LeftAlone> left_alone;

  /// The stream of some of its rows: [begin, end).
  std::string Slice(std::size_t begin, std::size_t end) const;
  /// The same rows but those: places, ascending.
  EncodedRows Without(const std::vector<std::size_t>& rows) const;
};

/// A record as its meta tells it, to ask whether the table holds it already.
struct KnownVersion {
  std::string_view id;
  Sha256Digest sha256{};
  Sha256Digest companion_sha256{};
  bool has_companion = false;
  int rank = 0;
};

/// What the table holds of a record.
struct HeldVersion {
  std::size_t place = 0;   ///< among the versions asked for
  bool is_same = false;    ///< these bytes, by this mapping
  WallTime modified_at{};  ///< of what is held, unless it is the same
  int rank = 0;
};

/// What a merge would do, for a dry run.
struct ColumnChange {
  std::string column;
  std::int64_t rows = 0;
  struct Example {
    std::string id, before, after;  ///< as PostgreSQL prints them; "NULL" for none
  };
  std::vector<Example> examples;  ///< at most 3
};
struct Comparison {
  std::vector<std::string> new_ids;
  bool wants_changed_ids = false;
  std::vector<std::string> changed_ids;  ///< if they are wanted
  std::int64_t changed = 0;
  std::int64_t older = 0;  ///< than what is held
  std::vector<ColumnChange> columns;
};

/// Writes one entity's table from bronze. Immutable after construction; thread-safe (each call gets
/// its connection). Every call is for rows of one catalog.
///
/// Unlike EntityTable it knows no run that sees records: a new row gets the run that fetched it as
/// last_seen_run; a rewritten one keeps last_seen_run, missed_full_scans and missing_since.
///
/// Failures are those of pg::Connection; a value the server refuses is kSchemaMismatch.
class BulkTable {
 public:
  /// kInternal as EntityTable::Create. `table` is the table to write, the entity's own or its
  /// shadow.
  static Result<BulkTable> Create(const connector::EntityDef& def,
                                  const connector::Mapping& mapping, std::string table);

  /// kInvalidRequest naming the columns of the mapping that the table does not have.
  Status CheckColumns(pg::Connection& connection, std::stop_token stop) const;

  /// Orders the versions of a batch (RoundsOf) and encodes them. The table's session must be given
  /// the results in order.
  /// `spare` is a buffer to write to: what it has room for is not asked of the system again.
  Result<std::vector<EncodedRows>> Encode(std::span<const MappedRecord> records,
                                          std::string spare = {}) const;

  /// Whether the table holds nothing of the catalog.
  Result<bool> IsEmpty(pg::Connection& connection, std::string_view catalog,
                       std::stop_token stop) const;
  /// Reads what this mapping version made of the catalog: id, the first 8 bytes of payload_sha256
  /// and of companion_sha256 (NULL if there is none), source_rank. `take` gets some thousand rows
  /// at a time; false ends the reading.
  Status ReadContents(pg::Connection& connection, std::string_view catalog,
                      const std::function<bool(const pg::Rows&)>& take, std::stop_token stop) const;
  /// What the table holds of the records of `versions`, by place.
  Result<std::vector<HeldVersion>> FindHeld(pg::Connection& connection, std::string_view catalog,
                                            std::span<const KnownVersion> versions,
                                            std::stop_token stop) const;
  /// Merging the row would leave a held row alone for its age, whatever else is on its way: held
  /// versions only go forward. Never true where an older record can still fill a column.
  bool IsOutdated(const connector::Row& row, int rank, const HeldVersion& held) const;

  /// Inside a transaction, once, before Merge.
  Status PrepareMerge(pg::Connection& connection, std::stop_token stop) const;
  /// Inside the same transaction: merges a complete COPY stream. MergeCounts::unchanged stays 0.
  /// Rows with columns in `left_alone` go through staging, whatever the entity.
  Result<MergeCounts> Merge(pg::Connection& connection, std::string_view catalog,
                            std::string_view copy, std::span<const LeftAlone> left_alone,
                            std::stop_token stop) const;

  /// Makes the session's staging table if it is not there yet.
  Status PrepareStaging(pg::Connection& connection, std::stop_token stop) const;
  /// Inside a transaction: COPY into staging in place of what is there, and FillLeftAlone.
  Status Stage(pg::Connection& connection, std::string_view catalog, std::string_view copy,
               std::span<const LeftAlone> left_alone, std::stop_token stop) const;
  /// Inside the same transaction: what merging would do. Adds to `comparison`.
  Status CompareStaged(pg::Connection& connection, std::string_view catalog, Comparison& comparison,
                       std::stop_token stop) const;

 private:
  struct Sql {
    std::string create_staging, clear_staging, copy, contents, held, is_empty, fill, merge,
        merge_sparse, compare, new_ids, changed_ids, columns;
    std::vector<std::string> examples;  ///< one a compared column
  };
  BulkTable(const connector::EntityDef& def, const connector::Mapping& mapping, std::string table);
  Sql MakeSql() const;
  std::vector<DirectMerge::Field> StreamFields() const;
  std::string MergeSql(bool is_sparse) const;
  void AddCompareSql(Sql& sql) const;
  Result<MergeCounts> MergeStaged(pg::Connection& connection, std::string_view catalog,
                                  std::stop_token stop) const;
  Status EncodeRound(std::span<const MappedRecord* const> round, const MappedRecord* first,
                     std::string spare, EncodedRows& rows) const;

  const connector::EntityDef* def_;
  const connector::Mapping* mapping_;
  std::string table_;
  std::string staging_;
  bool is_ranked_;
  bool has_companion_;
  std::size_t modified_column_ = 0;
  std::size_t version_column_ = 0;
  std::shared_ptr<const Sql> sql_;
  std::shared_ptr<const DirectMerge> direct_;  ///< nullptr: merges go through staging
};

}  // namespace pcw::tables
