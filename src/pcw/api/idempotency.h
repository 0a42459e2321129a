// Idempotency-Key: the same request twice has one effect and one answer (I11).
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "pcw/api/route.h"

namespace pcw::api {

/// The request's key; nullopt without one. 400 invalid_idempotency_key unless it is 1 to 255
/// visible ASCII characters.
Result<std::optional<std::string>> IdempotencyKeyOf(const net::server::Request& request);

/// What has an effect, inside the transaction that also keeps the answer.
using Effect = std::function<Result<net::server::Response>(pg::Transaction& transaction)>;

/// The answer kept under the principal's key for the same method, path and body; or runs `effect`
/// and keeps what it answers, for 24 hours, in one transaction. 422 idempotency_mismatch if the key
/// was used for another request, 409 idempotency_in_progress while the first one is under way.
/// Errors are not kept: the request may be made again.
RouteAnswer AnswerOnce(Call& call, const std::string& key, const Effect& effect);

}  // namespace pcw::api
