// What becomes of a record when it is listed: the rule alone, without any I/O.
#pragma once

#include <string>
#include <string_view>

#include "pcw/tables/entity_table.h"

namespace pcw::sync {

/// A record that this run has met already and that the table does not show yet.
struct PendingRecord {
  std::string version;
  int rank = 0;             ///< of the source that listed it
  bool has_failed = false;  ///< it is a dead letter of this run
};

/// A record as a page lists it, with what decides about it.
struct ListedRecord {
  std::string_view version;
  int rank = 0;             ///< of the source that lists it
  bool has_detail = false;  ///< its details are to be fetched; else the item is the record
  bool is_version_only_hint = false;  ///< details may change behind it, and this scan is a full one
  bool has_failed_before = false;     ///< an earlier run left it as a dead letter of stage fetch
};

enum class ListedOutcome {
  kSkipped,      ///< held at that version: nothing to do
  kDuplicate,    ///< met at that version by this run already, whatever became of it
  kFetch,        ///< its details are asked for
  kFetchLast,    ///< the same, after all others: it failed before, and may do so again
  kTakeAsListed  ///< the item is the record
};

/// `pending` and `held`: what is known of the record, nullptr = nothing. A record that failed in
/// this run is not tried again at the same version: each run counts it once, and writes it to
/// bronze at most once. What a source of lower rank tells of it is still taken.
ListedOutcome OutcomeOfListed(const ListedRecord& listed, const PendingRecord* pending,
                              const tables::HeldRecord* held, std::string_view run_id);

}  // namespace pcw::sync
