#include "pcw/runs/watermark.h"

#include <gtest/gtest.h>

#include "pcw/base/time.h"

namespace pcw::runs {
namespace {

using std::chrono::minutes;

WallTime At(const char* text) { return *ParseRfc3339(text); }

TEST(AdvanceWatermarkTest, StaysBehindTheServicesClockByTheLag) {
  const ScanObservation seen{.max_version = At("2026-11-20T10:00:00Z"),
                             .first_response_date = At("2026-11-20T10:00:30Z"),
                             .began_at = std::nullopt};

  EXPECT_EQ(AdvanceWatermark(std::nullopt, seen, minutes(5)), At("2026-11-20T09:55:30Z"));
}

TEST(AdvanceWatermarkTest, IsNeverAboveWhatWasSeen) {
  const ScanObservation seen{.max_version = At("2026-11-01T00:00:00Z"),
                             .first_response_date = At("2026-11-20T10:00:00Z"),
                             .began_at = std::nullopt};

  EXPECT_EQ(AdvanceWatermark(std::nullopt, seen, minutes(5)), At("2026-11-01T00:00:00Z"));
}

TEST(AdvanceWatermarkTest, NeverMovesBack) {
  const ScanObservation seen{.max_version = At("2026-11-01T00:00:00Z"),
                             .first_response_date = At("2026-11-20T10:00:00Z"),
                             .began_at = std::nullopt};

  EXPECT_EQ(AdvanceWatermark(At("2026-11-10T00:00:00Z"), seen, minutes(5)),
            At("2026-11-10T00:00:00Z"));
  EXPECT_EQ(AdvanceWatermark(At("2026-11-10T00:00:00Z"), ScanObservation{}, minutes(5)),
            At("2026-11-10T00:00:00Z"));
}

TEST(AdvanceWatermarkTest, WithoutADateTheLagIsTakenFromWhatWasSeen) {
  const ScanObservation seen{.max_version = At("2026-11-01T00:05:00Z"),
                             .first_response_date = std::nullopt,
                             .began_at = std::nullopt};

  EXPECT_EQ(AdvanceWatermark(std::nullopt, seen, minutes(5)), At("2026-11-01T00:00:00Z"));
}

TEST(AdvanceWatermarkTest, WithoutADateADateOfTheFutureDoesNotCount) {
  const ScanObservation seen{.max_version = At("2099-01-01T00:00:00Z"),
                             .first_response_date = std::nullopt,
                             .began_at = At("2026-11-20T10:00:00Z")};

  EXPECT_EQ(AdvanceWatermark(std::nullopt, seen, minutes(5)), At("2026-11-20T09:55:00Z"));
}

TEST(OverlapOfTest, AutoIsLagPlusTheLongestScan) {
  EXPECT_EQ(OverlapOf(std::nullopt, minutes(5), minutes(3)), minutes(8));
  EXPECT_EQ(OverlapOf(minutes(20), minutes(5), minutes(3)), minutes(20));
}

}  // namespace
}  // namespace pcw::runs
