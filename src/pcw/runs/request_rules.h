// Rules of asking for a run and for its end, without the database.
#pragma once

#include <string_view>

#include "pcw/base/result.h"
#include "pcw/connector/run_types.h"

namespace pcw::runs {

/// The priority of a job; lower goes first. A person waits for what he asked for.
int PriorityOf(std::string_view trigger);

/// Runs that list, and runs that get records by name: one open one of each kind.
std::string_view KindOf(connector::RunMode mode);

/// A run and the job behind it, as they stand when somebody wants the run to end.
struct CancelTarget {
  std::string_view run_id;
  std::string_view status;
  std::string_view job_state;  ///< empty: no job is open
  std::string_view holder;     ///< of its lease; "a command line" if nobody knows
};

/// kConflict for a run that has ended, and for one that a command line runs.
Status CheckCancel(const CancelTarget& target);

/// A run whose job nobody has claimed ends at once; the others when their worker hears of it.
bool EndsAtOnce(const CancelTarget& target);

}  // namespace pcw::runs
