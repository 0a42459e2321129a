#include "pcw/base/assert.h"

#include <gtest/gtest.h>

#include "pcw/base/result.h"

namespace pcw {
namespace {

TEST(AssertDeathTest, BrokenInvariantNamesConditionAndPlace) {
  EXPECT_DEATH(PCW_ASSERT(1 + 1 == 3), "broken invariant `1 \\+ 1 == 3` at .*assert_test.cc");
}

TEST(AssertDeathTest, ReadingTheValueOfAFailureAborts) {
  EXPECT_DEATH(
      {
        Result<int> failed = Error(ErrorCode::kInternal, "no");
        [[maybe_unused]] const int value = *failed;
      },
      "broken invariant");
}

}  // namespace
}  // namespace pcw
