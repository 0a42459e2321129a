#include "pcw/sync/mismatch_limit.h"

#include <algorithm>

#include <fmt/format.h>

namespace pcw::sync {

void MismatchLimit::Note(bool is_mismatch) {
  last_[next_] = is_mismatch;
  next_ = (next_ + 1) % kWindow;
  seen_ = std::min(seen_ + 1, kWindow);
  const std::size_t mismatches = last_.count();
  if (percent_ == 0 || worst_of_ > 0 || seen_ < kLeast) return;
  if (mismatches * 100 <= static_cast<std::size_t>(percent_) * seen_) return;
  worst_mismatches_ = mismatches;
  worst_of_ = seen_;
}

Status MismatchLimit::Check() const {
  if (worst_of_ == 0) return Ok{};
  return Error(ErrorCode::kSchemaMismatch,
               fmt::format("{} of the last {} records do not fit the mapping, more than "
                           "sync.stop_at_mismatch_percent ({}) allows; they are dead letters "
                           "(`pcw dlq list`); mend the mapping, or run again with a higher limit",
                           worst_mismatches_, worst_of_, percent_))
      .With("reason", "too_many_mismatches");
}

}  // namespace pcw::sync
