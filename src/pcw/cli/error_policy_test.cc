// One error policy: every code on its way through a call, a record, a run and its job, a REST
// answer and the end of a process. What is expected stands here once more, so that a changed row of
// kReactions is a decision and not an accident.
#include <array>

#include <gtest/gtest.h>

#include "fakes/fake_http.h"
#include "fakes/fake_time.h"
#include "pcw/api/problem.h"
#include "pcw/aws/caller.h"
#include "pcw/aws/partner_central_selling.h"
#include "pcw/cli/cli.h"
#include "pcw/runs/job_verdict.h"
#include "pcw/sync/failure_outcome.h"

namespace pcw::cli {
namespace {

using sync::FailureOutcome;
using enum sync::FailureOutcome;

struct Policy {
  ErrorCode code;
  int reads, writes;  ///< attempts of a call that may be repeated, and of one that may not
  FailureOutcome first, last;
  bool is_resumable;  ///< the run that it ended
  bool goes_on;       ///< by itself, without a person
  int own, aws;       ///< REST: of the caller or this service, of AWS
  int database;       ///< REST: of PostgreSQL
  int exit;           ///< of a command; a run that it stopped never ends with 3
  int exit_of_stopped_run;
};

constexpr std::array<Policy, 12> kPolicies{{
    {ErrorCode::kUnauthenticated, 1, 1, kStopRun, kStopRun, true, false, 401, 502, 500, 4, 4},
    {ErrorCode::kPermissionDenied, 1, 1, kWeighDenial, kWeighDenial, true, false, 403, 502, 500, 4,
     4},
    {ErrorCode::kThrottled, 3, 3, kSubmitAgain, kSubmitAgain, true, true, 503, 503, 503, 5, 5},
    {ErrorCode::kUnavailable, 3, 1, kDefer, kDeadLetter, true, true, 503, 502, 503, 69, 69},
    {ErrorCode::kTimeout, 3, 1, kDefer, kDeadLetter, true, true, 503, 504, 503, 69, 69},
    {ErrorCode::kInvalidRequest, 1, 1, kDeadLetter, kDeadLetter, true, false, 400, 502, 400, 1, 1},
    {ErrorCode::kNotFound, 1, 1, kDefer, kDeadLetter, true, false, 404, 502, 404, 1, 1},
    {ErrorCode::kConflict, 1, 1, kDeadLetter, kDeadLetter, true, true, 409, 502, 503, 1, 1},
    {ErrorCode::kSchemaMismatch, 1, 1, kDeadLetter, kDeadLetter, true, false, 500, 500, 500, 3, 1},
    {ErrorCode::kConfig, 1, 1, kStopRun, kStopRun, true, false, 500, 500, 500, 78, 78},
    {ErrorCode::kCancelled, 1, 1, kStopRun, kStopRun, true, true, 503, 503, 503, 130, 130},
    {ErrorCode::kInternal, 1, 1, kStopRun, kStopRun, false, false, 500, 500, 500, 70, 70},
}};

class OneKey final : public aws::CredentialsProvider {
 public:
  Result<aws::CredentialsPtr> Get(std::stop_token) override { return key; }
  void Invalidate(const aws::CredentialsPtr&) override {}
  aws::CredentialsPtr key = [] {
    auto made = std::make_shared<aws::Credentials>();
    made->access_key_id = "AKIA";
    made->secret_access_key = Secret("secret");
    return made;
  }();
};

/// How often a call is sent whose every attempt fails with this code, and what it returns.
struct Called {
  int attempts = 0;
  Error error;
};

Called CallFailing(ErrorCode code, aws::Idempotency idempotency) {
  net::FakeHttpClient http;
  OneKey credentials;
  aws::OpenQuotaGate quota;
  FakeClock clock;
  FakeSleeper sleeper{clock};
  FakeRng rng;
  aws::CallerOptions options;
  options.endpoint = "http://127.0.0.1:8000";
  aws::Caller caller(aws::partner_central_selling::kService,
                     {http, credentials, quota, clock, sleeper, rng}, options);
  http.script = {Error(code, "it failed")};
  const aws::Operation operation{&aws::partner_central_selling::kService, "AnOperation",
                                 idempotency, aws::QuotaClass::kRead, ""};
  Result<aws::CallResult> answer = caller.Call(operation, "{}", {});
  return {.attempts = static_cast<int>(http.sent.size()), .error = answer.error()};
}

int RestOf(Error error, Origin origin) {
  return api::ProblemResponse(std::move(error).From(origin), "r-1").status;
}

TEST(ErrorPolicyTest, EveryCodeHasARow) {
  ASSERT_EQ(kPolicies.size(), kReactions.size());
  for (std::size_t i = 0; i < kPolicies.size(); ++i)
    EXPECT_EQ(kPolicies[i].code, kReactions[i].code) << kReactions[i].name;
}

TEST(ErrorPolicyTest, InACall) {
  for (const Policy& policy : kPolicies) {
    SCOPED_TRACE(NameOf(policy.code));
    EXPECT_EQ(CallFailing(policy.code, aws::Idempotency::kIdempotent).attempts, policy.reads);
    EXPECT_EQ(CallFailing(policy.code, aws::Idempotency::kNonIdempotent).attempts, policy.writes);
  }
}

TEST(ErrorPolicyTest, ForARecord) {
  for (const Policy& policy : kPolicies) {
    SCOPED_TRACE(NameOf(policy.code));
    EXPECT_EQ(sync::OutcomeOfFailure({.code = policy.code, .pass = sync::Pass::kFirst}),
              policy.first);
    EXPECT_EQ(sync::OutcomeOfFailure({.code = policy.code, .pass = sync::Pass::kLast}),
              policy.last);
  }
}

TEST(ErrorPolicyTest, ForTheRunAndItsJob) {
  for (const Policy& policy : kPolicies) {
    SCOPED_TRACE(NameOf(policy.code));
    EXPECT_EQ(runs::IsResumable(policy.code), policy.is_resumable);
    const runs::JobVerdict verdict =
        runs::JudgeJob({.status = "failed", .error_code = std::string(NameOf(policy.code))}, 1,
                       false, std::nullopt);
    EXPECT_EQ(!verdict.end.has_value(), policy.goes_on);
  }
}

TEST(ErrorPolicyTest, InARestAnswer) {
  for (const Policy& policy : kPolicies) {
    SCOPED_TRACE(NameOf(policy.code));
    const Error error(policy.code, "it failed");
    EXPECT_EQ(RestOf(error, Origin::kHere), policy.own);
    EXPECT_EQ(RestOf(error, Origin::kAws), policy.aws);
    EXPECT_EQ(RestOf(error, Origin::kDatabase), policy.database);
    EXPECT_EQ(RestOf(CallFailing(policy.code, aws::Idempotency::kIdempotent).error, Origin::kHere),
              policy.aws)
        << "what a call returns is AWS's";
  }
}

TEST(ErrorPolicyTest, AtTheEndOfAProcess) {
  for (const Policy& policy : kPolicies) {
    SCOPED_TRACE(NameOf(policy.code));
    const Error error(policy.code, "it failed");
    EXPECT_EQ(ExitCodeOf(error), policy.exit);
    EXPECT_EQ(ExitCodeOf(AsStopped(error)), policy.exit_of_stopped_run);
  }
}

}  // namespace
}  // namespace pcw::cli
