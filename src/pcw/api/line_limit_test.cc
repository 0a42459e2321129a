#include "pcw/api/line_limit.h"

#include <gmock/gmock.h>

#include "fakes/fake_time.h"

namespace pcw::api {
namespace {

using std::chrono::seconds;
using ::testing::Optional;

TEST(LineLimitTest, AFloodIsALineAMinuteThatTellsHowManyWereLeftOut) {
  FakeClock clock;
  LineLimit limit(clock);

  EXPECT_THAT(limit.Allows("a"), Optional(0U));
  for (int i = 0; i < 500; ++i) EXPECT_EQ(limit.Allows("a"), std::nullopt);
  EXPECT_THAT(limit.Allows("b"), Optional(0U));
  clock.Advance(seconds(59));
  EXPECT_EQ(limit.Allows("a"), std::nullopt);
  clock.Advance(seconds(1));
  EXPECT_THAT(limit.Allows("a"), Optional(501U));
  EXPECT_EQ(limit.Allows("a"), std::nullopt);
}

TEST(LineLimitTest, ManyKeysShareOneLineAndBoundedMemory) {
  FakeClock clock;
  LineLimit limit(clock, 10);
  int lines = 0;
  for (int i = 0; i < 1'000; ++i) lines += limit.Allows("key " + std::to_string(i)) ? 1 : 0;
  EXPECT_EQ(lines, 11) << "ten keys, and one line for all the others";

  clock.Advance(seconds(61));
  EXPECT_THAT(limit.Allows("a new one"), Optional(0U)) << "keys that rest are forgotten";
}

}  // namespace
}  // namespace pcw::api
