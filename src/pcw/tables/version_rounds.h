// The order in which several versions of one record in a batch reach the table.
#pragma once

#include <span>
#include <vector>

#include "pcw/tables/entity_table.h"

namespace pcw::tables {

/// How versions of a record are told apart.
enum class VersionClock {
  kSource,    ///< by a time that is part of the record: only the newest one matters
  kObserved,  ///< by when AWS served them: each change counts, so that a rebuild ends as it began
};

/// Splits records, given in the order they were read, into rounds with at most one version of each
/// id; merged one after the other, they leave the table as merging record by record would. Versions
/// that change nothing (same bytes as the one before, older than it, from a lower source) are left
/// out, and versions before one that tells every column. `modified_column` is the place of
/// source_modified_at in a row.
std::vector<std::vector<const MappedRecord*>> RoundsOf(std::span<const MappedRecord> records,
                                                       std::size_t modified_column,
                                                       std::size_t version_column,
                                                       VersionClock clock);

}  // namespace pcw::tables
