#include "pcw/connector/decimal.h"

#include <gtest/gtest.h>

namespace pcw::connector {
namespace {

std::string Plain(std::string_view text) { return PlainDecimal(text).value_or("none"); }

TEST(PlainDecimalTest, KeepsEveryDigitAndWritesItPlainly) {
  EXPECT_EQ(Plain("100."), "100") << "AWS's pattern allows it";
  EXPECT_EQ(Plain("0."), "0");
  EXPECT_EQ(Plain("12500.00"), "12500.00");
  EXPECT_EQ(Plain("100.5"), "100.5");
  EXPECT_EQ(Plain(".5"), "0.5");
  EXPECT_EQ(Plain("+7"), "7");
  EXPECT_EQ(Plain("-0.10"), "-0.10");
  EXPECT_EQ(Plain("9223372036854775808"), "9223372036854775808");
  EXPECT_EQ(Plain("18446744073709551616"), "18446744073709551616");
  EXPECT_EQ(Plain(std::string(200, '9')), std::string(200, '9'));
  EXPECT_EQ(Plain("123456789012345678901234567890.10"), "123456789012345678901234567890.10");
}

TEST(PlainDecimalTest, ExponentsAreWrittenOut) {
  EXPECT_EQ(Plain("1E+6"), "1000000");
  EXPECT_EQ(Plain("1e6"), "1000000");
  EXPECT_EQ(Plain("-1.50E1"), "-15.0");
  EXPECT_EQ(Plain("1.25e-3"), "0.00125");
  EXPECT_EQ(Plain("1250e-2"), "12.50");
  EXPECT_EQ(Plain("0E5"), "0");
  EXPECT_EQ(Plain("1.e2"), "100");
  EXPECT_EQ(Plain("1e400"), "1" + std::string(400, '0'));
}

TEST(PlainDecimalTest, IsNotADecimalNumber) {
  for (const char* text : {"", ".", "-", "e5", "1e", "1e+", "1e1.5", "1,5", "1 000", " 1", "1 ",
                           "NaN", "Infinity", "0x10", "1.2.3", "--1", "1e++2", "1e+-2", "ten"}) {
    EXPECT_EQ(PlainDecimal(text), std::nullopt) << text;
  }
}

TEST(PlainDecimalTest, MoreDigitsThanTheLimitAreRefusedNotRounded) {
  EXPECT_EQ(Plain(std::string(1000, '1')), std::string(1000, '1'));
  EXPECT_EQ(PlainDecimal(std::string(1001, '1')), std::nullopt);
  EXPECT_EQ(PlainDecimal("1E+1000"), std::nullopt);
  EXPECT_EQ(PlainDecimal("1E-1000"), std::nullopt);
  EXPECT_EQ(PlainDecimal("1E+99999999999999999999"), std::nullopt);
}

}  // namespace
}  // namespace pcw::connector
