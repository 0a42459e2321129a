// Looking at dead letters and their queue (runbook 3.3).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "pcw/aws/sqs.h"
#include "pcw/base/error.h"
#include "pcw/dlq/dead_letter.h"
#include "pcw/pg/connection.h"

namespace pcw::diagnose {

/// What a diagnosis saw of dead letters.
struct DlqFacts {
  std::vector<dlq::DeadLetterGroup> groups;  ///< of open dead letters, the largest ten
  std::int64_t open = 0, last_day = 0;  ///< open dead letters; those first seen in the last 24 h
  std::int64_t undelivered = 0, guarded = 0, foreign = 0;
  std::string oldest_undelivered_at, delivery_error;
  std::string nearest_expiry_at;    ///< of a message that is still in the queue
  std::int64_t past_half_life = 0;  ///< open messages past half of their retention (I26)
  std::string queue_url;            ///< empty: PostgreSQL only
  std::optional<Error> queue_error;
  std::optional<aws::sqs::QueueAttributes> queue;
};

/// Reads only: neither receives nor sends.
Result<DlqFacts> LookAtDeadLetters(pg::Connection& connection, std::string_view tenant_id,
                                   std::stop_token stop);

}  // namespace pcw::diagnose
