#include "pcw/aws/retry.h"

#include <gtest/gtest.h>

#include "fakes/fake_time.h"

namespace pcw::aws {
namespace {

using std::chrono::milliseconds;

TEST(BackoffDelayTest, DoublesUpToTheCeilingAndIsJittered) {
  FakeRng half;
  const RetryPolicy policy;

  EXPECT_EQ(BackoffDelay(policy, 0, false, half, {}, {}), milliseconds(25));
  EXPECT_EQ(BackoffDelay(policy, 3, false, half, {}, {}), milliseconds(200));
  EXPECT_EQ(BackoffDelay(policy, 0, true, half, {}, {}), milliseconds(500));
  EXPECT_EQ(BackoffDelay(policy, 20, true, half, {}, {}), milliseconds(10'000));
}

TEST(BackoffDelayTest, HonoursTheServersWishWithinBounds) {
  FakeRng half;
  const RetryPolicy policy;

  EXPECT_EQ(BackoffDelay(policy, 0, false, half, "1500", {}), milliseconds(1500));
  EXPECT_EQ(BackoffDelay(policy, 0, false, half, "1", {}), milliseconds(25));
  EXPECT_EQ(BackoffDelay(policy, 0, false, half, "99999999999999", {}), milliseconds(5025));
  EXPECT_EQ(BackoffDelay(policy, 0, false, half, "soon", {}), milliseconds(25));
  EXPECT_EQ(BackoffDelay(policy, 0, false, half, {}, "3"), milliseconds(3000));
  EXPECT_EQ(BackoffDelay(policy, 0, false, half, {}, "3600"), milliseconds(60'000));
}

TEST(RetryBudgetTest, ASuccessGivesBackWhatItsRetryTook) {
  RetryBudget budget;
  ASSERT_TRUE(budget.Take(false));
  ASSERT_TRUE(budget.Take(true));
  EXPECT_EQ(budget.tokens(), 481);

  budget.GiveBack(14);
  budget.GiveBack(0);

  EXPECT_EQ(budget.tokens(), 496);
  for (int i = 0; i < 10; ++i) budget.GiveBack(14);
  EXPECT_EQ(budget.tokens(), RetryBudget::kCapacity);
}

}  // namespace
}  // namespace pcw::aws
