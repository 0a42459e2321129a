#include "pcw/pg/binary_copy.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "fakes/result_matchers.h"
#include "pcw/base/time.h"

namespace pcw::pg {
namespace {

constexpr std::size_t kHeaderBytes = 11 + 4 + 4;

std::string HexOf(std::string_view bytes) {
  std::string hex;
  for (const char c : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return hex;
}

/// What one row of one field is on the wire, without the header, the row's count and the end.
template <typename Add>
std::string FieldOf(const Add& add) {
  BinaryCopy copy;
  copy.BeginRow(1);
  add(copy);
  const std::string stream = copy.Finish();
  return HexOf(std::string_view(stream).substr(kHeaderBytes + 2, stream.size() - kHeaderBytes - 4));
}

std::string NumericOf(std::string_view decimal) {
  return FieldOf([&](BinaryCopy& copy) { EXPECT_THAT(copy.AddNumeric(decimal), Succeeds()); });
}

Status RefusedNumeric(std::string_view decimal) { return BinaryCopy().AddNumeric(decimal); }

TEST(BinaryCopyTest, AnEmptyStreamIsHeaderAndEnd) {
  EXPECT_EQ(HexOf(BinaryCopy().Finish()),
            "5047434f50590aff0d0a00"
            "00000000"
            "00000000"
            "ffff");
}

TEST(BinaryCopyTest, ARowBeginsWithTheNumberOfItsFields) {
  BinaryCopy copy;
  copy.BeginRow(258);
  EXPECT_EQ(HexOf(copy.Finish()).substr(2 * kHeaderBytes),
            "0102"
            "ffff");
}

TEST(BinaryCopyTest, RowsAreCounted) {
  BinaryCopy copy;
  copy.BeginRow(0);
  copy.BeginRow(0);
  EXPECT_EQ(copy.rows(), 2);
}

TEST(BinaryCopyTest, AfterItsEndItIsEmptyAndReusable) {
  BinaryCopy copy;
  copy.BeginRow(1);
  copy.AddText("x");
  (void)copy.Finish();
  EXPECT_EQ(copy.rows(), 0);
  EXPECT_EQ(copy.Finish(), BinaryCopy().Finish());
}

TEST(BinaryCopyTest, ASpareBufferLeavesNothingBehind) {
  EXPECT_EQ(BinaryCopy(0, "old bytes").Finish(), BinaryCopy().Finish());
}

TEST(BinaryCopyTest, NullHasTheLengthMinusOne) {
  EXPECT_EQ(FieldOf([](BinaryCopy& copy) { copy.AddNull(); }), "ffffffff");
}

TEST(BinaryCopyTest, AnEmptyTextIsNotNull) {
  EXPECT_EQ(FieldOf([](BinaryCopy& copy) { copy.AddText(""); }), "00000000");
}

TEST(BinaryCopyTest, ATextIsItsBytes) {
  EXPECT_EQ(FieldOf([](BinaryCopy& copy) { copy.AddText("\u00fc"); }),
            "00000002"
            "c3bc");
}

TEST(BinaryCopyTest, JsonbHasItsVersionInFront) {
  EXPECT_EQ(FieldOf([](BinaryCopy& copy) { copy.AddJsonb("{}"); }),
            "00000003"
            "01"
            "7b7d");
}

TEST(BinaryCopyTest, IntegersAreBigEndianAndSigned) {
  EXPECT_EQ(FieldOf([](BinaryCopy& copy) { copy.AddInt2(-2); }),
            "00000002"
            "fffe");
  EXPECT_EQ(FieldOf([](BinaryCopy& copy) { copy.AddInt4(66'051); }),
            "00000004"
            "00010203");
  EXPECT_EQ(FieldOf([](BinaryCopy& copy) { copy.AddInt8(-1); }),
            "00000008"
            "ffffffffffffffff");
}

TEST(BinaryCopyTest, ABooleanIsOneByte) {
  EXPECT_EQ(FieldOf([](BinaryCopy& copy) { copy.AddBool(true); }),
            "00000001"
            "01");
  EXPECT_EQ(FieldOf([](BinaryCopy& copy) { copy.AddBool(false); }),
            "00000001"
            "00");
}

TEST(BinaryCopyTest, TimesCountMicrosecondsFromTheYear2000) {
  const auto at = [](const char* text) {
    return FieldOf([&](BinaryCopy& copy) { copy.AddTimestamptz(*ParseRfc3339(text)); });
  };
  EXPECT_EQ(at("2000-01-01T00:00:00Z"),
            "00000008"
            "0000000000000000");
  EXPECT_EQ(at("2000-01-01T00:00:00.000001Z"),
            "00000008"
            "0000000000000001");
  EXPECT_EQ(at("1999-12-31T23:59:59.999999Z"),
            "00000008"
            "ffffffffffffffff");
}

TEST(BinaryCopyTest, DatesCountDaysFromTheYear2000) {
  const auto of = [](int year, unsigned month, unsigned day) {
    return FieldOf([&](BinaryCopy& copy) { copy.AddDate(year, month, day); });
  };
  EXPECT_EQ(of(2000, 1, 2),
            "00000004"
            "00000001");
  EXPECT_EQ(of(2000, 3, 1),
            "00000004"
            "0000003c")
      << "2000 was a leap year";
  EXPECT_EQ(of(1999, 12, 31),
            "00000004"
            "ffffffff");
}

TEST(BinaryCopyTest, AUuidIsItsSixteenBytes) {
  EXPECT_EQ(FieldOf([](BinaryCopy& copy) {
              EXPECT_THAT(copy.AddUuid("01234567-89ab-cdef-ABCD-0123456789ab"), Succeeds());
            }),
            "00000010"
            "0123456789abcdefabcd0123456789ab");
}

TEST(BinaryCopyTest, WhatIsNotAUuidIsRefused) {
  EXPECT_THAT(BinaryCopy().AddUuid("0123"), FailsWith(ErrorCode::kInternal));
}

// Fields of a numeric: groups, weight, sign, scale, then the groups.
TEST(BinaryCopyNumericTest, ASmallNumberIsOneGroup) {
  EXPECT_EQ(NumericOf("7"),
            "0000000a"
            "0001"
            "0000"
            "0000"
            "0000"
            "0007");
}

TEST(BinaryCopyNumericTest, GroupsAreAlignedAtThePoint) {
  EXPECT_EQ(NumericOf("12345.6"),
            "0000000e"
            "0003"
            "0001"
            "0000"
            "0001"
            "0001"
            "0929"
            "1770");
}

TEST(BinaryCopyNumericTest, TheSignIsAFieldOfItsOwn) {
  EXPECT_EQ(NumericOf("-7"),
            "0000000a"
            "0001"
            "0000"
            "4000"
            "0000"
            "0007");
  EXPECT_EQ(NumericOf("+7"), NumericOf("7"));
}

TEST(BinaryCopyNumericTest, ZeroHasNoGroupsAndNoSign) {
  EXPECT_EQ(NumericOf("0"),
            "00000008"
            "0000"
            "0000"
            "0000"
            "0000");
  EXPECT_EQ(NumericOf("-0"), NumericOf("0"));
}

TEST(BinaryCopyNumericTest, TheScaleKeepsTrailingZeros) {
  EXPECT_EQ(NumericOf("0.00"),
            "00000008"
            "0000"
            "0000"
            "0000"
            "0002");
  EXPECT_EQ(NumericOf("1.50"),
            "0000000c"
            "0002"
            "0000"
            "0000"
            "0002"
            "0001"
            "1388");
}

TEST(BinaryCopyNumericTest, LeadingZerosAreNoGroups) {
  EXPECT_EQ(NumericOf("00000007"), NumericOf("7"));
}

TEST(BinaryCopyNumericTest, AFractionBelowOneHasANegativeWeight) {
  EXPECT_EQ(NumericOf("0.0001"),
            "0000000a"
            "0001"
            "ffff"
            "0000"
            "0004"
            "0001");
  EXPECT_EQ(NumericOf("0.00000001"),
            "0000000a"
            "0001"
            "fffe"
            "0000"
            "0008"
            "0001");
}

TEST(BinaryCopyNumericTest, TrailingGroupsOfZerosAreLeftOut) {
  EXPECT_EQ(NumericOf("10000"),
            "0000000a"
            "0001"
            "0001"
            "0000"
            "0000"
            "0001");
}

TEST(BinaryCopyNumericTest, WhatIsNotAPlainDecimalIsRefused) {
  for (const char* bad :
       {"", "-", "+", ".", ".5", "5.", "1e5", "1,5", " 1", "1 ", "0x10", "--1", "1.2.3", "NaN"})
    EXPECT_THAT(RefusedNumeric(bad), FailsWith(ErrorCode::kSchemaMismatch)) << bad;
}

TEST(BinaryCopyNumericTest, MoreDigitsThanTheServerTakesAreRefused) {
  EXPECT_THAT(RefusedNumeric(std::string(100'000, '1')), Succeeds());
  EXPECT_THAT(RefusedNumeric(std::string(100'001, '1')), FailsWith(ErrorCode::kSchemaMismatch));
  EXPECT_THAT(RefusedNumeric("0." + std::string(16'000, '1')), Succeeds());
  EXPECT_THAT(RefusedNumeric("0." + std::string(16'001, '1')),
              FailsWith(ErrorCode::kSchemaMismatch));
}

}  // namespace
}  // namespace pcw::pg
