// Dead letters in numbers: for metrics, the doctor and the status of events.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pcw/dlq/dead_letter.h"
#include "pcw/pg/connection.h"

namespace pcw::dlq {

struct OpenDeadLetters {
  std::string entity, stage, error_code;
  std::int64_t letters = 0;
};
/// Open dead letters of the session's tenant, by entity, stage and error.
Result<std::vector<OpenDeadLetters>> CountOpenByCause(pg::Connection& connection,
                                                      std::stop_token stop);

/// Open dead letters of one stage, by entity.
Result<std::vector<std::pair<std::string, std::int64_t>>> CountOpenByEntity(
    pg::Connection& connection, Stage stage, std::stop_token stop);

/// What open dead letters come to. Times are RFC 3339, empty: none.
struct OpenTotals {
  std::int64_t open = 0, last_day = 0;  ///< all; those first seen in the last 24 hours
  std::int64_t undelivered = 0, guarded = 0, foreign = 0;
  std::string oldest_undelivered_at, delivery_error;
  std::string nearest_expiry_at;    ///< of a message that is still in the queue
  std::int64_t past_half_life = 0;  ///< messages past half of their retention (I26)
};
Result<OpenTotals> LoadOpenTotals(pg::Connection& connection, int loop_guard, std::stop_token stop);

}  // namespace pcw::dlq
