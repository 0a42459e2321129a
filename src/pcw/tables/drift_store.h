// Drift findings and the baseline of rates in PostgreSQL.
#pragma once

#include <cstdint>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/base/result.h"
#include "pcw/connector/drift.h"
#include "pcw/pg/connection.h"

namespace pcw::tables {

/// Whose findings. Views.
struct DriftScope {
  std::int64_t connector_id = 0;
  std::string_view entity;
  std::string_view catalog;
  std::string_view run_id;
};

/// The keys of accepted findings of an entity: never reported or acted upon again.
Result<std::set<connector::DriftKey>> LoadAcceptedDrift(pg::Connection& connection,
                                                        std::int64_t connector_id,
                                                        std::string_view entity,
                                                        std::stop_token stop);

/// Adds findings inside the caller's transaction; one seen before counts on and keeps its sample.
/// Accepted ones are left alone. `bronze_key` holds the samples; empty = none.
Status SaveDrift(pg::Connection& connection, const DriftScope& scope, std::string_view bronze_key,
                 const connector::DriftFindings& findings);

/// Compares the rates of a complete run with the baseline, keeps what is odd as findings and adds
/// the rest to the baseline. Inside the caller's transaction.
Status LearnDrift(pg::Connection& connection, const DriftScope& scope,
                  const connector::RateTallies& tallies,
                  const std::set<connector::DriftKey>& accepted);

/// A finding as it is stored. Texts are as the database gives them; empty = NULL.
struct StoredFinding {
  std::int64_t id = 0;
  std::string entity, kind, status, operation, pointer, column, found, expected, sample_record,
      bronze_key, first_seen_run, last_seen_run, first_seen_at, last_seen_at, baseline_rate,
      observed_rate, note, accepted_at;
  std::int64_t records = 0;
  int bronze_line = 0;
};

struct DriftFilter {
  std::string entity;           ///< empty = every
  std::string status = "open";  ///< empty = every
  std::string kind;             ///< empty = every
  int limit = 100;
};

/// Newest first.
Result<std::vector<StoredFinding>> LoadDrift(pg::Connection& connection, const DriftFilter& filter,
                                             std::stop_token stop);
/// Page by page, in falling order of id, which is the order in which they were first met and never
/// changes. `before_id` empty = from the newest.
Result<std::vector<StoredFinding>> LoadDriftPage(pg::Connection& connection,
                                                 const DriftFilter& filter,
                                                 std::string_view before_id, std::stop_token stop);
/// kNotFound.
Result<StoredFinding> LoadDriftFinding(pg::Connection& connection, std::int64_t id,
                                       std::stop_token stop);

/// Accepts open findings: those of `ids`, or with no ids all of `entity` (empty = every). Returns
/// how many. kNotFound, and nothing is accepted, if one of the ids does not exist.
Result<std::int64_t> AcceptDrift(pg::Connection& connection, const std::vector<std::int64_t>& ids,
                                 std::string_view entity, std::string_view note,
                                 std::stop_token stop);

}  // namespace pcw::tables
