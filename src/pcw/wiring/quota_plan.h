// What `pcw sync plan` and `pcw quota plan` share: the ledger of an account, and a plan in words.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "pcw/base/json.h"
#include "pcw/config/config.h"
#include "pcw/quota/planner.h"
#include "pcw/wiring/wiring.h"

namespace pcw::wiring {

/// When `calls` of a class ("read" or "write") would be done for `purpose`, from now on. Going on
/// after a pause costs `calls_per_resume` more.
Result<quota::Plan> PlanFor(pg::Connection& connection, const config::Config& config,
                            const std::string& account_id, std::string_view quota_class,
                            quota::Purpose purpose, std::int64_t calls,
                            std::int64_t calls_per_resume, Machine& machine, std::stop_token stop);

/// How many calls a sync that was stopped by a spent day waits for: ten times what listing again
/// costs, so that the freed minutes go into records and not into starting.
std::int64_t ResumeWith(std::int64_t calls_per_resume);

/// Members calls, left_24h, finish_at, takes, pauses [{from, until, reason}].
OrderedJson DescribePlan(const quota::Plan& plan, WallTime now);

/// Whether the planned calls are one run that keeps others of its entity out.
enum class EntityHeld { kYes, kNo };

/// What would have to wait: sentences for people.
std::vector<std::string> DelaysOf(const config::Config& config, const quota::Plan& plan,
                                  WallTime now, EntityHeld entity);

}  // namespace pcw::wiring
