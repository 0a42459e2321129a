// Whether an entity's table has the columns of a mapping.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "pcw/base/result.h"
#include "pcw/connector/entity_def.h"
#include "pcw/connector/mapping.h"
#include "pcw/pg/connection.h"

namespace pcw::sync {

struct ColumnCheck {
  struct Missing {
    std::string column;
    std::string statement;  ///< the ALTER TABLE that adds it
  };
  bool has_table = false;  ///< else nothing is compared
  std::vector<Missing> missing;
  std::vector<std::string> conflicts;  ///< "stage: the mapping says date, the table text"
};

/// Compares; changes nothing.
Result<ColumnCheck> CheckColumns(pg::Connection& connection, const connector::EntityDef& entity,
                                 const connector::Mapping& mapping, std::stop_token stop);

/// Adds the columns that the table lacks, nullable, as pcw_owner; never drops or retypes one.
/// kConfig for a conflict, and then nothing is added. Returns how many.
Result<int> AddColumns(pg::Connection& admin, const connector::EntityDef& entity,
                       const connector::Mapping& mapping, std::stop_token stop);

}  // namespace pcw::sync
