// Rules of a replay, without the database.
#pragma once

#include <cstdint>
#include <string>

namespace pcw::dlq {

/// What the loop guard knows of a dead letter.
struct ReplayHistory {
  std::int64_t failed_replays = 0;  ///< in a row, for the same cause
  std::int64_t failed_by = 0;       ///< version of the mapping by which it failed; 0 = none
};

/// The loop guard leaves a dead letter alone whose replay ended the same way `loop_guard` times in
/// a row (0 = never), unless the version that decides is another by now. One that failed without a
/// version failed where no mapping had a say: nothing new can be hoped for.
bool IsGuarded(const ReplayHistory& history, int loop_guard, std::int64_t version);

/// Columns that a dry run would change, of one run and the next, as JSON; at most three examples a
/// column.
std::string AddChanges(const std::string& sum_json, const std::string& more_json);

}  // namespace pcw::dlq
