// What a token may do: a fixed, small list of scopes, and sets of them.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/base/result.h"

namespace pcw::identity {

/// kAdmin implies every other one.
enum class Scope : std::uint8_t {
  kSyncRun,
  kRunsRead,
  kDataRead,
  kDlqRead,
  kDlqReplay,
  kActionsPropose,
  kActionsApprove,
  kMeterWrite,
  kMeterRead,
  kAuditRead,
  kAdmin,
};

struct ScopeDef {
  Scope scope;
  std::string_view name;    ///< "sync:run"
  std::string_view allows;  ///< for people
};
/// Every scope, in the order of the enum.
std::span<const ScopeDef> AllScopes();
/// "sync:run".
std::string_view NameOf(Scope scope);
/// kInvalidRequest with the known names and the nearest one.
Result<Scope> ParseScope(std::string_view name);

/// A set of scopes. A value.
class ScopeSet {
 public:
  ScopeSet() = default;
  ScopeSet(std::initializer_list<Scope> scopes) {
    for (const Scope scope : scopes) Add(scope);
  }
  void Add(Scope scope) { bits_ |= Bit(scope); }
  /// True if the set has the scope, or kAdmin.
  bool Allows(Scope scope) const { return (bits_ & (Bit(scope) | Bit(Scope::kAdmin))) != 0; }
  bool empty() const { return bits_ == 0; }
  std::vector<std::string> Names() const;

 private:
  static std::uint32_t Bit(Scope scope) { return 1U << static_cast<unsigned>(scope); }
  std::uint32_t bits_ = 0;
};

/// A PostgreSQL text[] of scope names. Names of a newer version are left out: they allow nothing
/// here.
ScopeSet ScopesFromArray(std::string_view array);
/// The reverse: "{sync:run,runs:read}".
std::string ScopesToArray(const ScopeSet& scopes);

}  // namespace pcw::identity
