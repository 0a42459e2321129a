#include "pcw/api/problem.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "pcw/base/json.h"

namespace pcw::api {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ProblemTest, AnErrorOfTheRequestIsToldAsItIs) {
  const auto answer =
      ProblemResponse(ApiError(422, "idempotency_mismatch", "another body", "mode"), "r-1");
  const auto json = ParseJson(answer.body);
  ASSERT_TRUE(json.has_value());
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ((*json)["code"], "idempotency_mismatch");
  EXPECT_EQ((*json)["field"], "mode");
  EXPECT_EQ((*json)["request_id"], "r-1");
  EXPECT_EQ(answer.headers.front().second, "application/problem+json");
}

TEST(ProblemTest, NothingOfTheInsideIsTold) {
  for (const Reaction& reaction : kReactions) {
    if (reaction.code == ErrorCode::kInvalidRequest || reaction.code == ErrorCode::kConflict)
      continue;  // their sentences are made for the caller
    for (const Origin origin : {Origin::kHere, Origin::kAws, Origin::kDatabase}) {
      const Error error = Error(reaction.code, "SELECT secret FROM /var/lib/pcw")
                              .From(origin)
                              .With("query", "runs_list");
      const auto answer = ProblemResponse(error, "r-2");
      EXPECT_THAT(answer.body, Not(HasSubstr("secret"))) << reaction.name;
      EXPECT_THAT(answer.body, Not(HasSubstr("runs_list"))) << reaction.name;
      EXPECT_GE(answer.status, 400) << reaction.name;
    }
  }
  const Error sql = Error(ErrorCode::kConflict, "duplicate key value").From(Origin::kDatabase);
  EXPECT_THAT(ProblemResponse(sql, "r-3").body, Not(HasSubstr("duplicate key")));
}

TEST(ProblemTest, UnavailableSaysWhenToTryAgain) {
  const auto answer = ProblemResponse(Error(ErrorCode::kUnavailable, "gone"), "r-4");
  EXPECT_EQ(answer.status, 503);
  EXPECT_TRUE(net::server::FindHeader(answer.headers, "Retry-After").has_value());
}

}  // namespace
}  // namespace pcw::api
