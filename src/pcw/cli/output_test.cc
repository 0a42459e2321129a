#include "pcw/cli/output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pcw/wiring/progress_display.h"

namespace pcw::cli {
namespace {

TEST(FormatTableTest, AlignsTextLeftAndNumbersRight) {
  const std::vector<OrderedJson> rows{{{"id", "a"}, {"n", 5}}, {{"id", "bcd"}, {"n", 120}}};

  EXPECT_EQ(FormatTable({{"id", "ID"}, {"n", "COUNT", true}}, rows),
            "ID   COUNT\na        5\nbcd    120\n");
}

TEST(FormatTableTest, ControlCharactersOfDataDoNotReachTheTerminal) {
  EXPECT_EQ(FormatTable({{"t", "T"}}, {OrderedJson{{"t", "a\x1b[31mb\nc"}}}), "T\na\\x1b[31mb c\n");
}

TEST(FormatTableTest, AbsentAndNullAreADash) {
  EXPECT_EQ(FormatTable({{"a", "A"}, {"b", "B"}}, {OrderedJson{{"a", nullptr}}}), "A  B\n-  -\n");
}

TEST(FormatTablePieceTest, GoesOnWithTheWidthsOfTheFirstPiece) {
  std::vector<std::size_t> widths;
  const std::vector<OutputColumn> columns{{"id", "ID"}, {"n", "N", true}};

  const std::string first =
      FormatTablePiece(columns, {OrderedJson{{"id", "abc"}, {"n", 5}}}, widths);
  const std::string next = FormatTablePiece(columns, {OrderedJson{{"id", "a"}, {"n", 12}}}, widths);

  EXPECT_EQ(first, "ID   N\nabc  5\n");
  EXPECT_EQ(next, "a    12\n");
}

TEST(FormatProgressTest, SaysRecordsRateQuotaAndEta) {
  runs::Progress progress;
  progress.settled = 100;
  progress.expected = 150;
  progress.api_calls = 102;
  progress.throttles = 1;
  progress.elapsed = std::chrono::seconds(10);

  EXPECT_EQ(wiring::FormatProgress({.entity = "opportunities", .calls_left = 100'000}, progress),
            "opportunities  100/150 records  10.0/s  1 throttled  quota left 99,898  ETA 5.0 s");
}

TEST(FormatCountTest, GroupsThousands) {
  EXPECT_EQ(wiring::FormatCount(7), "7");
  EXPECT_EQ(wiring::FormatCount(1234567), "1,234,567");
  EXPECT_EQ(wiring::FormatCount(-1000), "-1,000");
}

}  // namespace
}  // namespace pcw::cli
