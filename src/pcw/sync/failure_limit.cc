#include "pcw/sync/failure_limit.h"

#include <algorithm>

#include <fmt/format.h>

namespace pcw::sync {

void FailureLimit::Note(bool is_failure) {
  if (seen_ == last_.size() && last_[next_]) --failures_;
  last_[next_] = is_failure;
  if (is_failure) ++failures_;
  next_ = (next_ + 1) % last_.size();
  seen_ = std::min(seen_ + 1, last_.size());
  if (percent_ == 0 || is_exceeded() || seen_ < std::min(kLeast, last_.size())) return;
  if (failures_ * 100 <= static_cast<std::size_t>(percent_) * seen_) return;
  worst_failures_ = failures_;
  worst_of_ = seen_;
}

std::string FailureLimit::Worst() const {
  return fmt::format("{} of the last {}", worst_failures_, worst_of_);
}

}  // namespace pcw::sync
