// Merges encoded rows into an entity's table without a staging table between.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/connector/entity_def.h"
#include "pcw/connector/mapping.h"
#include "pcw/pg/connection.h"
#include "pcw/tables/entity_table.h"

namespace pcw::tables {

/// One INSERT ... VALUES ... ON CONFLICT for some dozens of rows at a time, their fields bound as
/// they stand in the COPY stream. A staging table would be written, compressed, indexed in TOAST
/// and read again for each row: a sixth of what the server spends on it (docs/performance.md).
///
/// For entities without sparse records, whose merge has to look at the staged rows twice.
/// Immutable after construction; thread-safe (each call gets its connection).
class DirectMerge {
 public:
  /// `fields` are the columns of the stream with their types, in its order; `fetched_run` among
  /// them goes to last_seen_run.
  struct Field {
    std::string column, type;
  };
  DirectMerge(const connector::EntityDef& def, const connector::Mapping& mapping,
              std::string_view table, const std::vector<Field>& fields);

  /// Once in each transaction, before Run.
  static Status Prepare(pg::Connection& connection, std::stop_token stop);

  /// Inside a transaction: merges the rows of a complete COPY stream, at most one version of each
  /// id. MergeCounts::unchanged stays 0. Failures are those of pg::Connection; kInternal if the
  /// stream is not what it should be.
  Result<MergeCounts> Run(pg::Connection& connection, std::string_view catalog,
                          std::string_view copy, std::stop_token stop) const;

 private:
  std::string MakeSql(const connector::EntityDef& def, const connector::Mapping& mapping,
                      std::string_view table, const std::vector<Field>& fields,
                      std::size_t rows) const;

  std::size_t fields_;
  std::string version_;           ///< of the mapping, as int4
  std::vector<std::string> sql_;  ///< for 1, 2, 4, ... rows
};

}  // namespace pcw::tables
