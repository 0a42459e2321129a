#include "pcw/sync/listed_outcome.h"

#include "pcw/base/time.h"

namespace pcw::sync {
namespace {

bool IsSameVersion(const tables::HeldRecord& held, std::string_view listed_version) {
  if (held.version == listed_version || held.listed == listed_version) return true;
  // The list may spell the same instant differently from the detail ("...30Z", "...30.000Z").
  const Result<WallTime> listed = ParseRfc3339(listed_version);
  return listed && *listed == held.modified_at;
}

bool IsMetAlready(const ListedRecord& listed, const PendingRecord& pending) {
  if (pending.has_failed) return pending.rank == listed.rank && pending.version == listed.version;
  return pending.rank > listed.rank || pending.version == listed.version;
}

}  // namespace

ListedOutcome OutcomeOfListed(const ListedRecord& listed, const PendingRecord* pending,
                              const tables::HeldRecord* held, std::string_view run_id) {
  if (pending != nullptr && IsMetAlready(listed, *pending)) return ListedOutcome::kDuplicate;
  if (held != nullptr && held->rank >= listed.rank) {
    const bool tells_more = held->rank > listed.rank;
    const bool is_of_this_run = held->last_seen_run == run_id;
    // Details may have changed behind a version that did not: a full run asks for all of them,
    // once.
    const bool must_ask = listed.is_version_only_hint && !is_of_this_run && !tells_more;
    if (!must_ask && (tells_more || IsSameVersion(*held, listed.version)))
      return is_of_this_run ? ListedOutcome::kDuplicate : ListedOutcome::kSkipped;
  }
  if (!listed.has_detail) return ListedOutcome::kTakeAsListed;
  return listed.has_failed_before ? ListedOutcome::kFetchLast : ListedOutcome::kFetch;
}

}  // namespace pcw::sync
