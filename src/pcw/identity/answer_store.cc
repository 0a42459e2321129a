#include "pcw/identity/answer_store.h"

namespace pcw::identity {
namespace {

std::string Bytea(const Sha256Digest& digest) { return "\\x" + Hex(digest); }

}  // namespace

Result<bool> LockAnswer(pg::Connection& connection, const AnswerKey& key, std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"idempotency_lock",
                           "SELECT pg_try_advisory_xact_lock(hashtextextended('pcw "
                           "idempotency ' || pcw_tenant()::text || '/' || $1 || '/' || $2, 0))"},
                          {key.principal, key.key}, stop));
  return rows.Bool(0, 0);
}

Status ExpireAnswers(pg::Connection& connection, const AnswerKey& key, std::stop_token stop) {
  PCW_TRY_OK(connection.Exec(
      {"idempotency_expire",
       "DELETE FROM idempotency_keys WHERE tenant_id = pcw_tenant() AND created_at < now() - "
       "interval '24 hours' AND ((principal = $1 AND key = $2) OR (principal, key) IN (SELECT "
       "k.principal, k.key FROM idempotency_keys k WHERE k.tenant_id = pcw_tenant() AND "
       "k.created_at < now() - interval '24 hours' ORDER BY k.created_at LIMIT 20 FOR UPDATE SKIP "
       "LOCKED))"},
      {key.principal, key.key}, stop));
  return Ok{};
}

Result<std::optional<FoundAnswer>> FindAnswer(pg::Connection& connection, const AnswerKey& key,
                                              const Sha256Digest& request, std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"idempotency_find",
                           "SELECT request_sha256 = $3::bytea, status, location, body FROM "
                           "idempotency_keys WHERE tenant_id = pcw_tenant() AND principal = "
                           "$1 AND key = $2"},
                          {key.principal, key.key, Bytea(request)}, stop));
  if (rows.empty()) return std::optional<FoundAnswer>();
  return std::optional<FoundAnswer>(
      FoundAnswer{.is_same_request = rows.Bool(0, 0),
                  .answer = {.status = static_cast<int>(rows.Int(0, 1)),
                             .location = std::string(rows.Text(0, 2)),
                             .body = std::string(rows.Text(0, 3))}});
}

Status KeepAnswer(pg::Connection& connection, const AnswerKey& key, const Sha256Digest& request,
                  const KeptAnswer& answer, std::stop_token stop) {
  PCW_TRY_OK(connection.Exec(
      {"idempotency_keep",
       "INSERT INTO idempotency_keys (tenant_id, principal, key, request_sha256, status, location, "
       "body) VALUES (pcw_tenant(), $1, $2, $3::bytea, $4::smallint, $5, $6)"},
      {key.principal, key.key, Bytea(request), std::to_string(answer.status), answer.location,
       answer.body},
      stop));
  return Ok{};
}

Result<std::string> LoadCursorKeyHex(pg::Connection& connection, std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"cursor_key", "SELECT encode(api_cursor_key(), 'hex')"}, {}, stop));
  return std::string(rows.Text(0, 0));
}

}  // namespace pcw::identity
