#include "pcw/sync/failure_limit.h"

#include <gtest/gtest.h>

namespace pcw::sync {
namespace {

void Note(FailureLimit& limit, int times, bool is_failure) {
  for (int i = 0; i < times; ++i) limit.Note(is_failure);
}

TEST(FailureLimitTest, StopsAboveTheShareOfAtLeastFifty) {
  FailureLimit limit(50, 200);
  Note(limit, 49, true);
  EXPECT_FALSE(limit.is_exceeded());
  Note(limit, 1, false);
  EXPECT_TRUE(limit.is_exceeded());
  EXPECT_EQ(limit.Worst(), "49 of the last 50");
}

TEST(FailureLimitTest, TheShareItselfIsAllowed) {
  FailureLimit limit(50, 200);
  for (int i = 0; i < 500; ++i) limit.Note(i % 2 == 1);
  EXPECT_FALSE(limit.is_exceeded());
}

TEST(FailureLimitTest, OnlyTheWindowCounts) {
  FailureLimit limit(50, 200);
  Note(limit, 1000, false);
  Note(limit, 100, true);
  EXPECT_FALSE(limit.is_exceeded());
  Note(limit, 1, true);
  EXPECT_TRUE(limit.is_exceeded());
}

TEST(FailureLimitTest, AShortWindowIsJudgedWhenItIsFull) {
  FailureLimit limit(50, 10);
  Note(limit, 9, true);
  EXPECT_FALSE(limit.is_exceeded());
  Note(limit, 1, true);
  EXPECT_TRUE(limit.is_exceeded());
}

TEST(FailureLimitTest, WhatWasExceededOnceStaysExceeded) {
  FailureLimit limit(50, 50);
  Note(limit, 50, true);
  Note(limit, 500, false);
  EXPECT_TRUE(limit.is_exceeded());
  EXPECT_EQ(limit.Worst(), "50 of the last 50");
}

TEST(FailureLimitTest, ZeroIsNever) {
  FailureLimit limit(0, 200);
  Note(limit, 1000, true);
  EXPECT_FALSE(limit.is_exceeded());
}

}  // namespace
}  // namespace pcw::sync
