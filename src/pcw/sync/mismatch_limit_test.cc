#include "pcw/sync/mismatch_limit.h"

#include <gtest/gtest.h>

#include "fakes/result_matchers.h"

namespace pcw::sync {
namespace {

void Note(MismatchLimit& limit, int times, bool is_mismatch) {
  for (int i = 0; i < times; ++i) limit.Note(is_mismatch);
}

TEST(MismatchLimitTest, StopsAboveTheShareOfAtLeastFifty) {
  MismatchLimit limit(50);
  Note(limit, 49, true);
  EXPECT_THAT(limit.Check(), Succeeds());
  Note(limit, 1, false);
  const Status stopped = limit.Check();
  ASSERT_FALSE(stopped.has_value());
  EXPECT_EQ(stopped.error().code(), ErrorCode::kSchemaMismatch);
  EXPECT_EQ(stopped.error().Find("reason"), "too_many_mismatches");
}

TEST(MismatchLimitTest, TheShareItselfIsAllowed) {
  MismatchLimit limit(50);
  for (int i = 0; i < 500; ++i) limit.Note(i % 2 == 1);
  EXPECT_THAT(limit.Check(), Succeeds());
}

TEST(MismatchLimitTest, OnlyTheLastTwoHundredCount) {
  MismatchLimit limit(50);
  Note(limit, 1000, false);
  Note(limit, 100, true);
  EXPECT_THAT(limit.Check(), Succeeds());
  Note(limit, 1, true);
  EXPECT_FALSE(limit.Check().has_value());
}

TEST(MismatchLimitTest, ZeroIsNever) {
  MismatchLimit limit(0);
  Note(limit, 1000, true);
  EXPECT_THAT(limit.Check(), Succeeds());
}

}  // namespace
}  // namespace pcw::sync
