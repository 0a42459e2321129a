// Groups of dead letters that may succeed by now, because their mapping has changed: each tried
// once.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/base/result.h"
#include "pcw/pg/connection.h"

namespace pcw::dlq {

/// Open dead letters of one cause that failed by one version of the mapping.
struct VersionedGroup {
  std::string fingerprint, entity;
  int mapping_version = 0;
  std::int64_t letters = 0;
  std::string sample_id;  ///< the newest of them
};

Result<std::vector<VersionedGroup>> LoadVersionedGroups(pg::Connection& connection,
                                                        std::string_view tenant_id,
                                                        std::stop_token stop);

/// True if the caller is to try the group by this version of the mapping: nobody has, nobody does.
/// One whose trial has not ended after ten minutes is given to the next who asks.
Result<bool> ClaimTrial(pg::Connection& connection, std::string_view tenant_id,
                        std::string_view fingerprint, int mapping_version, std::stop_token stop);
/// How the trial ended. An empty outcome gives the claim back: it is tried again.
Status EndTrial(pg::Connection& connection, std::string_view tenant_id,
                std::string_view fingerprint, int mapping_version, std::string_view outcome);

}  // namespace pcw::dlq
