// The table of one entity: what is held, and the merge that never goes backwards (I4). Its SQL is
// made once from compiled-in definitions.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "pcw/base/digest.h"
#include "pcw/connector/entity_def.h"
#include "pcw/connector/mapping.h"
#include "pcw/pg/connection.h"
#include "pcw/tables/change_listener.h"

namespace pcw::tables {

/// What the table holds of one record.
struct HeldRecord {
  std::string version;  ///< source_version, verbatim
  std::string listed;   ///< what the list called it, if it was something else
  WallTime modified_at;
  std::string last_seen_run;
  int rank = 0;  ///< of the source that made the row
};

/// One record ready for the table. Views are owned by the batch.
struct MappedRecord {
  std::string id;
  connector::Row row;
  int rank = 0;
  bool is_sparse = false;  ///< what it does not tell stays as it is
  std::string_view payload;
  Sha256Digest payload_sha256{};
  std::string_view companion{};  ///< empty = none
  Sha256Digest companion_sha256{};
  std::string_view bronze_key;
  int bronze_line = 0;
  std::string_view listed_version{};  ///< as ListedName gives it; empty = none
  bool accepts_older = false;         ///< an operator wants it, however old it is
  std::string_view fetched_run{};     ///< the run whose bronze it is; only a re-ingest needs it
};

/// What is kept of the name that the list gave a version: nothing where the record itself has the
/// same name, or where no name tells it from the next version: whole seconds while that second was
/// not over when AWS served the record. Empty = nothing.
std::string_view ListedName(std::string_view listed, std::string_view source_version,
                            std::string_view served_at);

/// A held record, and how to ask AWS for it.
struct HeldKey {
  std::string id;
  std::string key;  ///< what the detail call takes
};

struct MergeCounts {
  std::int64_t inserted = 0;
  std::int64_t updated = 0;
  std::int64_t unchanged = 0;  ///< same content and mapping, or older than what is held
};

/// Reads and writes one entity's table. Immutable after construction; thread-safe (each call gets
/// its connection).
///
/// Failures are those of pg::Connection. A value the server refuses (SQLSTATE class 22) is
/// kSchemaMismatch.
class EntityTable {
 public:
  /// kInternal if the mapping lacks what the engine needs (id column, source_version,
  /// source_modified_at): a build fault.
  static Result<EntityTable> Create(const connector::EntityDef& def,
                                    const connector::Mapping& mapping);

  /// The held versions of `ids`.
  Result<std::unordered_map<std::string, HeldRecord>> LoadHeld(pg::Connection& connection,
                                                               std::string_view catalog,
                                                               std::span<const std::string> ids,
                                                               std::stop_token stop) const;

  /// Merges records, in the order they were read, inside the caller's transaction: binary COPY into
  /// a temporary table, then one INSERT ... ON CONFLICT. A stored row is replaced only by other
  /// bytes or another mapping of a version that is no older, from a source of no lower rank (I4).
  /// Unchanged rows are not written, except that this run has seen them, under which version.
  /// `changes`, if given, is told what changes; asking costs one more statement a batch.
  Result<MergeCounts> Merge(pg::Connection& connection, std::string_view catalog,
                            std::string_view run_id, std::span<const MappedRecord> records,
                            std::stop_token stop,
                            std::vector<LandedChange>* changes = nullptr) const;

  /// Notes that a run saw these records: those that are held are there, and not missing.
  Status MarkSeen(pg::Connection& connection, std::string_view catalog, std::string_view run_id,
                  std::span<const std::string> ids, std::stop_token stop) const;

  /// Rows present (not marked missing).
  Result<std::int64_t> CountPresent(pg::Connection& connection, std::string_view catalog,
                                    std::stop_token stop) const;

  /// Rows of that source which this full scan and the one before it both missed: to be confirmed by
  /// a Get.
  Result<std::vector<HeldKey>> LoadHeldKeys(pg::Connection& connection, std::string_view catalog,
                                            std::string_view run_id,
                                            const connector::SourceDef& source,
                                            std::stop_token stop) const;
  /// Some rows of that source, the last changed first: records that AWS gave.
  Result<std::vector<HeldKey>> LoadRecentlyChanged(pg::Connection& connection,
                                                   std::string_view catalog,
                                                   const connector::SourceDef& source,
                                                   std::stop_token stop) const;
  /// Counts one more missed full scan for every row this run did not see, and marks `confirmed` as
  /// missing. Rows are never deleted.
  Status RecordAbsence(pg::Connection& connection, std::string_view catalog,
                       std::string_view run_id, std::span<const std::string> confirmed,
                       std::stop_token stop) const;

 private:
  struct Sql {
    std::string load_held, create_staging, clear_staging, copy, merge, merge_sparse, fill, touch,
        mark_seen, count_present, candidates, recent, count_missed, mark_missing, changes;
  };
  EntityTable(const connector::EntityDef& def, const connector::Mapping& mapping);
  Sql MakeSql() const;
  std::string MergeSql(bool is_sparse) const;
  std::string ChangesSql() const;
  Status LoadChanges(pg::Connection& connection, std::string_view catalog,
                     std::vector<LandedChange>& changes, std::stop_token stop) const;
  Status CopyToStaging(pg::Connection& connection, std::span<const MappedRecord* const> records,
                       std::stop_token stop) const;
  Status MergeRound(pg::Connection& connection, std::string_view catalog, std::string_view run_id,
                    std::span<const MappedRecord* const> records, MergeCounts& counts,
                    std::vector<LandedChange>* changes, std::stop_token stop) const;

  const connector::EntityDef* def_;
  const connector::Mapping* mapping_;
  bool is_ranked_;      ///< several sources fill the table: it has source_rank
  bool has_companion_;  ///< it has companion_json and companion_sha256
  std::size_t modified_column_ = 0;
  std::size_t version_column_ = 0;
  std::shared_ptr<const Sql> sql_;
};

/// The place of a required column in a row of the mapping.
std::size_t PlaceOf(const connector::Mapping& mapping, std::string_view column);

/// A PostgreSQL text[] literal.
std::string ArrayLiteral(std::span<const std::string> items);

}  // namespace pcw::tables
