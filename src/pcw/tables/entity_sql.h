// What the SQL of every writer of an entity's table shares.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "pcw/base/error.h"
#include "pcw/connector/entity_def.h"
#include "pcw/connector/mapping.h"
#include "pcw/pg/binary_copy.h"
#include "pcw/tables/entity_table.h"

namespace pcw::tables {

std::string_view SqlType(connector::ColumnType type);

/// A column's name as SQL: `order` and `user` are words of the language otherwise. For every name
/// that a mapping may have made up.
std::string Quoted(std::string_view column);

/// Appends one mapped value to a COPY stream.
Status AddValue(pg::BinaryCopy& copy, const connector::Value& value, connector::ColumnType type);

/// Appends listed_version and accepted_key.
void AddVersionNames(pg::BinaryCopy& copy, const MappedRecord& record);

/// Which columns a staging table has, for COPY: those of the mapping, what every record has, then
/// what only some tables have.
struct StagingRow {
  const connector::Mapping& mapping;
  bool has_run = false;  ///< the run that fetched the record
  bool has_companion = false;
  bool is_ranked = false;
  bool has_sparse = false;

  std::size_t fields() const;
};

/// About how many bytes the records take in COPY.
std::size_t ExpectedBytes(const StagingRow& row, std::span<const MappedRecord* const> records);

/// Adds a record as a row. Errors as AddValue; kInternal for a run that is not a UUID.
Status AddRecord(pg::BinaryCopy& copy, const StagingRow& row, const MappedRecord& record);

/// A row that the server refuses is the record's fault, not the statement's: kSchemaMismatch then,
/// else the error as it is. SQLSTATE classes 22 (its values), 23 (a constraint, of whoever added it
/// to the table), 54 (a limit of the server) and P0 (what a trigger raises).
Error AsDataError(Error error);

/// Columns of an entity table that no mapping fills and that a record brings, each followed by
/// ", ".
std::string OwnColumns(const connector::EntityDef& def);

/// "a = excluded.a, " for every column a record brings, but the id. A sparse record leaves alone
/// what it does not tell, and notes who told it.
std::string Assignments(const connector::EntityDef& def, const connector::Mapping& mapping,
                        bool is_sparse);

/// Of an entity with sparse records: what `kept_from` holds of the row `fresh` when nothing is held
/// yet, as an expression. NULL for a record that tells everything.
std::string KeptWhenNew(const connector::EntityDef& def, const connector::Mapping& mapping,
                        std::string_view fresh, bool is_sparse);

/// Of an entity with sparse records: the UPDATE that takes from staged rows older than the held one
/// ($1 = catalog) what no newer record has told. With it, rows end the same in whatever order
/// records come.
std::string FillSql(const connector::EntityDef& def, const connector::Mapping& mapping,
                    std::string_view table, std::string_view staging);

/// The rule of I4 as SQL: whether the row `fresh` replaces the row t. `version` is the mapping
/// version of the former. The same bytes under another name of their version replace too: the
/// list's name of it is what tells the next scan that there is nothing to fetch, and a re-ingest
/// must end with the name that the sync ended with (I9).
std::string ReplacesHeld(const connector::EntityDef& def, std::string_view fresh,
                         std::string_view version);

}  // namespace pcw::tables
