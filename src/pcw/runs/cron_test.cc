#include "pcw/runs/cron.h"

#include <gmock/gmock.h>

#include "fakes/result_matchers.h"
#include "pcw/base/time.h"

namespace pcw::runs {
namespace {

struct NextCase {
  const char* cron;
  const char* after;
  const char* next;
};

class CronNextTest : public ::testing::TestWithParam<NextCase> {};

TEST_P(CronNextTest, FiresNext) {
  const auto cron = Cron::Parse(GetParam().cron);
  ASSERT_THAT(cron, Succeeds());
  EXPECT_EQ(FormatRfc3339(cron->NextAfter(*ParseRfc3339(GetParam().after))),
            FormatRfc3339(*ParseRfc3339(GetParam().next)))
      << GetParam().cron << " after " << GetParam().after;
}

INSTANTIATE_TEST_SUITE_P(
    Table, CronNextTest,
    ::testing::Values(NextCase{"* * * * *", "2026-11-24T08:00:00Z", "2026-11-24T08:01:00Z"},
                      NextCase{"* * * * *", "2026-11-24T08:00:59.999Z", "2026-11-24T08:01:00Z"},
                      NextCase{"0 */6 * * *", "2026-11-24T05:59:59Z", "2026-11-24T06:00:00Z"},
                      NextCase{"0 */6 * * *", "2026-11-24T06:00:00Z", "2026-11-24T12:00:00Z"},
                      NextCase{"0 */6 * * *", "2026-11-24T18:00:00Z", "2026-11-25T00:00:00Z"},
                      NextCase{"30 2 * * *", "2026-12-31T02:30:00Z", "2027-01-01T02:30:00Z"},
                      NextCase{"15,45 9-17/4 * * *", "2026-11-24T09:45:00Z",
                               "2026-11-24T13:15:00Z"},
                      NextCase{"5/20 * * * *", "2026-11-24T09:06:00Z", "2026-11-24T09:25:00Z"},
                      NextCase{"0 0 * * MON", "2026-11-24T08:00:00Z", "2026-11-30T00:00:00Z"},
                      NextCase{"0 0 * * 7", "2026-11-24T08:00:00Z", "2026-11-29T00:00:00Z"},
                      NextCase{"0 0 * * sun", "2026-11-24T08:00:00Z", "2026-11-29T00:00:00Z"},
                      NextCase{"0 0 1 JAN *", "2026-11-24T08:00:00Z", "2027-01-01T00:00:00Z"},
                      // Both days restricted: either fires.
                      NextCase{"0 0 13 * FRI", "2026-11-24T08:00:00Z", "2026-11-27T00:00:00Z"},
                      NextCase{"0 0 25 * FRI", "2026-11-24T08:00:00Z", "2026-11-25T00:00:00Z"},
                      NextCase{"0 0 31 * *", "2026-11-24T08:00:00Z", "2026-12-31T00:00:00Z"},
                      NextCase{"0 12 29 2 *", "2026-11-24T08:00:00Z", "2028-02-29T12:00:00Z"},
                      NextCase{"0 12 29 2 *", "2096-03-01T00:00:00Z", "2104-02-29T12:00:00Z"}));

class CronRefusalTest : public ::testing::TestWithParam<const char*> {};

TEST_P(CronRefusalTest, IsRefused) {
  EXPECT_THAT(Cron::Parse(GetParam()), FailsWith(ErrorCode::kConfig)) << GetParam();
}

INSTANTIATE_TEST_SUITE_P(Table, CronRefusalTest,
                         ::testing::Values("", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *",
                                           "* * 0 * *", "* * 32 * *", "* * * 13 *", "* * * * 8",
                                           "*/0 * * * *", "5-1 * * * *", "1,,2 * * * *",
                                           "1, * * * *", "a * * * *", "* * * * MONDAY",
                                           "-1 * * * *", "0 0 30 2 *", "0 0 31 4,6,9,11 *",
                                           "@daily"));

TEST(CronTest, NeverFiresTwiceAndNeverSkips) {
  const auto cron = Cron::Parse("*/7 * * * *");
  ASSERT_THAT(cron, Succeeds());
  WallTime time = *ParseRfc3339("2027-12-31T23:00:00Z");
  for (int i = 0; i < 500; ++i) {
    const WallTime next = cron->NextAfter(time);
    ASSERT_GT(next, time);
    ASSERT_LE(next - time, std::chrono::minutes(7));
    time = next;
  }
}

}  // namespace
}  // namespace pcw::runs
