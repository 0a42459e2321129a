#include "pcw/api/idempotency.h"

#include <algorithm>

#include <fmt/format.h>

#include "pcw/api/bodies.h"
#include "pcw/api/problem.h"
#include "pcw/base/digest.h"

namespace pcw::api {
namespace {

using net::server::Response;

constexpr std::string_view kLocation = "Location";

Response Replayed(const pg::Rows& kept) {
  Response response{static_cast<int>(kept.Int(0, 1)),
                    {{"Content-Type", "application/json"}, {"Idempotency-Replayed", "true"}},
                    std::string(kept.Text(0, 3))};
  if (!kept.Text(0, 2).empty())
    response.headers.emplace_back(kLocation, std::string(kept.Text(0, 2)));
  return response;
}

}  // namespace

Result<std::optional<std::string>> IdempotencyKeyOf(const net::server::Request& request) {
  const auto header = request.Header("Idempotency-Key");
  if (!header) return std::optional<std::string>();
  const bool is_visible =
      std::all_of(header->begin(), header->end(), [](char c) { return c >= 0x21 && c <= 0x7e; });
  if (header->empty() || header->size() > 255 || !is_visible) {
    return ApiError(400, "invalid_idempotency_key", "expected 1 to 255 visible ASCII characters",
                    "Idempotency-Key");
  }
  return std::optional<std::string>(std::string(*header));
}

RouteAnswer AnswerOnce(Call& call, const std::string& key, const Effect& effect) {
  const std::string& principal = call.principal.name;
  const std::string hash =
      "\\x" + Hex(Sha256(fmt::format("{}\n{}\n{}", call.request.method, PathOf(call.request.target),
                                     call.request.body)));
  PCW_TRY(pg::Transaction transaction,
          pg::Transaction::Begin(call.connection(), "idempotent request", call.stop));
  PCW_TRY(const pg::Rows lock,
          call.connection().Exec({"idempotency_lock",
                                  "SELECT pg_try_advisory_xact_lock(hashtextextended('pcw "
                                  "idempotency ' || pcw_tenant()::text || '/' || $1 || '/' || $2, "
                                  "0))"},
                                 {principal, key}, call.stop));
  if (!lock.Bool(0, 0)) {
    return ApiError(409, "idempotency_in_progress",
                    "a request with this key is under way; ask again when it has ended",
                    "Idempotency-Key");
  }
  // A day old keys are free again: this one at once, a few of the others along the way.
  PCW_TRY_OK(call.connection().Exec(
      {"idempotency_expire",
       "DELETE FROM idempotency_keys WHERE tenant_id = pcw_tenant() AND created_at < now() - "
       "interval '24 hours' AND ((principal = $1 AND key = $2) OR (principal, key) IN (SELECT "
       "k.principal, k.key FROM idempotency_keys k WHERE k.tenant_id = pcw_tenant() AND "
       "k.created_at < now() - interval '24 hours' ORDER BY k.created_at LIMIT 20 FOR UPDATE SKIP "
       "LOCKED))"},
      {principal, key}, call.stop));
  PCW_TRY(const pg::Rows kept,
          call.connection().Exec({"idempotency_find",
                                  "SELECT request_sha256 = $3::bytea, status, location, body FROM "
                                  "idempotency_keys WHERE tenant_id = pcw_tenant() AND principal = "
                                  "$1 AND key = $2"},
                                 {principal, key, hash}, call.stop));
  if (!kept.empty()) {
    if (kept.Bool(0, 0)) return std::optional<Response>(Replayed(kept));
    return ApiError(422, "idempotency_mismatch",
                    "this key was used for another request; nothing was done", "Idempotency-Key");
  }
  PCW_TRY(Response response, effect(transaction));
  const auto location = net::server::FindHeader(response.headers, kLocation);
  PCW_TRY_OK(call.connection().Exec(
      {"idempotency_keep",
       "INSERT INTO idempotency_keys (tenant_id, principal, key, request_sha256, status, location, "
       "body) VALUES (pcw_tenant(), $1, $2, $3::bytea, $4::smallint, $5, $6)"},
      {principal, key, hash, std::to_string(response.status), std::string(location.value_or("")),
       response.body},
      call.stop));
  PCW_TRY_OK(transaction.Commit());
  return std::optional<Response>(std::move(response));
}

}  // namespace pcw::api
