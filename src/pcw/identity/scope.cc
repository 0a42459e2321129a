#include "pcw/identity/scope.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "pcw/base/nearest.h"
#include "pcw/base/storable_text.h"

namespace pcw::identity {
namespace {

constexpr std::array kScopes{
    ScopeDef{Scope::kSyncRun, "sync:run", "start and cancel runs"},
    ScopeDef{Scope::kRunsRead, "runs:read", "runs, connectors, health, quota, doctor, metrics"},
    ScopeDef{Scope::kDataRead, "data:read", "drift findings and records"},
    ScopeDef{Scope::kDlqRead, "dlq:read", "dead letters"},
    ScopeDef{Scope::kDlqReplay, "dlq:replay", "replay and drop dead letters"},
    ScopeDef{Scope::kActionsPropose, "actions:propose", "propose writes to AWS"},
    ScopeDef{Scope::kActionsApprove, "actions:approve", "approve and reject writes to AWS"},
    ScopeDef{Scope::kMeterWrite, "meter:write", "record and submit usage"},
    ScopeDef{Scope::kMeterRead, "meter:read", "the usage ledger"},
    ScopeDef{Scope::kAuditRead, "audit:read", "the audit log"},
    ScopeDef{Scope::kAdmin, "admin", "everything"},
};
static_assert(kScopes.size() == static_cast<std::size_t>(Scope::kAdmin) + 1);

}  // namespace

std::span<const ScopeDef> AllScopes() { return kScopes; }

std::string_view NameOf(Scope scope) { return kScopes[static_cast<std::size_t>(scope)].name; }

Result<Scope> ParseScope(std::string_view name) {
  std::vector<std::string> known;
  for (const ScopeDef& def : kScopes) {
    if (def.name == name) return def.scope;
    known.emplace_back(def.name);
  }
  const auto nearest = NearestName(name, known);
  return Error(ErrorCode::kInvalidRequest,
               fmt::format("\"{}\" is not a scope; expected one of {}{}", CutAtCharacter(name, 64),
                           fmt::join(known, ", "),
                           nearest ? fmt::format("; did you mean {}?", *nearest) : ""));
}

std::vector<std::string> ScopeSet::Names() const {
  std::vector<std::string> names;
  for (const ScopeDef& def : kScopes) {
    if ((bits_ & Bit(def.scope)) != 0) names.emplace_back(def.name);
  }
  return names;
}

ScopeSet ScopesFromArray(std::string_view array) {
  ScopeSet scopes;
  if (array.size() < 2) return scopes;
  // Names have no character that PostgreSQL would quote.
  for (std::string_view rest = array.substr(1, array.size() - 2); !rest.empty();) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    for (const ScopeDef& def : kScopes) {
      if (def.name == rest.substr(0, comma)) scopes.Add(def.scope);
    }
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return scopes;
}

std::string ScopesToArray(const ScopeSet& scopes) {
  return fmt::format("{{{}}}", fmt::join(scopes.Names(), ","));
}

}  // namespace pcw::identity
