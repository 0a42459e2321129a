// Which mapping an entity's rows are made by, so that processes with different mappings do not
// undo each other's work.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "pcw/base/result.h"
#include "pcw/pg/connection.h"

namespace pcw::runs {

/// Whether a run may go back to an older mapping, which only a re-ingest that was asked to does: it
/// makes all rows anew.
enum class OlderMapping { kRefuse, kAdopt };

/// Notes that a run begins with this version of the entity's mapping. kConfig with reason
/// older_mapping when another process has begun a run with a newer one: the rows of the two would
/// alternate. Part of the transaction that begins the run, under the entity's lease.
Status TakeMappingVersion(pg::Connection& connection, std::int64_t connector_id,
                          std::string_view entity, int version, std::string_view run_id,
                          OlderMapping older, std::stop_token stop);

/// The newest version that a run has begun with; nullopt: none yet.
Result<std::optional<int>> LoadMappingVersion(pg::Connection& connection, std::string_view entity,
                                              std::stop_token stop);

}  // namespace pcw::runs
