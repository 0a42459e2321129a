// Tokens in PostgreSQL: made, listed, revoked, found by their public id.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/base/result.h"
#include "pcw/base/rng.h"
#include "pcw/base/secret.h"
#include "pcw/identity/scope.h"
#include "pcw/identity/token.h"
#include "pcw/pg/connection.h"

namespace pcw::identity {

/// Persons approve; services cannot (T18).
enum class PrincipalKind { kPerson, kService };
std::string_view NameOf(PrincipalKind kind);
/// kInvalidRequest for anything but "person" and "service".
Result<PrincipalKind> ParsePrincipalKind(std::string_view text);

struct NewToken {
  std::string name;       ///< of the token, unique among those in force
  std::string principal;  ///< who acts; empty = the name
  PrincipalKind kind = PrincipalKind::kService;
  ScopeSet scopes;
  std::optional<std::chrono::milliseconds> lifetime;  ///< absent = until revoked
};

/// A token as people see it. Times are RFC 3339, empty = never.
struct StoredToken {
  std::string id, name, principal, kind, created_at, expires_at, revoked_at, last_used_at;
  ScopeSet scopes;
  bool is_live = false;  ///< neither revoked nor expired, by the database's clock
};

struct CreatedToken {
  StoredToken token;
  Secret text;  ///< the only time it is seen
};

/// Makes a token in the session's tenant. kConflict if one of that name is in force;
/// kInvalidRequest for a name of other characters than A-Z a-z 0-9 . _ @ -, or without scopes.
Result<CreatedToken> CreateToken(pg::Connection& connection, const NewToken& wanted, Rng& rng,
                                 std::stop_token stop);

/// The first token of an installation is in force so long.
inline constexpr std::chrono::hours kFirstTokenLives{24};

/// One admin token for a day if the session's tenant never had a token; nullopt otherwise. Of
/// several processes that start at once exactly one makes it. `keep` gets the token's text before
/// it is in force; its failure is this function's, and nothing is made then.
Result<std::optional<StoredToken>> CreateFirstToken(
    pg::Connection& connection, Rng& rng, const std::function<Status(const Secret& text)>& keep,
    std::stop_token stop);

/// Of the session's tenant, newest first.
Result<std::vector<StoredToken>> ListTokens(pg::Connection& connection, std::stop_token stop);

struct EndingToken {
  std::string name, id, expires_at;
};
/// Those of the session's tenant that end within two weeks, the next first.
Result<std::vector<EndingToken>> ListEndingTokens(pg::Connection& connection, std::stop_token stop);

/// By name (the one in force) or id. Revoking twice is fine. kNotFound.
Result<StoredToken> RevokeToken(pg::Connection& connection, std::string_view name_or_id,
                                std::stop_token stop);

/// What a request's token is compared with.
struct FoundToken {
  std::string tenant_id, id, name, principal;
  PrincipalKind kind = PrincipalKind::kService;
  ScopeSet scopes;
  Sha256Digest secret_sha256{};
  bool is_live = false;
  std::optional<std::chrono::microseconds> lives;  ///< until it expires; absent = does not
};

/// In any tenant; nullopt if there is none.
Result<std::optional<FoundToken>> FindToken(pg::Connection& connection, std::string_view id,
                                            std::stop_token stop);

/// The public ids of the tokens in force, of every tenant.
Result<std::vector<std::string>> LiveTokenIds(pg::Connection& connection, std::stop_token stop);

/// Writes down that a token is in use, at most once a minute. In a session of its tenant.
Status NoteTokenUse(pg::Connection& connection, std::string_view id, std::stop_token stop);

}  // namespace pcw::identity
