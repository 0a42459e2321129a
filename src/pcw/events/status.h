// How events are doing, for people, metrics and the doctor. Reads the database only.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "pcw/events/coverage.h"
#include "pcw/pg/connection.h"
#include "pcw/runs/fetch_requests.h"

namespace pcw::events {

/// Times are RFC 3339, empty = never. Counts named day are of the last 24 hours.
struct InboxStatus {
  std::string queue_url, listening_since, polled_at, received_at;
  std::int64_t since_poll_seconds = -1;  ///< -1: never polled
  std::int64_t events = 0;               ///< held, each once
  std::int64_t day = 0;                  ///< of them
  std::int64_t day_duplicates = 0;       ///< further deliveries of those
  std::int64_t day_fetch = 0, day_nothing = 0, day_other_catalog = 0, day_unknown = 0;
  std::int64_t malformed = 0;                  ///< open dead letters
  runs::WaitingFetches waiting;                ///< records that are to be fetched
  std::int64_t day_runs = 0, day_fetched = 0;  ///< runs of mode fetch, records they landed
  std::int64_t unjudged = 0;                   ///< changes whose event may still come
  Coverage last_day, last_week;
};

Result<InboxStatus> LoadInboxStatus(pg::Connection& connection, std::stop_token stop);

}  // namespace pcw::events
