#include "pcw/base/backoff.h"

#include <gtest/gtest.h>

#include "fakes/fake_time.h"

namespace pcw {
namespace {

using std::chrono::milliseconds;

constexpr Backoff kFull{.first = milliseconds(100), .most = milliseconds(1'000), .fixed_share = 0};
constexpr Backoff kHalf{.first = milliseconds(100), .most = milliseconds(1'000)};

TEST(BackoffTest, PausesDoubleUpToTheLongest) {
  FakeRng half;
  EXPECT_EQ(PauseBefore(kFull, 0, half), milliseconds(50));
  EXPECT_EQ(PauseBefore(kFull, 1, half), milliseconds(100));
  EXPECT_EQ(PauseBefore(kFull, 3, half), milliseconds(400));
  EXPECT_EQ(PauseBefore(kFull, 4, half), milliseconds(500));
  EXPECT_EQ(PauseBefore(kFull, 100'000, half), milliseconds(500));
  EXPECT_EQ(PauseBefore(kFull, -1, half), milliseconds(50)) << "as the first";
}

TEST(BackoffTest, TheFixedShareOfAPauseIsNotRandom) {
  FakeRng zeros(0);
  FakeRng ones(~0ULL);
  EXPECT_EQ(PauseBefore(kFull, 0, zeros), milliseconds(0));
  EXPECT_EQ(PauseBefore(kFull, 0, ones), milliseconds(99));
  EXPECT_EQ(PauseBefore(kHalf, 0, zeros), milliseconds(50));
  EXPECT_EQ(PauseBefore(kHalf, 0, ones), milliseconds(100));
}

}  // namespace
}  // namespace pcw
