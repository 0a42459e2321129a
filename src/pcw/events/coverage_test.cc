#include "pcw/events/coverage.h"

#include <gtest/gtest.h>

namespace pcw::events {
namespace {

TEST(CoverageTest, WithoutAChangeNothingWasMissed) { EXPECT_EQ(Coverage{}.missed_share(), 0.0); }

TEST(CoverageTest, TheShareIsOfAllChanges) {
  EXPECT_DOUBLE_EQ((Coverage{.told = 3, .missed = 1}).missed_share(), 0.25);
}

TEST(CoverageTest, WhereNoEventToldOfAnythingAllWasMissed) {
  EXPECT_DOUBLE_EQ((Coverage{.told = 0, .missed = 7}).missed_share(), 1.0);
}

TEST(IsMeasuredTest, OnlyEntitiesOfWhichAwsTellsEveryChange) {
  EXPECT_TRUE(IsMeasured("opportunities"));
  EXPECT_FALSE(IsMeasured("leads"));
}

}  // namespace
}  // namespace pcw::events
