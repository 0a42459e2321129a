// Giving every open dead letter up: a function of its own, so that no filter comes to mean it.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string_view>

#include "pcw/base/result.h"
#include "pcw/pg/connection.h"

namespace pcw::dlq {

/// As DropDeadLetters, which refuses an empty filter, for every open dead letter of the tenant.
Result<std::int64_t> DropAllDeadLetters(pg::Connection& connection, std::string_view tenant_id,
                                        std::string_view reason, std::string_view actor,
                                        std::optional<std::int64_t> expected,
                                        std::stop_token stop = {});

}  // namespace pcw::dlq
