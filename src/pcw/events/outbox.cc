#include "pcw/events/outbox.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "pcw/base/assert.h"
#include "pcw/base/backoff.h"
#include "pcw/base/failpoint.h"
#include "pcw/base/json.h"
#include "pcw/base/storable_text.h"
#include "pcw/base/time.h"
#include "pcw/connector/entity_def.h"

namespace pcw::events {
namespace {

constexpr std::size_t kLongestError = 500;

// By state and lease, never by "newer than the last": ids are given out before their transactions
// commit. An event waits for the older ones of its record.
constexpr std::string_view kClaimChanges = R"sql(
  WITH due AS (
    SELECT o.id FROM change_outbox o
    WHERE o.tenant_id = pcw_tenant() AND o.state = 'pending' AND o.next_at <= now()
      AND NOT EXISTS (SELECT FROM change_outbox e WHERE e.tenant_id = o.tenant_id AND e.record_key = o.record_key AND e.entity = o.entity
                      AND e.catalog = o.catalog AND e.state = 'pending' AND e.id < o.id)
    ORDER BY o.id LIMIT $1::integer FOR UPDATE OF o SKIP LOCKED)
  UPDATE change_outbox o SET attempts = o.attempts + 1, claim = o.claim + 1, next_at = now() + make_interval(secs => $2::integer)
  FROM due WHERE o.tenant_id = pcw_tenant() AND o.id = due.id
  RETURNING o.id, o.claim, o.event_id, o.type, o.body, (extract(epoch FROM o.event_time) * 1000000)::bigint, o.attempts)sql";

constexpr std::string_view kSettleChanges = R"sql(
  WITH settled AS (
    UPDATE change_outbox o SET
      state = CASE WHEN s.d = 'delivered' THEN 'delivered' WHEN s.d = 'refused' OR o.created_at < now() - $2::bigint * interval '1 millisecond'
                   THEN 'failed' ELSE 'pending' END,
      ended_at = CASE WHEN s.d = 'delivered' OR s.d = 'refused' OR o.created_at < now() - $2::bigint * interval '1 millisecond' THEN now() END,
      next_at = CASE WHEN s.d = 'later' THEN now() + s.p * interval '1 millisecond' ELSE o.next_at END,
      error = CASE WHEN s.d = 'delivered' THEN NULL ELSE s.e END
    FROM jsonb_to_recordset($1::jsonb) AS s (i bigint, c bigint, d text, p bigint, e text)
    WHERE o.tenant_id = pcw_tenant() AND o.id = s.i AND o.claim = s.c AND o.state = 'pending'
    RETURNING o.state)
  SELECT count(*) FILTER (WHERE state = 'delivered'), count(*) FILTER (WHERE state = 'failed') FROM settled)sql";

std::string_view NameOf(Delivery delivery) {
  switch (delivery) {
    case Delivery::kDelivered:
      return "delivered";
    case Delivery::kTryAgain:
      return "later";
    case Delivery::kRefused:
      return "refused";
  }
  return "later";
}

// The source stands in the body; a target that needs it beside the body finds it here.
std::string SourceOf(std::string_view body) {
  const Result<Json> event = ParseJson(body);
  return event && event->is_object() ? event->value("source", "") : "";
}

Result<std::vector<OutgoingEvent>> Claim(pg::Connection& connection, const EventTarget& target,
                                         std::stop_token stop) {
  PCW_TRY(const pg::Rows rows, connection.Exec({"outbox_claim_changes", kClaimChanges},
                                               {std::to_string(target.most_events()),
                                                std::to_string(target.lease().count())},
                                               stop));
  std::vector<OutgoingEvent> events;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    OutgoingEvent event{.id = rows.Int(row, 0),
                        .claim = rows.Int(row, 1),
                        .event_id = std::string(rows.Text(row, 2)),
                        .type = std::string(rows.Text(row, 3)),
                        .source = "",
                        .body = std::string(rows.Text(row, 4)),
                        .time = WallTime(std::chrono::microseconds(rows.Int(row, 5))),
                        .attempts = static_cast<int>(rows.Int(row, 6))};
    event.source = SourceOf(event.body);
    events.push_back(std::move(event));
  }
  // RETURNING has no order of its own.
  std::sort(events.begin(), events.end(),
            [](const OutgoingEvent& a, const OutgoingEvent& b) { return a.id < b.id; });
  return events;
}

}  // namespace

std::chrono::milliseconds RetryPause(int attempts, Rng& rng) {
  return PauseBefore(
      {.first = std::chrono::milliseconds(1'000), .most = std::chrono::milliseconds(300'000)},
      attempts - 1, rng);
}

bool IsPublished(std::string_view entity) { return entity == connector::Opportunities().name; }

Status PutChanges(pg::Connection& connection, const CloudEventScope& scope,
                  const tables::ChangeScope& run, std::span<const tables::LandedChange> changes,
                  std::stop_token stop) {
  Json list = Json::array();
  for (const tables::LandedChange& change : changes) {
    CloudEvent event = MakeCloudEvent(scope, run, change);
    list.push_back({{"e", std::move(event.id)},
                    {"k", change.id},
                    {"t", std::move(event.type)},
                    {"b", std::move(event.body)},
                    {"m", FormatRfc3339(event.time)}});
  }
  PCW_TRY_OK(connection.Exec(
      {"outbox_put_changes",
       "INSERT INTO change_outbox (tenant_id, event_id, connector_id, entity, catalog, record_key, "
       "type, body, event_time, run_id) SELECT pcw_tenant(), c.e, $1::bigint, $2, $3, c.k, c.t, "
       "c.b, c.m, $4::uuid FROM jsonb_to_recordset($5::jsonb) AS c (e text, k text, t text, b "
       "text, m timestamptz) ON CONFLICT (tenant_id, event_id) DO NOTHING"},
      {std::to_string(run.connector_id), std::string(run.entity), std::string(run.catalog),
       std::string(run.run_id), DumpJson(list)},
      stop));
  return Ok{};
}

Result<PublishReport> PublishOnce(pg::Connection& connection, EventTarget& target,
                                  const PublishOptions& options, Rng& rng, std::stop_token stop) {
  PublishReport report;
  PCW_TRY(const std::vector<OutgoingEvent> events, Claim(connection, target, stop));
  report.taken = static_cast<std::int64_t>(events.size());
  if (events.empty()) return report;
  PCW_FAILPOINT("events.send.before");
  const SendReport sent = target.Send(events, stop);
  PCW_FAILPOINT("events.send.after");
  PCW_ASSERT(sent.outcomes.size() == events.size());
  report.rest = sent.rest;
  report.is_target_trouble = sent.is_target_trouble;
  Json list = Json::array();
  for (std::size_t i = 0; i < events.size(); ++i) {
    const DeliveryOutcome& outcome = sent.outcomes[i];
    if (report.error.empty()) report.error = outcome.error;
    list.push_back({{"i", events[i].id},
                    {"c", events[i].claim},
                    {"d", NameOf(outcome.delivery)},
                    {"p", RetryPause(events[i].attempts, rng).count()},
                    {"e", StorableText(outcome.error, kLongestError)}});
  }
  // What was sent is written down although a stop was asked for.
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"outbox_settle_changes", kSettleChanges},
                          {DumpJson(list), std::to_string(options.give_up_after.count())}, {}));
  report.delivered = rows.Int(0, 0);
  report.failed = rows.Int(0, 1);
  return report;
}

Result<std::int64_t> RedeliverFailed(pg::Connection& connection, std::stop_token stop) {
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"outbox_redeliver",
                           "UPDATE change_outbox SET state = 'pending', attempts = 0, ended_at = "
                           "NULL, next_at = now(), created_at = now() WHERE tenant_id = "
                           "pcw_tenant() AND state = 'failed'"},
                          {}, stop));
  return rows.affected();
}

Status PruneOutbox(pg::Connection& connection, std::stop_token stop) {
  PCW_TRY_OK(connection.Exec(
      {"outbox_prune",
       "DELETE FROM change_outbox WHERE tenant_id = pcw_tenant() AND id IN (SELECT id FROM "
       "change_outbox WHERE tenant_id = pcw_tenant() AND ended_at < now() - CASE WHEN state = "
       "'failed' THEN interval '30 days' ELSE interval '7 days' END LIMIT 5000)"},
      {}, stop));
  return Ok{};
}

Result<OutboxStatus> LoadOutboxStatus(pg::Connection& connection, std::stop_token stop) {
  PCW_TRY(
      const pg::Rows rows,
      connection.Exec(
          {"outbox_status",
           "SELECT count(*) FILTER (WHERE state = 'pending'), count(*) FILTER (WHERE state = "
           "'failed'), count(*) FILTER (WHERE state = 'delivered' AND ended_at > now() - interval "
           "'24 hours'), count(*) FILTER (WHERE state = 'pending' AND attempts > 0), "
           "coalesce(to_char(min(created_at) FILTER (WHERE state = 'pending') AT TIME ZONE 'UTC', "
           "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), ''), coalesce(extract(epoch FROM now() - "
           "min(created_at) FILTER (WHERE state = 'pending'))::bigint, 0), coalesce(max(error) "
           "FILTER (WHERE state = 'pending'), max(error) FILTER (WHERE state = 'failed'), '') FROM "
           "change_outbox WHERE tenant_id = pcw_tenant()"},
          {}, stop));
  return OutboxStatus{.pending = rows.Int(0, 0),
                      .failed = rows.Int(0, 1),
                      .day_delivered = rows.Int(0, 2),
                      .retried = rows.Int(0, 3),
                      .oldest_at = std::string(rows.Text(0, 4)),
                      .oldest_seconds = rows.Int(0, 5),
                      .last_error = std::string(rows.Text(0, 6))};
}

}  // namespace pcw::events
