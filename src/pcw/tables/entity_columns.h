// Whether an entity's table has the columns of a mapping.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "pcw/base/result.h"
#include "pcw/connector/entity_def.h"
#include "pcw/connector/mapping.h"
#include "pcw/pg/connection.h"

namespace pcw::tables {

struct ColumnCheck {
  struct Missing {
    std::string column;
    std::string statement;  ///< the ALTER TABLE that adds it
  };
  bool has_table = false;  ///< else nothing is compared
  std::vector<Missing> missing;
  std::vector<std::string> conflicts;  ///< "stage: the mapping says date, the table text"
  std::vector<std::string> left;       ///< columns that a mapping filled once and this one does not
  std::vector<std::string> owners;     ///< columns that no mapping ever filled: the table owner's
};

/// One column of a table, as the server has it.
struct TableColumn {
  std::string name;
  std::string type;            ///< format_type's: "timestamp with time zone"
  bool must_be_given = false;  ///< NOT NULL, and nothing fills it by itself
  bool is_generated = false;   ///< nobody can write it
};

/// The comparison itself. `filled_once`: columns that a mapping filled at any time. Pure.
ColumnCheck CompareColumns(const connector::EntityDef& entity, const connector::Mapping& mapping,
                           std::span<const TableColumn> columns,
                           const std::set<std::string>& filled_once);

/// Compares; changes nothing.
Result<ColumnCheck> CheckColumns(pg::Connection& connection, const connector::EntityDef& entity,
                                 const connector::Mapping& mapping, std::stop_token stop);

/// Empties columns that have left the mapping, in the rows of the tenant: what they hold is of no
/// mapping any more, and a table that is rebuilt from bronze has NULL there (I9). Inside the
/// caller's transaction. Returns how many rows had a value.
Result<std::int64_t> ClearColumns(pg::Connection& connection, const connector::EntityDef& entity,
                                  const std::vector<std::string>& columns, std::stop_token stop);
/// How many rows of the tenant have a value in `column`.
Result<std::int64_t> CountFilled(pg::Connection& connection, const connector::EntityDef& entity,
                                 const std::string& column, std::stop_token stop);

/// Adds the columns that the table lacks, nullable, as pcw_owner; never drops or retypes one.
/// kConfig for a conflict, and then nothing is added. Returns how many.
Result<int> AddColumns(pg::Connection& admin, const connector::EntityDef& entity,
                       const connector::Mapping& mapping, std::stop_token stop);

}  // namespace pcw::tables
