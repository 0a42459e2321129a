#include "pcw/pg/sqlstate.h"

#include <algorithm>
#include <array>

namespace pcw::pg {
namespace {

constexpr std::size_t kSqlstateSize = 5;

// The start of the SQLSTATE in "FATAL:  53300: text"; npos when there is none. The severity may be
// translated, the form is not.
std::size_t FindSqlstate(std::string_view line) {
  constexpr std::string_view kBefore = ":  ";
  const std::size_t before = line.find(kBefore);
  if (before == std::string_view::npos) return before;
  const std::size_t at = before + kBefore.size();
  if (line.size() < at + kSqlstateSize + 2 || line.substr(at + kSqlstateSize, 2) != ": ")
    return std::string_view::npos;
  const std::string_view found = line.substr(at, kSqlstateSize);
  const bool is_one = std::all_of(found.begin(), found.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
  });
  return is_one ? at : std::string_view::npos;
}

bool HoldsAny(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    return text.find(word) != std::string_view::npos;
  });
}

}  // namespace

ErrorCode CodeOfSqlstate(std::string_view sqlstate) {
  if (sqlstate == "57014")
    return ErrorCode::kTimeout;  // query_canceled: a stop is told apart by the caller
  if (sqlstate == "42501") return ErrorCode::kPermissionDenied;
  if (sqlstate == "23505" || sqlstate == "40001" || sqlstate == "40P01" || sqlstate == "55P03")
    return ErrorCode::kConflict;
  if (sqlstate.starts_with("28")) return ErrorCode::kUnauthenticated;
  if (IsForgottenStatement(sqlstate)) return ErrorCode::kConfig;
  // Text that no column holds: bytes that are not UTF-8, U+0000, half of a surrogate pair.
  if (sqlstate == "22021" || sqlstate == "22P05") return ErrorCode::kInvalidRequest;
  // 25P04, a transaction that took too long, is of PostgreSQL 17.
  static constexpr std::array<std::string_view, 7> kPassing{"08",    "53",    "57P",  "58",
                                                            "25006", "25P03", "25P04"};
  const bool may_pass = std::any_of(kPassing.begin(), kPassing.end(), [&](std::string_view begin) {
    return sqlstate.starts_with(begin);
  });
  return may_pass ? ErrorCode::kUnavailable : ErrorCode::kInternal;
}

bool IsForgottenStatement(std::string_view sqlstate) {
  return sqlstate == "26000" || sqlstate == "42P05";
}

RefusedLogin ReadRefusedLogin(std::string_view message) {
  RefusedLogin refused;
  while (!message.empty()) {
    std::string line(message.substr(0, message.find('\n')));
    message.remove_prefix(std::min(message.size(), line.size() + 1));
    if (line.empty()) continue;
    if (const std::size_t at = FindSqlstate(line); at != std::string::npos) {
      refused.sqlstate = line.substr(at, kSqlstateSize);
      line.erase(at, kSqlstateSize + 2);
    } else if (!refused.sqlstate.empty() && line.find(".c:") != std::string::npos) {
      continue;  // "LOCATION:  InitPostgres, postinit.c:846"
    }
    if (!refused.text.empty()) refused.text += ' ';
    refused.text += line;
  }
  // A pooler says of every refusal that the protocol was violated, and libpq's own have no code.
  const bool is_vague = refused.sqlstate.empty() || refused.sqlstate.starts_with("08");
  if (is_vague) {
    const bool is_refused = HoldsAny(refused.text, {"authentication failed", "no password supplied",
                                                    "no such user", "no pg_hba.conf entry"});
    refused.code = is_refused ? ErrorCode::kUnauthenticated : ErrorCode::kUnavailable;
    return refused;
  }
  const ErrorCode code = CodeOfSqlstate(refused.sqlstate);
  // A database that is not there yet (3D000) is waited for, like a server that is not.
  refused.code = code == ErrorCode::kInternal ? ErrorCode::kUnavailable : code;
  return refused;
}

}  // namespace pcw::pg
