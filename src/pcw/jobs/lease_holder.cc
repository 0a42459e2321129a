#include "pcw/jobs/lease_holder.h"

namespace pcw::jobs {
namespace {

constexpr std::chrono::milliseconds kBetweenTries{50};
constexpr std::chrono::milliseconds kBetweenLostAnswers{500};

}  // namespace

Status LeaseHolder::TryHint(std::stop_token stop) {
  if (is_hinted_) return Ok{};
  PCW_TRY(is_hinted_, store_.TryHint(std::move(stop)));
  return Ok{};
}

Status LeaseHolder::Take(std::stop_token stop) {
  PCW_TRY_OK(store_.Open(stop));
  const SteadyTime give_up = clock_.Steady() + options_.wait;
  for (;;) {
    PCW_TRY_OK(TryHint(stop));
    PCW_TRY(const std::optional<std::int64_t> fence, store_.TryTake(is_hinted_, stop));
    if (fence) {
      fence_ = *fence;
      return Ok{};
    }
    if (clock_.Steady() >= give_up) return store_.Held(stop);
    if (!sleeper_.SleepFor(kBetweenTries, stop))
      return Error(ErrorCode::kCancelled, "stopped while waiting for the lease");
  }
}

// True while the lease is ours; an error is a database that cannot be asked.
Result<bool> LeaseHolder::Renew(std::stop_token stop) {
  if (!store_.is_usable()) {
    is_hinted_ = false;
    PCW_TRY_OK(store_.Open(stop));
  }
  PCW_TRY_OK(TryHint(stop));  // tells others that we live; the fence decides
  return store_.Renew(fence_, is_hinted_, stop);
}

bool LeaseHolder::KeepRenewing(std::stop_token stop) {
  const auto pause = std::chrono::duration_cast<std::chrono::microseconds>(options_.duration) / 3;
  bool is_shaken = false;
  while (
      sleeper_.SleepFor(is_shaken ? std::chrono::microseconds(kBetweenLostAnswers) : pause, stop)) {
    const Result<bool> is_ours = Renew(stop);
    if (is_ours && !*is_ours) return true;
    is_shaken = !is_ours;
  }
  return false;
}

Status LeaseHolder::Release() {
  if (!store_.is_usable()) return Ok{};  // and its session's end frees the hint
  return store_.Release(fence_);
}

}  // namespace pcw::jobs
