// Rows of entity tables in numbers: for the doctor.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "pcw/connector/entity_def.h"
#include "pcw/pg/connection.h"

namespace pcw::tables {

/// Rows that another version of the mapping made.
Result<std::int64_t> CountRowsOfOtherMappings(pg::Connection& connection,
                                              const connector::EntityDef& entity, int version,
                                              std::stop_token stop);

/// Rows that AWS has an older version of than is held, seen by two runs or more, or dated ahead.
struct OlderVersions {
  std::vector<std::string> ids;  ///< the first three
  std::int64_t rows = 0;
};
Result<OlderVersions> FindOlderVersions(pg::Connection& connection,
                                        const connector::EntityDef& entity, std::stop_token stop);

/// What the runbook asks of the opportunities that changed in the last 24 hours (runbook 1.3).
struct RecentOpportunities {
  std::int64_t rows = 0, without_company = 0, without_revenue = 0;
};
Result<RecentOpportunities> CountRecentOpportunities(pg::Connection& connection,
                                                     std::stop_token stop);

}  // namespace pcw::tables
