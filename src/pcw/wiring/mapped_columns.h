// The columns that a tenant's own mappings add to the entity tables.
#pragma once

#include <stop_token>

#include "pcw/config/config.h"
#include "pcw/pg/connection.h"

namespace pcw::wiring {

/// Adds the nullable columns that configured mappings have and the tables lack. Built-in mappings
/// need none. kConfig for mistakes in a mapping, and for a column of another type. Returns how
/// many.
Result<int> AddMappedColumns(const config::Config& config, pg::Connection& admin,
                             std::stop_token stop);

}  // namespace pcw::wiring
