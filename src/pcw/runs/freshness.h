// How old each entity's data is: health as the people who use the data see it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/pg/connection.h"

namespace pcw::runs {

/// An entity and how often it is meant to be synced.
struct ExpectedEntity {
  std::string entity;
  std::chrono::milliseconds interval{0};
};

enum class Freshness {
  kOk,
  kStale,    ///< older than twice the interval and a minute
  kFailing,  ///< the newest run that ended has failed
  kNever,    ///< nothing was ever synced completely, and nothing failed either
};
std::string_view NameOf(Freshness freshness);

/// Texts are as the database gives them; empty = there is none.
struct EntityFreshness {
  std::string entity;
  std::chrono::milliseconds interval{0};
  Freshness freshness = Freshness::kNever;
  /// Since the last complete scan began: what changed later may be missing.
  std::optional<std::chrono::seconds> age;
  std::string complete_run, complete_at;  ///< the last complete scan: succeeded or partial
  std::string ended_run, ended_status, ended_error_code, ended_at;  ///< the newest that ended
  std::string open_run, open_status;
  std::string future_run;  ///< one that began later than now: it does not count
  std::string watermark;
};

/// In the order of `expected`. Ages are by the database's clock.
Result<std::vector<EntityFreshness>> LoadFreshness(pg::Connection& connection,
                                                   std::int64_t connector_id,
                                                   std::string_view catalog,
                                                   const std::vector<ExpectedEntity>& expected,
                                                   std::stop_token stop);

/// The rule, on its own.
Freshness JudgeFreshness(std::optional<std::chrono::seconds> age,
                         std::chrono::milliseconds interval, bool newest_has_failed);

}  // namespace pcw::runs
