#include "pcw/api/rate_limit.h"

#include <gtest/gtest.h>

#include "fakes/fake_time.h"

namespace pcw::api {
namespace {

using std::chrono::milliseconds;

TEST(RateLimitTest, ABurstPassesThenTheRate) {
  FakeClock clock;
  SystemRng rng;
  RateLimit limit(10, 5, clock, rng);

  int passed = 0;
  for (int i = 0; i < 20; ++i) passed += limit.Allows("a") ? 1 : 0;
  EXPECT_EQ(passed, 5);
  clock.Advance(milliseconds(99));
  EXPECT_FALSE(limit.Allows("a"));
  clock.Advance(milliseconds(1));
  EXPECT_TRUE(limit.HasLeft("a"));
  EXPECT_TRUE(limit.Allows("a"));
  EXPECT_FALSE(limit.HasLeft("a"));
  EXPECT_FALSE(limit.Allows("a"));
}

TEST(RateLimitTest, KeysDoNotPayForEachOther) {
  FakeClock clock;
  SystemRng rng;
  RateLimit limit(1, 1, clock, rng);

  EXPECT_TRUE(limit.Allows("a"));
  EXPECT_FALSE(limit.Allows("a"));
  EXPECT_TRUE(limit.Allows("b"));
}

TEST(RateLimitTest, ZeroIsNoLimit) {
  FakeClock clock;
  SystemRng rng;
  RateLimit limit(0, 0, clock, rng);
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(limit.Allows("a"));
}

TEST(RateLimitTest, AFloodOfAddressesLeavesABusyKeyLimited) {
  FakeClock clock;
  SystemRng rng;
  RateLimit limit(1, 3, clock, rng);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(limit.Allows("busy"));

  // A table of fixed size: as many others as it has slots cannot push out who has used up most.
  for (int i = 0; i < 60'000; ++i) limit.Allows("address " + std::to_string(i));

  EXPECT_FALSE(limit.Allows("busy"));
}

}  // namespace
}  // namespace pcw::api
