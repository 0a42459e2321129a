#include "pcw/base/hex.h"

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pcw {
namespace {

TEST(HexTest, BytesComeBackAsTheyWere) {
  const std::string bytes("\x00\x7f\x80\xff pcw", 8);
  EXPECT_EQ(Hex(bytes), "007f80ff20706377");
  EXPECT_EQ(HexDecode(Hex(bytes)), bytes);
  EXPECT_EQ(HexDecode("0aF0"), std::string("\x0a\xf0")) << "of either case";
  EXPECT_EQ(HexDecode(""), "");
}

TEST(HexTest, WhatIsNotHexIsRefused) {
  for (const char* bad : {"0", "0g", "g0", " 0", "0x", "-1", "0:", "0@", "0`", "00\n"})
    EXPECT_EQ(HexDecode(bad), std::nullopt) << bad;
}

TEST(HexTest, AnArrayTakesExactlyItsBytes) {
  std::array<std::uint8_t, 2> bytes{};
  for (const char* bad : {"", "ff", "ffffff", "fffg", "gfff", "ff-ff", "ff ff"})
    EXPECT_FALSE(HexDecode(bad, bytes)) << bad;
  EXPECT_TRUE(HexDecode("a0FF", bytes));
  EXPECT_THAT(bytes, ::testing::ElementsAre(0xa0, 0xff));
}

}  // namespace
}  // namespace pcw
