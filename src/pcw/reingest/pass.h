// The work of a re-ingest once its run exists: bronze is read, mapped, and merged.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "pcw/jobs/lease.h"
#include "pcw/reingest/reingest.h"

namespace pcw::reingest {

/// What a pass works on; everything outlives it.
struct ReingestPass {
  const connector::EntityDef& def;
  const connector::Mapping& mapping;
  const tables::BulkTable& table;  ///< the entity's own, or the shadow of a rebuild
  const ReingestOptions& options;
  ReingestDeps& deps;
  pg::Database& database;
  const jobs::Lease* lease;  ///< null for a dry run
  std::string run_id;        ///< empty for a dry run
  std::int64_t connector_id;
};

/// Reads what `selection` names behind `after_key` (the bronze key of an object; empty = all), and
/// ends the run if there is one. Failures are in the outcome: kUnavailable of lake or database,
/// kConflict when the lease was lost, kCancelled after a stop. Blocks; owns its threads.
ReingestOutcome RunPass(const ReingestPass& pass, ReingestSelection selection,
                        std::string after_key, std::stop_token stop);

}  // namespace pcw::reingest
