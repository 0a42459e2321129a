// What an error of PostgreSQL means to us: its SQLSTATE, and how a refused login says it.
#pragma once

#include <string>
#include <string_view>

#include "pcw/base/error.h"

namespace pcw::pg {

/// The reaction that an SQLSTATE asks for. Spells and limits of the server (read only 25006, a
/// timeout of an idle session 25P03, shutdown and start 57P0x, its own system calls 58xxx, its
/// resources 53xxx) are kUnavailable: another session may do, later. 28xxx is kUnauthenticated,
/// 42501 kPermissionDenied, unique violations, serialization failures and locks kConflict, 57014
/// kTimeout, a forgotten prepared statement kConfig, text that no column holds (22021, 22P05)
/// kInvalidRequest; any other is kInternal, a mistake of ours.
/// Source: PostgreSQL 15, appendix A.
ErrorCode CodeOfSqlstate(std::string_view sqlstate);

/// A statement that this session prepared is not there, or one that it did not prepare is: between
/// it and the server stands something that hands out another server session each time.
bool IsForgottenStatement(std::string_view sqlstate);

/// What to do about a pooler that keeps no session.
inline constexpr std::string_view kPoolerAdvice =
    "a pooler in transaction mode stands before the database, and pcw needs sessions of its own "
    "(role, tenant, advisory locks, LISTEN): let database.url name the server itself, or set "
    "pool_mode = session for this database";

/// Why a server took no session.
struct RefusedLogin {
  ErrorCode code = ErrorCode::kUnavailable;
  std::string sqlstate;  ///< empty: no server answered, or it was libpq that refused
  std::string text;      ///< in one line, without SQLSTATE and location in PostgreSQL's source
};

/// Reads what PQerrorMessage says, in verbose form, after a session could not be opened.
RefusedLogin ReadRefusedLogin(std::string_view message);

}  // namespace pcw::pg
