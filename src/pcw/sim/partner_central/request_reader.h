// Reading the members of a request whose form was checked already.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "pcw/base/clock.h"
#include "pcw/base/json.h"
#include "pcw/sim/faults.h"

namespace pcw::sim {

/// One call that may be executed: what was asked, the faults that fired for it, the service's time.
struct CheckedCall {
  const Json& request;
  const FaultDecision& faults;
  WallTime now;
};

/// A member that is present and not null; nullptr otherwise.
const Json* MemberOf(const Json& object, const char* name);

/// The texts of a list; none if it is absent.
std::set<std::string> TextsOf(const Json& request, const char* name);

/// Whether a filter lets a value pass: an absent or empty list lets all.
bool Admits(const std::set<std::string>& filter, const std::string& value);

/// Sort.SortBy, or `fallback`; and whether Sort.SortOrder is DESCENDING.
std::string SortNameOf(const Json& request, const char* fallback);
bool IsDescending(const Json& request);

/// What a page token is bound to: everything but the token itself and the page size.
std::uint64_t FingerprintOf(Json request);

}  // namespace pcw::sim
