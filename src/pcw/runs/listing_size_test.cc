#include "pcw/runs/listing_size.h"

#include <gtest/gtest.h>

namespace pcw::runs {
namespace {

TEST(ListingSizeTest, UnderHalfOfTheLastHasShrunk) {
  EXPECT_EQ(SizeOf({.listed = 49, .last_listed = 100, .rows_present = 100}), ListingSize::kShrank);
  EXPECT_EQ(SizeOf({.listed = 50, .last_listed = 100, .rows_present = 100}), ListingSize::kUsual);
  EXPECT_EQ(SizeOf({.listed = 300, .last_listed = 100, .rows_present = 100}), ListingSize::kUsual);
}

TEST(ListingSizeTest, TheShareIsASettingAndZeroIsNever) {
  EXPECT_EQ(SizeOf({.listed = 79, .last_listed = 100, .shrank_below_percent = 80}),
            ListingSize::kShrank);
  EXPECT_EQ(SizeOf({.listed = 1, .last_listed = 100, .shrank_below_percent = 0}),
            ListingSize::kUsual);
}

TEST(ListingSizeTest, WithoutAFullScanTheHeldRowsAreTheMeasure) {
  EXPECT_EQ(SizeOf({.listed = 4, .rows_present = 100}), ListingSize::kShrank);
  EXPECT_EQ(SizeOf({.listed = 4, .rows_present = 0}), ListingSize::kUsual);
}

TEST(ListingSizeTest, ASecondListingWithinFivePercentIsBelieved) {
  const auto second = [](std::int64_t listed) {
    return SizeOf({.listed = listed, .last_listed = 1000, .shrunk_listed = 200});
  };
  EXPECT_EQ(second(190), ListingSize::kUsual);
  EXPECT_EQ(second(210), ListingSize::kUsual);
  EXPECT_EQ(second(189), ListingSize::kShrank);
  EXPECT_EQ(second(211), ListingSize::kShrank);
  EXPECT_EQ(second(900), ListingSize::kUsual);
}

TEST(ListingSizeTest, AnEmptyListingIsBelievedByAPersonOnly) {
  EXPECT_EQ(SizeOf({.listed = 0, .last_listed = 0, .shrunk_listed = 0, .rows_present = 9}),
            ListingSize::kEmpty);
  EXPECT_EQ(SizeOf({.listed = 0, .last_listed = 9, .rows_present = 9, .is_accepted = true}),
            ListingSize::kUsual);
  EXPECT_EQ(SizeOf({.listed = 0, .last_listed = -1, .rows_present = 0}), ListingSize::kUsual);
}

TEST(ListingSizeTest, APersonAcceptsAShrunkListing) {
  EXPECT_EQ(SizeOf({.listed = 4, .last_listed = 100, .rows_present = 100, .is_accepted = true}),
            ListingSize::kUsual);
}

}  // namespace
}  // namespace pcw::runs
