#include "pcw/events/status.h"

#include "pcw/dlq/dead_letter_counts.h"
#include "pcw/events/inbox.h"
#include "pcw/runs/run_totals.h"

namespace pcw::events {
namespace {

constexpr std::string_view kInbox =
    "SELECT queue_url, to_char(listening_since AT TIME ZONE 'UTC', "
    "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), to_char(polled_at AT TIME ZONE 'UTC', "
    "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), coalesce(to_char(received_at AT TIME ZONE 'UTC', "
    "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), ''), extract(epoch FROM now() - polled_at)::bigint FROM "
    "event_inbox WHERE tenant_id = pcw_tenant()";

constexpr std::string_view kEvents =
    "SELECT (SELECT count(*) FROM partner_events WHERE tenant_id = pcw_tenant()), count(*), "
    "coalesce(sum(deliveries - 1), 0)::bigint, count(*) FILTER (WHERE disposition = 'fetch'), "
    "count(*) FILTER (WHERE disposition = 'nothing'), count(*) FILTER (WHERE disposition = "
    "'other_catalog'), count(*) FILTER (WHERE disposition = 'unknown') FROM partner_events WHERE "
    "tenant_id = pcw_tenant() AND received_at > now() - interval '24 hours'";

}  // namespace

Result<InboxStatus> LoadInboxStatus(pg::Connection& connection, std::stop_token stop) {
  InboxStatus status;
  PCW_TRY(const pg::Rows inbox, connection.Exec({"event_status_inbox", kInbox}, {}, stop));
  if (!inbox.empty()) {
    status.queue_url = inbox.Text(0, 0);
    status.listening_since = inbox.Text(0, 1);
    status.polled_at = inbox.Text(0, 2);
    status.received_at = inbox.Text(0, 3);
    status.since_poll_seconds = inbox.Int(0, 4);
  }
  PCW_TRY(const pg::Rows events, connection.Exec({"event_status_events", kEvents}, {}, stop));
  status.events = events.Int(0, 0);
  status.day = events.Int(0, 1);
  status.day_duplicates = events.Int(0, 2);
  status.day_fetch = events.Int(0, 3);
  status.day_nothing = events.Int(0, 4);
  status.day_other_catalog = events.Int(0, 5);
  status.day_unknown = events.Int(0, 6);
  PCW_TRY(const auto letters, dlq::CountOpenByEntity(connection, dlq::Stage::kEvent, stop));
  for (const auto& [entity, count] : letters)
    if (entity == kLetterEntity) status.malformed = count;
  PCW_TRY(const pg::Rows checks,
          connection.Exec({"event_status_checks",
                           "SELECT count(*) FROM event_checks WHERE tenant_id = pcw_tenant()"},
                          {}, stop));
  status.unjudged = checks.Int(0, 0);
  PCW_TRY(const runs::FetchRuns fetches, runs::SumFetchRuns(connection, stop));
  status.day_runs = fetches.runs;
  status.day_fetched = fetches.records_processed;
  PCW_TRY(status.waiting, runs::CountFetchRequests(connection, stop));
  PCW_TRY(status.last_day, LoadCoverage(connection, std::chrono::hours(24), stop));
  PCW_TRY(status.last_week, LoadCoverage(connection, std::chrono::hours(24 * 7), stop));
  return status;
}

}  // namespace pcw::events
