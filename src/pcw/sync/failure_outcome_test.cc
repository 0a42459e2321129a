#include "pcw/sync/failure_outcome.h"

#include <gtest/gtest.h>

namespace pcw::sync {
namespace {

FailureOutcome Of(ErrorCode code, Pass pass) {
  return OutcomeOfFailure({.code = code, .pass = pass});
}

struct Row {
  ErrorCode code;
  FailureOutcome first, last, confirm;
};

TEST(OutcomeOfFailureTest, EveryCodeHasItsOutcomeInEveryPass) {
  using enum FailureOutcome;
  const Row rows[]{
      {ErrorCode::kUnauthenticated, kStopRun, kStopRun, kStopRun},
      {ErrorCode::kPermissionDenied, kWeighDenial, kWeighDenial, kUnconfirmed},
      {ErrorCode::kThrottled, kSubmitAgain, kSubmitAgain, kSubmitAgain},
      {ErrorCode::kUnavailable, kDefer, kDeadLetter, kUnconfirmed},
      {ErrorCode::kTimeout, kDefer, kDeadLetter, kUnconfirmed},
      {ErrorCode::kInvalidRequest, kDeadLetter, kDeadLetter, kUnconfirmed},
      {ErrorCode::kNotFound, kDefer, kDeadLetter, kGone},
      {ErrorCode::kConflict, kDeadLetter, kDeadLetter, kUnconfirmed},
      {ErrorCode::kSchemaMismatch, kDeadLetter, kDeadLetter, kUnconfirmed},
      {ErrorCode::kConfig, kStopRun, kStopRun, kStopRun},
      {ErrorCode::kCancelled, kStopRun, kStopRun, kStopRun},
      {ErrorCode::kInternal, kStopRun, kStopRun, kStopRun},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(NameOf(row.code));
    EXPECT_EQ(Of(row.code, Pass::kFirst), row.first);
    EXPECT_EQ(Of(row.code, Pass::kLast), row.last);
    EXPECT_EQ(Of(row.code, Pass::kConfirm), row.confirm);
  }
}

TEST(OutcomeOfFailureTest, WhatNeedNotExistIsAbsentAtOnce) {
  for (const Pass pass : {Pass::kFirst, Pass::kLast}) {
    EXPECT_EQ(OutcomeOfFailure({.code = ErrorCode::kNotFound, .pass = pass, .may_be_absent = true}),
              FailureOutcome::kAbsent);
  }
  EXPECT_EQ(OutcomeOfFailure(
                {.code = ErrorCode::kNotFound, .pass = Pass::kConfirm, .may_be_absent = true}),
            FailureOutcome::kGone);
  EXPECT_EQ(
      OutcomeOfFailure({.code = ErrorCode::kTimeout, .pass = Pass::kFirst, .may_be_absent = true}),
      FailureOutcome::kDefer);
}

TEST(OutcomeOfFailureTest, OnlyAThrottleThatPassesIsWaitedFor) {
  EXPECT_EQ(OutcomeOfFailure({.code = ErrorCode::kThrottled, .is_day_spent = true}),
            FailureOutcome::kStopRun);
  EXPECT_EQ(OutcomeOfFailure(
                {.code = ErrorCode::kThrottled, .throttles_in_row = kMostThrottlesInRow - 1}),
            FailureOutcome::kSubmitAgain);
  EXPECT_EQ(
      OutcomeOfFailure({.code = ErrorCode::kThrottled, .throttles_in_row = kMostThrottlesInRow}),
      FailureOutcome::kStopRun);
}

TEST(IsOfThisCallAloneTest, WhoIsRefusedOrStopsGetsNoOtherAnswerEither) {
  for (const Reaction& reaction : kReactions) {
    const bool is_of_every_call = reaction.code == ErrorCode::kUnauthenticated ||
                                  reaction.code == ErrorCode::kThrottled ||
                                  reaction.code == ErrorCode::kCancelled;
    EXPECT_EQ(IsOfThisCallAlone(reaction.code), !is_of_every_call) << reaction.name;
  }
}

TEST(CodeOfStopTest, UnavailableOnlyIfAllFailuresMayPass) {
  EXPECT_EQ(CodeOfStop({{ErrorCode::kUnavailable, 3}, {ErrorCode::kTimeout, 40}}),
            ErrorCode::kUnavailable);
  EXPECT_EQ(CodeOfStop({{ErrorCode::kUnavailable, 40}, {ErrorCode::kNotFound, 1}}),
            ErrorCode::kNotFound);
  EXPECT_EQ(CodeOfStop({{ErrorCode::kInvalidRequest, 2}, {ErrorCode::kNotFound, 5}}),
            ErrorCode::kNotFound);
}

}  // namespace
}  // namespace pcw::sync
