#include "pcw/diagnose/dlq_facts.h"

#include "pcw/dlq/replay.h"

namespace pcw::diagnose {
namespace {

constexpr std::string_view kSums =
    "SELECT count(*), count(*) FILTER (WHERE first_seen_at > now() - interval '24 hours'), "
    "count(*) "
    "FILTER (WHERE delivered_at IS NULL), count(*) FILTER (WHERE "
    "failed_replays >= $1::integer), count(*) FILTER (WHERE stage = 'event'), "
    "coalesce(to_char(min(first_seen_at) FILTER (WHERE delivered_at IS NULL) AT TIME ZONE 'UTC', "
    "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), ''), coalesce(max(delivery_error), ''), "
    "coalesce(to_char(min(expires_at) FILTER (WHERE removed_at IS NULL) AT TIME ZONE 'UTC', "
    "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), ''), count(*) FILTER (WHERE removed_at IS NULL AND now() > "
    "sent_at + (expires_at - sent_at) / 2) FROM dead_letters WHERE tenant_id = pcw_tenant() AND "
    "state = 'open'";

}  // namespace

Result<DlqFacts> LookAtDeadLetters(pg::Connection& connection, std::string_view tenant_id,
                                   std::stop_token stop) {
  DlqFacts facts;
  dlq::DeadLetterFilter filter;
  filter.limit = 10;
  PCW_TRY(facts.groups,
          dlq::LoadDeadLetterGroups(connection, tenant_id, filter, dlq::kLoopGuard, stop));
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"doctor_dlq", kSums}, {std::to_string(dlq::kLoopGuard)}, stop));
  facts.open = rows.Int(0, 0);
  facts.last_day = rows.Int(0, 1);
  facts.undelivered = rows.Int(0, 2);
  facts.guarded = rows.Int(0, 3);
  facts.foreign = rows.Int(0, 4);
  facts.oldest_undelivered_at = rows.Text(0, 5);
  facts.delivery_error = rows.Text(0, 6);
  facts.nearest_expiry_at = rows.Text(0, 7);
  facts.past_half_life = rows.Int(0, 8);
  return facts;
}

}  // namespace pcw::diagnose
