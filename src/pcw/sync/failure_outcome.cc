#include "pcw/sync/failure_outcome.h"

namespace pcw::sync {

bool IsPassing(ErrorCode code) { return ReactionOf(code).call == CallReaction::kRetryIfIdempotent; }

bool IsOfThisCallAlone(ErrorCode code) {
  switch (ReactionOf(code).call) {
    case CallReaction::kFail:
    case CallReaction::kRetryIfIdempotent:
    case CallReaction::kRetryTransaction:
      return true;
    case CallReaction::kRefreshOnce:
    case CallReaction::kRetry:
    case CallReaction::kStop:
      return false;
  }
  return false;
}

FailureOutcome OutcomeOfFailure(const DetailFailure& failure) {
  const bool is_confirming = failure.pass == Pass::kConfirm;
  // AWS was heard, and knows no such record.
  const bool is_unknown = failure.code == ErrorCode::kNotFound;
  switch (ReactionOf(failure.code).record) {
    case RecordReaction::kNone:
      return FailureOutcome::kStopRun;
    case RecordReaction::kAskAgain:
      // The account is paused already. A spent day cannot be waited for; any other throttle only
      // delays this record.
      return failure.is_day_spent || failure.throttles_in_row >= kMostThrottlesInRow
                 ? FailureOutcome::kStopRun
                 : FailureOutcome::kSubmitAgain;
    case RecordReaction::kDeferThenDeadLetter:
      if (is_confirming) return is_unknown ? FailureOutcome::kGone : FailureOutcome::kUnconfirmed;
      if (is_unknown && failure.may_be_absent) return FailureOutcome::kAbsent;
      // A Get may lag the list for seconds after a create (docs/aws-facts.md 7).
      return failure.pass == Pass::kFirst ? FailureOutcome::kDefer : FailureOutcome::kDeadLetter;
    case RecordReaction::kDeadLetter:
      return is_confirming ? FailureOutcome::kUnconfirmed : FailureOutcome::kDeadLetter;
    case RecordReaction::kWeighDenial:
      return is_confirming ? FailureOutcome::kUnconfirmed : FailureOutcome::kWeighDenial;
  }
  return FailureOutcome::kStopRun;
}

ErrorCode CodeOfStop(const std::map<ErrorCode, int>& failures) {
  ErrorCode code = ErrorCode::kUnavailable;
  int most = 0;
  for (const auto& [failed, times] : failures) {
    if (IsPassing(failed) || times <= most) continue;
    code = failed;
    most = times;
  }
  return code;
}

}  // namespace pcw::sync
