#include "pcw/tables/held_digests.h"

#include <gtest/gtest.h>

namespace pcw::tables {
namespace {

constexpr const char* kPayload = "\\x0001020304050607";
constexpr const char* kCompanion = "\\x1011121314151617";

Sha256Digest Counting(std::uint8_t first) {
  Sha256Digest digest{};
  for (std::size_t i = 0; i < digest.size(); ++i) digest[i] = static_cast<std::uint8_t>(first + i);
  return digest;
}

/// A record whose payload begins as kPayload and whose companion as kCompanion.
KnownVersion Known(bool has_companion = false, int rank = 0) {
  return {.id = "O1",
          .sha256 = Counting(0x00),
          .companion_sha256 = has_companion ? Counting(0x10) : Sha256Digest{},
          .has_companion = has_companion,
          .rank = rank};
}

bool Holds(const HeldDigests& held, const KnownVersion& version) {
  return held.Holds(HeldDigests::HashOf("O1"), version);
}

HeldDigests With(std::optional<std::string_view> companion, int rank = 0) {
  HeldDigests held;
  held.Note("O1", kPayload, companion, rank);
  return held;
}

TEST(HeldDigestsTest, ARecordThatIsNotThereIsNotHeld) {
  EXPECT_FALSE(Holds(HeldDigests(), Known()));
}

TEST(HeldDigestsTest, TheSameBytesFromTheSameSourceAreHeld) {
  EXPECT_TRUE(Holds(With(std::nullopt), Known()));
}

TEST(HeldDigestsTest, OtherBytesAreNotHeld) {
  KnownVersion other = Known();
  other.sha256[7] ^= 1;
  EXPECT_FALSE(Holds(With(std::nullopt), other));
}

TEST(HeldDigestsTest, AnotherRecordWithTheSameBytesIsNotHeld) {
  EXPECT_FALSE(With(std::nullopt).Holds(HeldDigests::HashOf("O2"), Known()));
}

TEST(HeldDigestsTest, TheSameBytesFromAnotherSourceAreNotHeld) {
  EXPECT_FALSE(Holds(With(std::nullopt, 0), Known(false, 1)));
  EXPECT_TRUE(Holds(With(std::nullopt, 1), Known(false, 1)));
}

TEST(HeldDigestsTest, TheCompanionsBytesCount) {
  EXPECT_TRUE(Holds(With(kCompanion), Known(true)));
  EXPECT_FALSE(Holds(With("\\x1011121314151618"), Known(true)));
}

TEST(HeldDigestsTest, ARowWithoutACompanionHoldsNoneThatHasOne) {
  EXPECT_FALSE(Holds(With(std::nullopt), Known(true)));
  EXPECT_FALSE(Holds(With(kCompanion), Known(false)));
}

TEST(HeldDigestsTest, ACompanionOfZerosIsNotNone) {
  EXPECT_FALSE(Holds(With("\\x0000000000000000"), Known(false)));
}

TEST(HeldDigestsTest, PayloadAndCompanionAreNotExchanged) {
  HeldDigests held;
  held.Note("O1", kCompanion, kPayload, 0);
  EXPECT_FALSE(Holds(held, Known(true)));
}

TEST(HeldDigestsTest, EqualPayloadAndCompanionDoNotCancelOut) {
  HeldDigests held;
  held.Note("O1", kPayload, kPayload, 0);
  KnownVersion other = Known(true);
  other.sha256 = other.companion_sha256;
  EXPECT_FALSE(Holds(held, other));
}

TEST(HeldDigestsTest, WhatIsSentToTheTableIsForgotten) {
  HeldDigests held = With(std::nullopt);
  held.Forget(HeldDigests::HashOf("O1"));
  EXPECT_FALSE(Holds(held, Known()));
  EXPECT_EQ(held.size(), 0U);
}

TEST(HeldDigestsTest, ARowThatIsReadAgainCountsOnce) {
  HeldDigests held = With(std::nullopt);
  held.Note("O1", kCompanion, std::nullopt, 0);
  EXPECT_EQ(held.size(), 1U);
  EXPECT_FALSE(Holds(held, Known())) << "the later reading counts";
}

}  // namespace
}  // namespace pcw::tables
