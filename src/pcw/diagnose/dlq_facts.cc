#include "pcw/diagnose/dlq_facts.h"

#include "pcw/dlq/dead_letter_counts.h"
#include "pcw/dlq/replay.h"

namespace pcw::diagnose {
Result<DlqFacts> LookAtDeadLetters(pg::Connection& connection, std::string_view tenant_id,
                                   std::stop_token stop) {
  DlqFacts facts;
  dlq::DeadLetterFilter filter;
  filter.limit = 10;
  PCW_TRY(facts.groups,
          dlq::LoadDeadLetterGroups(connection, tenant_id, filter, dlq::kLoopGuard, stop));
  PCW_TRY(dlq::OpenTotals totals, dlq::LoadOpenTotals(connection, dlq::kLoopGuard, stop));
  facts.open = totals.open;
  facts.last_day = totals.last_day;
  facts.undelivered = totals.undelivered;
  facts.guarded = totals.guarded;
  facts.foreign = totals.foreign;
  facts.oldest_undelivered_at = std::move(totals.oldest_undelivered_at);
  facts.delivery_error = std::move(totals.delivery_error);
  facts.nearest_expiry_at = std::move(totals.nearest_expiry_at);
  facts.past_half_life = totals.past_half_life;
  return facts;
}

}  // namespace pcw::diagnose
