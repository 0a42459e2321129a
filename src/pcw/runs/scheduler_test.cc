#include "pcw/runs/scheduler.h"

#include <set>

#include <gmock/gmock.h>

#include "fakes/result_matchers.h"
#include "pcw/base/time.h"

namespace pcw::runs {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

WallTime Moment(const char* text) { return *ParseRfc3339(text); }

Timing CronOf(const char* text) { return CronTiming{text, *Cron::Parse(text)}; }

TEST(NextDueTest, AnIntervalComesGiveOrTakeATwentieth) {
  const Timing every = std::chrono::milliseconds(seconds(100));
  const WallTime now = Moment("2026-11-24T08:00:00Z");

  EXPECT_EQ(NextDue(every, now, "k", 0) - now, seconds(95));
  EXPECT_EQ(NextDue(every, now, "k", 0.5) - now, seconds(100));
  EXPECT_LT(NextDue(every, now, "k", 0.9999) - now, seconds(105));
}

TEST(NextDueTest, ACronFiringComesAtItsOffsetOnceEach) {
  const Timing timing = CronOf("0 */6 * * *");
  WallTime time = Moment("2026-11-24T00:00:00Z");
  std::set<WallTime> firings;
  for (int i = 0; i < 8; ++i) {
    const WallTime next = NextDue(timing, time, "tenant/opportunities/full", 0);
    ASSERT_GT(next, time);
    firings.insert(std::chrono::floor<std::chrono::hours>(next));
    time = next;
  }
  EXPECT_EQ(firings.size(), 8U) << "no firing twice";
  EXPECT_EQ(*firings.rbegin() - *firings.begin(), std::chrono::hours(42)) << "and none left out";
}

TEST(NextDueTest, TenantsAreSpreadButNotFar) {
  const Timing timing = CronOf("0 */6 * * *");
  const WallTime now = Moment("2026-11-24T05:00:00Z");
  std::set<WallTime> times;
  for (int tenant = 0; tenant < 50; ++tenant) {
    const WallTime due = NextDue(timing, now, std::to_string(tenant) + "/opportunities/full", 0);
    EXPECT_GE(due, Moment("2026-11-24T06:00:00Z"));
    EXPECT_LE(due, Moment("2026-11-24T06:05:00Z"));
    times.insert(due);
  }
  EXPECT_GT(times.size(), 40U);
}

TEST(NextDueTest, AFrequentCronIsHardlyMoved) {
  const Timing timing = CronOf("* * * * *");
  const WallTime now = Moment("2026-11-24T05:00:30Z");
  const WallTime due = NextDue(timing, now, "some key", 0);
  EXPECT_GE(due, Moment("2026-11-24T05:01:00Z"));
  EXPECT_LE(due, Moment("2026-11-24T05:01:06Z"));
}

TEST(NextDueTest, AKeyIsMovedTheSameWayEveryTime) {
  const Timing timing = CronOf("0 */6 * * *");
  const WallTime now = Moment("2026-11-24T05:00:00Z");
  EXPECT_EQ(NextDue(timing, now, "k", 0), NextDue(timing, now, "k", 0.9));
  EXPECT_EQ(NextDue(timing, now + std::chrono::hours(6), "k", 0) - NextDue(timing, now, "k", 0),
            std::chrono::hours(6));
}

TEST(NextDueTest, AMovedFiringThatIsStillToComeIsTheNextOne) {
  const Timing timing = CronOf("0 */6 * * *");
  const WallTime due = NextDue(timing, Moment("2026-11-24T05:00:00Z"), "t/leads/full", 0);
  ASSERT_GT(due, Moment("2026-11-24T06:00:00Z")) << "this key is moved";
  EXPECT_EQ(NextDue(timing, due - std::chrono::microseconds(1), "t/leads/full", 0), due);
}

TEST(NextDueTest, AFiringIsNotDueAgainAtItsOwnTime) {
  const Timing timing = CronOf("0 */6 * * *");
  const WallTime due = NextDue(timing, Moment("2026-11-24T05:00:00Z"), "t/leads/full", 0);
  EXPECT_EQ(NextDue(timing, due, "t/leads/full", 0), due + std::chrono::hours(6));
}

}  // namespace
}  // namespace pcw::runs
