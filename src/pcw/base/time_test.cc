#include "pcw/base/time.h"

#include <array>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "fakes/result_matchers.h"

namespace pcw {
namespace {

using namespace std::chrono_literals;

WallTime At(std::int64_t seconds, std::int64_t micros = 0) {
  return WallTime(std::chrono::seconds(seconds) + std::chrono::microseconds(micros));
}

struct TimeCase {
  std::string_view text;
  WallTime time;
};

TEST(ParseRfc3339Test, ReadsWhatAwsAndPeopleWrite) {
  // Seconds since the epoch as GNU date gives them.
  const std::array<TimeCase, 16> cases{{
      {"1970-01-01T00:00:00Z", At(0)},
      {"2026-11-20T08:15:30Z", At(1'795'162'530)},
      {"2026-11-20t08:15:30z", At(1'795'162'530)},
      {"2026-11-20T08:15:30.1Z", At(1'795'162'530, 100'000)},
      {"2026-11-20T08:15:30.123Z", At(1'795'162'530, 123'000)},
      {"2026-11-20T08:15:30.123456Z", At(1'795'162'530, 123'456)},
      {"2026-11-20T08:15:30.123456999Z", At(1'795'162'530, 123'456)},
      {"2026-11-20T09:15:30+01:00", At(1'795'162'530)},
      {"2026-11-19T20:30:30-11:45", At(1'795'162'530)},
      {"2026-11-20T08:15:30-00:00", At(1'795'162'530)},
      {"2024-02-29T12:00:00Z", At(1'709'208'000)},
      {"2000-02-29T00:00:00Z", At(951'782'400)},
      {"1969-12-31T23:59:59.999999Z", At(-1, 999'999)},
      {"2038-01-19T03:14:08Z", At(2'147'483'648)},
      {"0001-01-01T00:00:00Z", At(-62'135'596'800)},
      {"9999-12-31T23:59:59.999999Z", At(253'402'300'799, 999'999)},
  }};

  for (const TimeCase& entry : cases) {
    const Result<WallTime> parsed = ParseRfc3339(entry.text);
    ASSERT_THAT(parsed, Succeeds()) << entry.text;
    EXPECT_EQ(*parsed, entry.time) << entry.text;
  }
}

TEST(ParseRfc3339Test, RefusesEverythingElse) {
  const std::array<std::string_view, 32> cases{
      "",
      "2026",
      "2026-11-20",
      "2026-11-20T08:15Z",
      "2026-11-20T08:15:30",
      "2026-11-20 08:15:30Z",
      "2026-11-20T08:15:30 Z",
      "2026-11-20T08:15:30Zx",
      " 2026-11-20T08:15:30Z",
      "2026-02-30T00:00:00Z",
      "2025-02-29T00:00:00Z",
      "1900-02-29T00:00:00Z",
      "2026-13-01T00:00:00Z",
      "2026-00-01T00:00:00Z",
      "2026-01-00T00:00:00Z",
      "2026-11-20T24:00:00Z",
      "2026-11-20T08:60:00Z",
      "2016-12-31T23:59:60Z",
      "2026-11-20T08:15:30.Z",
      "2026-11-20T08:15:30.1234567891Z",
      "2026-11-20T08:15:30,5Z",
      "2026-11-20T08:15:30+1:00",
      "2026-11-20T08:15:30+0100",
      "2026-11-20T08:15:30+01",
      "2026-11-20T08:15:30+24:00",
      "2026-11-20T08:15:30+01:60",
      "2026-11-20T08:15:30+01:0",
      "+026-11-20T08:15:30Z",
      "0000-01-01T00:00:00Z",
      "0001-01-01T00:00:00+00:01",
      "9999-12-31T23:59:59-00:01",
      "20261120T081530Z",
  };

  for (const std::string_view text : cases) {
    EXPECT_THAT(ParseRfc3339(text), FailsWith(ErrorCode::kInvalidRequest)) << text;
  }
}

TEST(ParseRfc3339Test, EveryTruncationIsRefused) {
  const std::string_view whole = "2026-11-20T08:15:30.123+01:00";
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_THAT(ParseRfc3339(whole.substr(0, length)), FailsWith(ErrorCode::kInvalidRequest))
        << length;
  }
}

TEST(FormatRfc3339Test, WritesTheShortestFractionOfZeroThreeOrSixDigits) {
  EXPECT_EQ(FormatRfc3339(At(1'795'162'530)), "2026-11-20T08:15:30Z");
  EXPECT_EQ(FormatRfc3339(At(1'795'162'530, 120'000)), "2026-11-20T08:15:30.120Z");
  EXPECT_EQ(FormatRfc3339(At(1'795'162'530, 1)), "2026-11-20T08:15:30.000001Z");
  EXPECT_EQ(FormatRfc3339(At(-1, 999'000)), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(FormatRfc3339(At(-62'135'596'800)), "0001-01-01T00:00:00Z");
}

TEST(FormatRfc3339Test, IsReadBackAsTheSameInstant) {
  // Steps of some ten years and 12.345678 s: both signs of the epoch, every digit of the fraction.
  for (WallTime time = At(-62'135'596'800); time < At(253'402'300'799);
       time += std::chrono::hours(24 * 3'700) + 12'345'678us) {
    EXPECT_EQ(*ParseRfc3339(FormatRfc3339(time)), time);
  }
}

TEST(FormatIso8601BasicTest, IsTheFormOfSignatureVersion4) {
  EXPECT_EQ(FormatIso8601Basic(At(1'440'938'160, 999'999)), "20150830T123600Z");
}

TEST(ParseHttpDateTest, ReadsAndWritesTheFormOfRfc9110) {
  ASSERT_THAT(ParseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT"), Succeeds());
  EXPECT_EQ(*ParseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT"), At(784'111'777));
  EXPECT_EQ(FormatHttpDate(At(784'111'777)), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(FormatHttpDate(At(0)), "Thu, 01 Jan 1970 00:00:00 GMT");
}

TEST(ParseHttpDateTest, RefusesEverythingElse) {
  for (const std::string_view text :
       {"", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
        "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun; 06 Nov 1994 08:49:37 GMT", "Sun, 06-Nov-1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08.49.37 GMT"}) {
    EXPECT_THAT(ParseHttpDate(text), FailsWith(ErrorCode::kInvalidRequest)) << text;
  }
}

TEST(ParseDurationTest, ReadsAWholeNumberWithAUnit) {
  EXPECT_EQ(*ParseDuration("0ms"), 0ms);
  EXPECT_EQ(*ParseDuration("300ms"), 300ms);
  EXPECT_EQ(*ParseDuration("30s"), 30'000ms);
  EXPECT_EQ(*ParseDuration("5m"), 300'000ms);
  EXPECT_EQ(*ParseDuration("1h"), 3'600'000ms);
  EXPECT_EQ(*ParseDuration("3650d"), std::chrono::days(3650));
}

TEST(ParseDurationTest, RefusesEverythingElse) {
  for (const std::string_view text :
       {"", "5", "m", "-5m", "+5m", "5 m", "5M", "5min", "1.5h", "5mm", " 5m", "3651d",
        "9223372036854775807d", "99999999999999999999s"}) {
    EXPECT_THAT(ParseDuration(text), FailsWith(ErrorCode::kInvalidRequest)) << text;
  }
}

TEST(FormatDurationTest, ShowsTwoUnitsAtMost) {
  EXPECT_EQ(FormatDuration(0ms), "0 ms");
  EXPECT_EQ(FormatDuration(999ms), "999 ms");
  EXPECT_EQ(FormatDuration(12'400ms), "12.4 s");
  EXPECT_EQ(FormatDuration(59'999ms), "59.9 s");
  EXPECT_EQ(FormatDuration(200s), "3m 20s");
  EXPECT_EQ(FormatDuration(3'720s), "1h 02m");
  EXPECT_EQ(FormatDuration(100h), "100h 00m");
}

}  // namespace
}  // namespace pcw
