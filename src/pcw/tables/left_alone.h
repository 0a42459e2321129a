// Columns that a record says nothing usable of keep what the table has in them.
#pragma once

#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/base/result.h"
#include "pcw/connector/entity_def.h"
#include "pcw/connector/mapping.h"
#include "pcw/pg/connection.h"

namespace pcw::tables {

/// One column of one staged row whose value did not fit it.
struct LeftAlone {
  std::string id;
  std::size_t column = 0;  ///< its place in the mapping
};

/// Where staged rows wait, and the table that they are merged into.
struct MergeLocation {
  std::string_view staging;
  std::string_view table;
  std::string_view catalog;
};

/// Fills those columns of the staged rows with what the table holds of the same records, before the
/// merge: a value that cannot be stored must not become NULL over a good one. Of a record that the
/// table does not hold they stay NULL. A statement a column, and none if there are none.
Status FillLeftAlone(pg::Connection& connection, const connector::EntityDef& def,
                     const connector::Mapping& mapping, const MergeLocation& location,
                     std::span<const LeftAlone> left_alone, std::stop_token stop);

}  // namespace pcw::tables
