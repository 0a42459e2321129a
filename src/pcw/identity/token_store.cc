#include "pcw/identity/token_store.h"

#include <algorithm>

#include <fmt/format.h>

#include "pcw/base/hex.h"

namespace pcw::identity {
namespace {

constexpr std::string_view kColumns =
    "id, name, principal, kind, to_char(created_at AT TIME ZONE 'UTC', "
    "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), to_char(expires_at AT TIME ZONE 'UTC', "
    "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), to_char(revoked_at AT TIME ZONE 'UTC', "
    "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), to_char(last_used_at AT TIME ZONE 'UTC', "
    "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), scopes, revoked_at IS NULL AND coalesce(expires_at > "
    "now(), true)";

StoredToken ReadToken(const pg::Rows& rows, std::size_t row) {
  const auto text = [&](std::size_t column) { return std::string(rows.Text(row, column)); };
  return {.id = text(0),
          .name = text(1),
          .principal = text(2),
          .kind = text(3),
          .created_at = text(4),
          .expires_at = text(5),
          .revoked_at = text(6),
          .last_used_at = text(7),
          .scopes = ScopesFromArray(rows.Text(row, 8)),
          .is_live = rows.Bool(row, 9)};
}

bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= 64 &&
         text.find_first_not_of(
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
             "._@-") == std::string_view::npos;
}

// Hex of bytea ("\\x...") as bytes; all zero if the row were damaged, which no hash matches.
Sha256Digest ReadDigest(std::string_view text) {
  Sha256Digest digest{};
  if (text.starts_with("\\x") && HexDecode(text.substr(2), digest)) return digest;
  return {};
}

}  // namespace

std::string_view NameOf(PrincipalKind kind) {
  return kind == PrincipalKind::kPerson ? "person" : "service";
}

Result<PrincipalKind> ParsePrincipalKind(std::string_view text) {
  if (text == "person") return PrincipalKind::kPerson;
  if (text == "service") return PrincipalKind::kService;
  return Error(ErrorCode::kInvalidRequest, "expected person or service");
}

Result<CreatedToken> CreateToken(pg::Connection& connection, const NewToken& wanted, Rng& rng,
                                 std::stop_token stop) {
  const std::string& principal = wanted.principal.empty() ? wanted.name : wanted.principal;
  if (!IsName(wanted.name) || !IsName(principal)) {
    return Error(ErrorCode::kInvalidRequest,
                 "the name of a token or principal is 1 to 64 letters, digits and . _ @ -");
  }
  if (wanted.scopes.empty()) {
    return Error(ErrorCode::kInvalidRequest,
                 "a token needs at least one scope; `pcw token create --help` lists them");
  }
  const Token token = MintToken(rng);
  static const std::string kInsert = fmt::format(
      "INSERT INTO api_tokens (tenant_id, id, name, principal, kind, scopes, secret_sha256, "
      "expires_at) VALUES (pcw_tenant(), $1, $2, $3, $4, $5::text[], $6::bytea, now() + $7::bigint "
      "* interval '1 millisecond') RETURNING {}",
      kColumns);
  Result<pg::Rows> rows = connection.Exec(
      {"token_insert", kInsert},
      {token.id, wanted.name, principal, std::string(NameOf(wanted.kind)),
       ScopesToArray(wanted.scopes), "\\x" + Hex(HashOf(token)),
       wanted.lifetime ? pg::Param(std::to_string(wanted.lifetime->count())) : std::nullopt},
      stop);
  if (!rows && rows.error().code() == ErrorCode::kConflict) {
    return Error(ErrorCode::kConflict,
                 fmt::format("a token named {} is in force; revoke it first with `pcw token revoke "
                             "{}`, or take another name",
                             wanted.name, wanted.name));
  }
  if (!rows) return std::move(rows).error();
  return CreatedToken{ReadToken(*rows, 0), FormatToken(token)};
}

Result<std::optional<StoredToken>> CreateFirstToken(
    pg::Connection& connection, Rng& rng, const std::function<Status(const Secret& text)>& keep,
    std::stop_token stop) {
  PCW_TRY(pg::Transaction transaction, pg::Transaction::Begin(connection, "first token", stop));
  PCW_TRY_OK(connection.Exec({"token_first_lock",
                              "SELECT pg_advisory_xact_lock(hashtextextended('pcw first token ' || "
                              "pcw_tenant()::text, 0))"},
                             {}, stop));
  PCW_TRY(const pg::Rows any,
          connection.Exec({"token_any",
                           "SELECT EXISTS (SELECT FROM api_tokens WHERE tenant_id = pcw_tenant())"},
                          {}, stop));
  if (any.Bool(0, 0)) return std::optional<StoredToken>();
  PCW_TRY(CreatedToken created, CreateToken(connection,
                                            {.name = "first-admin",
                                             .principal = "",
                                             .kind = PrincipalKind::kPerson,
                                             .scopes = {Scope::kAdmin},
                                             .lifetime = kFirstTokenLives},
                                            rng, stop));
  PCW_TRY_OK(keep(created.text));
  PCW_TRY_OK(transaction.Commit());
  return std::optional<StoredToken>(std::move(created.token));
}

Result<std::vector<StoredToken>> ListTokens(pg::Connection& connection, std::stop_token stop) {
  static const std::string kList = fmt::format(
      "SELECT {} FROM api_tokens WHERE tenant_id = pcw_tenant() ORDER BY created_at DESC, id",
      kColumns);
  PCW_TRY(const pg::Rows rows, connection.Exec({"token_list", kList}, {}, stop));
  std::vector<StoredToken> tokens;
  for (std::size_t row = 0; row < rows.size(); ++row) tokens.push_back(ReadToken(rows, row));
  return tokens;
}

Result<std::vector<EndingToken>> ListEndingTokens(pg::Connection& connection,
                                                  std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"doctor_tokens",
                           "SELECT name, id, to_char(expires_at AT TIME ZONE 'UTC', "
                           "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM api_tokens WHERE tenant_id = "
                           "pcw_tenant() AND revoked_at IS NULL AND expires_at BETWEEN now() AND "
                           "now() + interval '14 days' ORDER BY expires_at"},
                          {}, stop));
  std::vector<EndingToken> ending;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    ending.push_back({std::string(rows.Text(row, 0)), std::string(rows.Text(row, 1)),
                      std::string(rows.Text(row, 2))});
  }
  return ending;
}

Result<StoredToken> RevokeToken(pg::Connection& connection, std::string_view name_or_id,
                                std::stop_token stop) {
  static const std::string kRevoke = fmt::format(
      "UPDATE api_tokens SET revoked_at = coalesce(revoked_at, now()) WHERE tenant_id = "
      "pcw_tenant() AND (id = $1 OR (name = $1 AND revoked_at IS NULL)) RETURNING {}",
      kColumns);
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"token_revoke", kRevoke}, {std::string(name_or_id)}, stop));
  if (rows.empty()) {
    return Error(ErrorCode::kNotFound,
                 "there is no such token in force; `pcw token list` shows names and ids");
  }
  return ReadToken(rows, 0);
}

Result<std::optional<FoundToken>> FindToken(pg::Connection& connection, std::string_view id,
                                            std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"token_find",
                           "SELECT tenant_id, name, principal, kind, scopes, secret_sha256, "
                           "is_live, lives_us FROM api_token_find($1)"},
                          {std::string(id)}, stop));
  if (rows.empty()) return std::optional<FoundToken>();
  FoundToken found{
      .tenant_id = std::string(rows.Text(0, 0)),
      .id = std::string(id),
      .name = std::string(rows.Text(0, 1)),
      .principal = std::string(rows.Text(0, 2)),
      .kind = rows.Text(0, 3) == "person" ? PrincipalKind::kPerson : PrincipalKind::kService,
      .scopes = ScopesFromArray(rows.Text(0, 4)),
      .secret_sha256 = ReadDigest(rows.Text(0, 5)),
      .is_live = rows.Bool(0, 6),
      .lives = std::nullopt};
  if (rows.At(0, 7)) found.lives = std::chrono::microseconds(rows.Int(0, 7));
  return std::optional<FoundToken>(std::move(found));
}

Result<std::vector<std::string>> LiveTokenIds(pg::Connection& connection, std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"tokens_live", "SELECT api_tokens_live()"}, {}, stop));
  std::vector<std::string> ids;
  for (std::size_t row = 0; row < rows.size(); ++row) ids.emplace_back(rows.Text(row, 0));
  return ids;
}

Status NoteTokenUse(pg::Connection& connection, std::string_view id, std::stop_token stop) {
  PCW_TRY_OK(connection.Exec(
      {"token_used",
       "UPDATE api_tokens SET last_used_at = now() WHERE tenant_id = pcw_tenant() AND id = $1 AND "
       "coalesce(last_used_at < now() - interval '1 minute', true)"},
      {std::string(id)}, stop));
  return Ok{};
}

}  // namespace pcw::identity
