#include "pcw/base/nearest.h"

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace pcw {
namespace {

const std::array<std::string, 4> kKnown{"opportunities", "leads", "solutions", "profiles"};

TEST(NearestNameTest, FindsTheOneThatWasMeant) {
  EXPECT_EQ(NearestName("oportunities", kKnown), "opportunities");
  EXPECT_EQ(NearestName("oppurtunitys", kKnown), "opportunities");
  EXPECT_EQ(NearestName("lead", kKnown), "leads");
  EXPECT_EQ(NearestName("sloutions", kKnown), "solutions");
}

TEST(NearestNameTest, SuggestsNothingWhenNothingIsNear) {
  EXPECT_EQ(NearestName("invoices", kKnown), std::nullopt);
  EXPECT_EQ(NearestName("", kKnown), std::nullopt);
  EXPECT_EQ(NearestName("leads", {}), std::nullopt);
}

TEST(NearestNameTest, TheFirstOfTwoEquallyNearWins) {
  const std::array<std::string, 2> known{"pages", "gages"};
  EXPECT_EQ(NearestName("wages", known), "pages");
}

}  // namespace
}  // namespace pcw
