#include "pcw/events/outbox.h"

#include <gtest/gtest.h>

#include "fakes/fake_time.h"
#include "pcw/connector/entity_def.h"

namespace pcw::events {
namespace {

using std::chrono::milliseconds;

/// Of all random bits the half: NextUnit() is 0.5.
milliseconds PauseAfter(int attempts, std::uint64_t bits = 1ULL << 63U) {
  FakeRng rng(bits);
  return RetryPause(attempts, rng);
}

TEST(OutboxRetryPauseTest, ThePauseDoublesWithEachTry) {
  EXPECT_EQ(PauseAfter(1), milliseconds(750));
  EXPECT_EQ(PauseAfter(2), milliseconds(1'500));
  EXPECT_EQ(PauseAfter(3), milliseconds(3'000));
}

TEST(OutboxRetryPauseTest, HalfOfAPauseIsRandom) {
  EXPECT_EQ(PauseAfter(1, 0), milliseconds(500));
  EXPECT_GE(PauseAfter(1, ~0ULL), milliseconds(999));
  EXPECT_LE(PauseAfter(1, ~0ULL), milliseconds(1'000));
}

TEST(OutboxRetryPauseTest, APauseIsFiveMinutesAtMost) {
  EXPECT_LE(PauseAfter(20, ~0ULL), milliseconds(300'000));
  EXPECT_EQ(PauseAfter(20), PauseAfter(1'000'000)) << "and does not overflow";
}

TEST(OutboxRetryPauseTest, ATryThatWasNotCountedPausesLikeTheFirst) {
  EXPECT_EQ(PauseAfter(0), PauseAfter(1));
}

TEST(IsPublishedTest, OnlyOpportunitiesAreToldOf) {
  for (const connector::EntityDef* def : connector::AllEntities())
    EXPECT_EQ(IsPublished(def->name), def->name == "opportunities") << def->name;
}

}  // namespace
}  // namespace pcw::events
