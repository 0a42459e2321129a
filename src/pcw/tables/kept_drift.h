// What places have already of drift, so that made-up names cannot fill the table.
#pragma once

#include <set>
#include <stop_token>
#include <string_view>

#include "pcw/base/result.h"
#include "pcw/connector/drift.h"
#include "pcw/pg/connection.h"

namespace pcw::tables {

/// The keys of an entity's open findings of unknown members and new values, the newest thousand:
/// those that a place keeps apart (DriftObserver). Errors: those of the connection.
Result<std::set<connector::DriftKey>> LoadKeptDrift(pg::Connection& connection,
                                                    std::int64_t connector_id,
                                                    std::string_view entity, std::stop_token stop);

}  // namespace pcw::tables
