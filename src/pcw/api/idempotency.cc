#include "pcw/api/idempotency.h"

#include <algorithm>

#include <fmt/format.h>

#include "pcw/api/bodies.h"
#include "pcw/api/problem.h"
#include "pcw/base/digest.h"
#include "pcw/identity/answer_store.h"

namespace pcw::api {
namespace {

using net::server::Response;

constexpr std::string_view kLocation = "Location";

Response Replayed(const identity::KeptAnswer& kept) {
  Response response{kept.status,
                    {{"Content-Type", "application/json"}, {"Idempotency-Replayed", "true"}},
                    kept.body};
  if (!kept.location.empty()) response.headers.emplace_back(kLocation, kept.location);
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
  const identity::AnswerKey answer_key{.principal = call.principal.name, .key = key};
  const Sha256Digest digest = Sha256(fmt::format("{}\n{}\n{}", call.request.method,
                                                 PathOf(call.request.target), call.request.body));
  PCW_TRY(pg::Transaction transaction,
          pg::Transaction::Begin(call.connection(), "idempotent request", call.stop));
  PCW_TRY(const bool is_ours, identity::LockAnswer(call.connection(), answer_key, call.stop));
  if (!is_ours) {
    return ApiError(409, "idempotency_in_progress",
                    "a request with this key is under way; ask again when it has ended",
                    "Idempotency-Key");
  }
  // A day old keys are free again: this one at once, a few of the others along the way.
  PCW_TRY_OK(identity::ExpireAnswers(call.connection(), answer_key, call.stop));
  PCW_TRY(const std::optional<identity::FoundAnswer> kept,
          identity::FindAnswer(call.connection(), answer_key, digest, call.stop));
  if (kept) {
    if (kept->is_same_request) return std::optional<Response>(Replayed(kept->answer));
    return ApiError(422, "idempotency_mismatch",
                    "this key was used for another request; nothing was done", "Idempotency-Key");
  }
  PCW_TRY(Response response, effect(transaction));
  const auto location = net::server::FindHeader(response.headers, kLocation);
  PCW_TRY_OK(identity::KeepAnswer(call.connection(), answer_key, digest,
                                  {.status = response.status,
                                   .location = std::string(location.value_or("")),
                                   .body = response.body},
                                  call.stop));
  PCW_TRY_OK(transaction.Commit());
  return std::optional<Response>(std::move(response));
}

}  // namespace pcw::api
