#include "pcw/base/json_pointer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pcw {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(JsonPointerTest, EveryNameComesBackFromItsSegment) {
  EXPECT_EQ(PointerSegment("a/b~c"), "a~1b~0c");
  for (const char* name : {"", "a", "~", "/", "~1", "~0", "a/b", "//~~"})
    EXPECT_THAT(SplitPointer("/x/" + PointerSegment(name)), ElementsAre("x", name));
}

TEST(JsonPointerTest, WhatDoesNotBeginWithASlashNamesNothing) {
  EXPECT_THAT(SplitPointer(""), IsEmpty());
  EXPECT_THAT(SplitPointer("@id"), IsEmpty());
  EXPECT_THAT(SplitPointer("/"), ElementsAre(""));
}

}  // namespace
}  // namespace pcw
