#include "pcw/quota/planner.h"

#include <algorithm>
#include <deque>

#include "pcw/quota/pg_quota.h"

namespace pcw::quota {
namespace {

using std::chrono::microseconds;
using std::chrono::minutes;

// A minute's calls count until its last second is a day old.
constexpr minutes kCountsFor{24 * 60 + 1};

class RollingDay {
 public:
  RollingDay(const std::vector<MinuteUse>& used, std::int64_t limit)
      : minutes_(used.begin(), used.end()), limit_(limit) {
    for (const MinuteUse& minute : used) total_ += minute.calls;
  }
  std::int64_t LeftAt(WallTime now) {
    while (!minutes_.empty() && minutes_.front().minute + kCountsFor <= now) {
      total_ -= minutes_.front().calls;
      minutes_.pop_front();
    }
    return std::max<std::int64_t>(0, limit_ - total_);
  }
  void Spend(WallTime now, std::int64_t calls) {
    const WallTime minute = std::chrono::floor<minutes>(now);
    if (minutes_.empty() || minutes_.back().minute < minute) minutes_.push_back({minute, 0});
    minutes_.back().calls += calls;
    total_ += calls;
  }
  WallTime NextRelease() const { return minutes_.front().minute + kCountsFor; }
  WallTime TimeWhenFree(WallTime now, std::int64_t calls) {
    while (LeftAt(now) < std::min(calls, limit_)) now = NextRelease();
    return now;
  }

 private:
  std::deque<MinuteUse> minutes_;
  const std::int64_t limit_;
  std::int64_t total_ = 0;
};

}  // namespace

Plan MakePlan(const PlanRequest& request) {
  RollingDay day(request.used, request.per_day);
  Plan plan;
  plan.left_now = day.LeftAt(request.starts_at);
  WallTime now = request.starts_at;
  plan.calls = request.calls;
  std::int64_t open = request.per_second == 0 || request.per_day <= 0 ? 0 : request.calls;
  while (open > 0) {
    const std::int64_t left = day.LeftAt(now);
    if (left == 0) {
      const WallTime until = day.TimeWhenFree(now, std::max<std::int64_t>(1, request.resume_with));
      plan.pauses.push_back({now, until});
      now = until;
      open += request.calls_per_resume;
      plan.calls += request.calls_per_resume;
      continue;
    }
    const WallTime minute_end = std::chrono::floor<minutes>(now) + minutes(1);
    const double seconds = std::chrono::duration<double>(minute_end - now).count();
    const auto fit = std::max<std::int64_t>(
        1, static_cast<std::int64_t>(seconds * request.per_second / kPacingMargin));
    const std::int64_t sent = std::min({open, left, fit});
    day.Spend(now, sent);
    open -= sent;
    if (open > 0 && sent == fit) {
      now = minute_end;
    } else {
      now += microseconds(static_cast<std::int64_t>(
          1e6 * kPacingMargin * static_cast<double>(sent) / request.per_second));
    }
  }
  plan.finishes_at = now;
  return plan;
}

WallTime TimeWhenFree(const PlanRequest& request, std::int64_t calls) {
  return RollingDay(request.used, request.per_day).TimeWhenFree(request.starts_at, calls);
}

}  // namespace pcw::quota
