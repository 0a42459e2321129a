// What becomes of a record whose details could not be had, and of a run that too many of them
// befall: the rules of docs/errors.md alone, without any I/O.
#pragma once

#include <map>

#include "pcw/base/error.h"

namespace pcw::sync {

/// When a detail is asked for.
enum class Pass {
  kFirst,   ///< as it is listed
  kLast,    ///< at the end of the scan: once more, or after all others because it failed before
  kConfirm  ///< not listed: AWS is asked whether it still knows the record
};

/// One answer that is not a record.
struct DetailFailure {
  ErrorCode code = ErrorCode::kInternal;
  Pass pass = Pass::kFirst;
  bool is_day_spent = false;   ///< kThrottled: no waiting helps
  int throttles_in_row = 0;    ///< kThrottled: with this one
  bool may_be_absent = false;  ///< the record is one that AWS need not have
};

enum class FailureOutcome {
  kStopRun,      ///< it is not a matter of this record
  kSubmitAgain,  ///< only delayed: the account pauses
  kDefer,        ///< is fetched once more at the end of the scan
  kDeadLetter,
  kWeighDenial,  ///< of the record, or of the account? See Denials
  kAbsent,       ///< AWS has no such record and need not have one: no failure
  kGone,         ///< AWS no longer knows a record that was not listed
  kUnconfirmed  ///< nothing is known of a record that was not listed: the next full scan asks again
};

/// A throttle is waited for so often in a row.
inline constexpr int kMostThrottlesInRow = 20;

FailureOutcome OutcomeOfFailure(const DetailFailure& failure);

/// The failure may pass by itself: nothing was said about the record.
bool IsPassing(ErrorCode code);

/// The failure says nothing of other calls. A caller that stops, is not known or has no calls left
/// gets no answer to any of them.
bool IsOfThisCallAlone(ErrorCode code);

/// The code of a run that was stopped because too many details failed, by how they failed:
/// kUnavailable if all of them may pass by themselves, else the most frequent of the others.
ErrorCode CodeOfStop(const std::map<ErrorCode, int>& failures);

}  // namespace pcw::sync
