#include "pcw/sync/failure_outcome.h"

namespace pcw::sync {

bool IsPassing(ErrorCode code) {
  return code == ErrorCode::kUnavailable || code == ErrorCode::kTimeout;
}

FailureOutcome OutcomeOfFailure(const DetailFailure& failure) {
  const bool is_confirming = failure.pass == Pass::kConfirm;
  const auto later = [&] {
    if (is_confirming) return FailureOutcome::kUnconfirmed;
    return failure.pass == Pass::kFirst ? FailureOutcome::kDefer : FailureOutcome::kDeadLetter;
  };
  switch (failure.code) {
    case ErrorCode::kThrottled:
      // The account is paused already. A spent day cannot be waited for; any other throttle only
      // delays this record.
      return failure.is_day_spent || failure.throttles_in_row >= kMostThrottlesInRow
                 ? FailureOutcome::kStopRun
                 : FailureOutcome::kSubmitAgain;
    case ErrorCode::kNotFound:
      if (is_confirming) return FailureOutcome::kGone;
      if (failure.may_be_absent) return FailureOutcome::kAbsent;
      return later();  // a Get may lag the list for seconds after a create (docs/aws-facts.md 7)
    case ErrorCode::kUnavailable:
    case ErrorCode::kTimeout:
      return later();
    case ErrorCode::kInvalidRequest:
    case ErrorCode::kConflict:
    case ErrorCode::kSchemaMismatch:
      // Asking again gives the same answer.
      return is_confirming ? FailureOutcome::kUnconfirmed : FailureOutcome::kDeadLetter;
    case ErrorCode::kPermissionDenied:
      return is_confirming ? FailureOutcome::kUnconfirmed : FailureOutcome::kWeighDenial;
    case ErrorCode::kUnauthenticated:
    case ErrorCode::kConfig:
    case ErrorCode::kCancelled:
    case ErrorCode::kInternal:
      return FailureOutcome::kStopRun;
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
