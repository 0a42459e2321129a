#include "pcw/quota/slot_bucket.h"

#include <algorithm>

namespace pcw::quota {

using std::chrono::microseconds;
using std::chrono::milliseconds;

namespace {

constexpr microseconds kLongestLease = milliseconds(500);
constexpr microseconds kOrdinaryLateness = milliseconds(100);  // of a thread on a busy machine

}  // namespace

microseconds IntervalOf(int rate) {
  return microseconds(rate == 0 ? 0 : static_cast<std::int64_t>(1e6 * kPacingMargin / rate));
}

int KeptOfDay(const QuotaLimits& limits, bool is_write, Purpose purpose) {
  if (is_write || purpose == Purpose::kReserved) return 0;
  return limits.reads_per_day - limits.bulk_reads_per_day();
}

int SlotBucket::chunk() const { return std::max(1, static_cast<int>(kLongestLease / interval())); }

void SlotBucket::Add(SteadyTime first, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) slots.push_back(first + i * interval());
}

void SlotBucket::DropStale(SteadyTime now, int burst) {
  while (!slots.empty() && slots.front() < now - (burst - 1) * interval()) {
    slots.pop_front();
    ++stale;
  }
}

SlotUse SlotBucket::Use(SteadyTime slot, SteadyTime now, int burst) {
  const auto lateness = std::max<microseconds>((burst - 1) * interval(), kOrdinaryLateness);
  SlotUse use = SlotUse::kSend;
  if (slot < now - lateness) {
    use = SlotUse::kTooLate;
  } else if (slot < paused_until) {
    use = SlotUse::kPaused;
  }
  if (use != SlotUse::kSend) ++stale;
  return use;
}

microseconds SlotBucket::Pause(SteadyTime now, milliseconds delay) {
  const auto pause = std::max<microseconds>(delay, interval());
  paused_until = std::max(paused_until, now + pause);
  return pause;
}

void EndedCalls::Note(const Error* error) {
  if (error == nullptr) {
    ++ok;
    return;
  }
  switch (error->code()) {
    case ErrorCode::kThrottled:
      ++throttled;
      break;
    case ErrorCode::kUnauthenticated:
    case ErrorCode::kPermissionDenied:
      ++refused;
      break;
    default:
      ++failed;
  }
  error_code = std::string(pcw::NameOf(error->code()));
  aws_error = std::string(error->Find("aws_error").value_or(""));
}

}  // namespace pcw::quota
