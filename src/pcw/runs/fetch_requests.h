// Records that somebody asked to be fetched by name: events today. Asked for once, whoever asks how
// often, and remembered until they have landed.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/base/clock.h"
#include "pcw/base/rng.h"
#include "pcw/connector/entity_def.h"
#include "pcw/pg/connection.h"

namespace pcw::runs {

/// How many records one run of mode fetch takes, so that a sweep never waits long for it.
inline constexpr int kMostFetches = 1000;

/// Whose requests: one entity of one connector in one catalog.
struct FetchScope {
  std::int64_t connector_id = 0;
  std::string entity;
  std::string catalog;
};

/// One record to be fetched, and by which call.
struct FetchArgs {
  std::string record_key;
  std::string detail_key;                        ///< what the detail call takes
  const connector::SourceDef* source = nullptr;  ///< one that has a detail call
};

/// A request as a run takes it.
struct FetchRequest {
  std::string record_key, detail_key, operation;
  std::int64_t generation = 0;
};

/// Remembers a request inside the caller's transaction. Requests for one record are one: of several
/// detail calls the one of the highest rank stays.
Status AddFetchRequest(pg::Connection& connection, const FetchScope& scope, const FetchArgs& args,
                       std::stop_token stop);

/// What is to be fetched now, the oldest first, at most kMostFetches. Takes nothing away.
Result<std::vector<FetchRequest>> LoadFetchRequests(pg::Connection& connection,
                                                    const FetchScope& scope, std::stop_token stop);

/// Forgets the requests that a run has carried out, except those that were asked for again since.
/// Inside the transaction that ends the run.
Status EndFetchRequests(pg::Connection& connection, const FetchScope& scope,
                        const std::vector<FetchRequest>& done, std::stop_token stop);

/// Puts an entity's requests off by five minutes: the run for them has failed for good.
Status PostponeFetchRequests(pg::Connection& connection, std::int64_t connector_id,
                             std::string_view entity, std::stop_token stop);

/// Makes a run of mode fetch, with its job, for every entity that has requests, no such run yet,
/// and no other run that is at work or about to begin. Returns the new runs' ids. Transactions of
/// its own.
Result<std::vector<std::string>> RequestFetches(pg::Connection& connection,
                                                std::int64_t connector_id, std::string_view catalog,
                                                Rng& rng, Clock& clock, std::stop_token stop);

/// Forgets requests of a catalog that is followed no longer, and what no run could get in 22 days:
/// sweeps know better by now.
Status PruneFetchRequests(pg::Connection& connection, std::stop_token stop);

/// Requests that wait, and since when the oldest does.
struct WaitingFetches {
  std::int64_t records = 0;
  std::string oldest_at;  ///< RFC 3339; empty = none
};
Result<WaitingFetches> CountFetchRequests(pg::Connection& connection, std::stop_token stop);

}  // namespace pcw::runs
