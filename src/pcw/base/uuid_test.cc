#include "pcw/base/uuid.h"

#include <gtest/gtest.h>

#include "fakes/fake_time.h"

namespace pcw {
namespace {

WallTime AtMs(std::int64_t ms) { return WallTime(std::chrono::milliseconds(ms)); }

TEST(MakeUuidV7Test, LaysOutTheTimeVersionAndVariantOfRfc9562) {
  FakeRng ones(~0ULL);
  FakeRng zeros(0);

  // The time of the example in RFC 9562, appendix A.6.
  EXPECT_EQ(MakeUuidV7(AtMs(0x017F22E279B0), ones), "017f22e2-79b0-7fff-bfff-ffffffffffff");
  EXPECT_EQ(MakeUuidV7(AtMs(0x017F22E279B0), zeros), "017f22e2-79b0-7000-8000-000000000000");
}

TEST(MakeUuidV7Test, LaterIdsSortAfterEarlierOnes) {
  FakeRng ones(~0ULL);
  FakeRng zeros(0);

  EXPECT_LT(MakeUuidV7(AtMs(1'795'000'000'000), ones), MakeUuidV7(AtMs(1'795'000'000'001), zeros));
}

TEST(MakeUuidV7Test, RandomBitsDiffer) {
  SystemRng rng;

  EXPECT_NE(MakeUuidV7(AtMs(0), rng), MakeUuidV7(AtMs(0), rng));
}

TEST(IsUuidTest, AcceptsTheCanonicalFormOnly) {
  EXPECT_TRUE(IsUuid("017f22e2-79b0-7cc3-98c4-dc0c0c07398f"));
  EXPECT_TRUE(IsUuid("017F22E2-79B0-7CC3-98C4-DC0C0C07398F"));
  EXPECT_FALSE(IsUuid(""));
  EXPECT_FALSE(IsUuid("017f22e2-79b0-7cc3-98c4-dc0c0c07398"));
  EXPECT_FALSE(IsUuid("017f22e2-79b0-7cc3-98c4-dc0c0c07398f0"));
  EXPECT_FALSE(IsUuid("017f22e2-79b0-7cc3-98c4-dc0c0c07398g"));
  EXPECT_FALSE(IsUuid("017f22e279b0-7cc3-98c4-dc0c-0c07398f"));
  EXPECT_FALSE(IsUuid("{17f22e2-79b0-7cc3-98c4-dc0c0c07398}"));
}

TEST(PackUuidTest, ComesBackInLowerCase) {
  const auto packed = PackUuid("01A2b3c4-d5e6-7f80-9a0b-0c1d2e3f4a5b");
  ASSERT_TRUE(packed.has_value());
  EXPECT_EQ(packed->front(), 0x01);
  EXPECT_EQ(packed->back(), 0x5b);
  EXPECT_EQ(UnpackUuid(*packed), "01a2b3c4-d5e6-7f80-9a0b-0c1d2e3f4a5b");
  EXPECT_FALSE(PackUuid("01a2b3c4-d5e6-7f80-9a0b-0c1d2e3f4a5").has_value());
}

}  // namespace
}  // namespace pcw
