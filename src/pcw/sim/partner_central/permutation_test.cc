#include "pcw/sim/partner_central/permutation.h"

#include <set>

#include <gmock/gmock.h>

namespace pcw::sim {
namespace {

class PermutationTest : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(PermutationTest, MapsEveryIndexToAnotherAndBack) {
  const std::uint64_t size = GetParam();
  const Permutation permutation(size, 7);
  std::set<std::uint64_t> images;

  for (std::uint64_t i = 0; i < size; ++i) {
    images.insert(permutation.Forward(i));
    EXPECT_EQ(permutation.Backward(permutation.Forward(i)), i);
  }

  EXPECT_EQ(images.size(), size);
  EXPECT_LT(*images.rbegin(), size);
}

INSTANTIATE_TEST_SUITE_P(Sizes, PermutationTest, ::testing::Values(1, 2, 3, 16, 17, 1'000, 4'097));

TEST(PermutationSeedTest, AnotherSeedGivesAnotherOrder) {
  const Permutation one(1'000, 1);
  const Permutation two(1'000, 2);

  EXPECT_NE(one.Forward(0) * 1'000 + one.Forward(1), two.Forward(0) * 1'000 + two.Forward(1));
}

}  // namespace
}  // namespace pcw::sim
