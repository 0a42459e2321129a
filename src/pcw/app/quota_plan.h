// What `pcw sync plan` and `pcw quota plan` share: the ledger of an account, and a plan in words.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "pcw/app/config.h"
#include "pcw/app/wiring.h"
#include "pcw/base/json.h"
#include "pcw/quota/planner.h"

namespace pcw::app {

/// When `calls` of a class ("read" or "write") would be done for `purpose`, from now on.
Result<quota::Plan> PlanFor(pg::Connection& connection, const Config& config,
                            const std::string& account_id, std::string_view quota_class,
                            quota::Purpose purpose, std::int64_t calls, Machine& machine,
                            std::stop_token stop);

/// Members calls, left_24h, finish_at, takes, pauses [{from, until, reason}].
OrderedJson DescribePlan(const quota::Plan& plan, std::int64_t calls, WallTime now);

/// What would have to wait: sentences for people. `duration` is how long a full sync would hold its
/// entity.
std::vector<std::string> DelaysOf(const Config& config, const quota::Plan& plan, WallTime now,
                                  bool holds_entity);

}  // namespace pcw::app
