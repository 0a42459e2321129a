// A table made anew beside the live one, and put in its place in one transaction.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pcw/connector/entity_def.h"
#include "pcw/jobs/lease.h"
#include "pcw/pg/connection.h"

namespace pcw::reingest {

/// "partnercentral_opportunities_shadow".
std::string ShadowOf(const connector::EntityDef& def);

/// As pcw_owner: drops what an earlier rebuild left and makes the shadow, empty, with the live
/// table's columns, defaults, constraints, indexes, policies, grants and storage settings.
/// kInvalidRequest if the live table holds rows of another tenant, or has triggers of its own.
Status MakeShadow(pg::Connection& owner, const connector::EntityDef& def,
                  const std::string& tenant_id, std::stop_token stop);

/// As pcw_owner, in one transaction: takes over what bronze does not know (first_seen_at,
/// last_seen_run, missed_full_scans, missing_since, and the columns `kept`, which are the table
/// owner's), and swaps the tables. kInvalidRequest, with
/// nothing changed, if rows would vanish or fall back to an older version and `expect_lost` is not
/// exactly their number, if rows of another tenant are there, or if a view depends on the table.
Status SwapShadow(pg::Connection& owner, const connector::EntityDef& def, const jobs::Lease& lease,
                  const std::vector<std::string>& kept, std::optional<std::int64_t> expect_lost,
                  std::stop_token stop);

}  // namespace pcw::reingest
