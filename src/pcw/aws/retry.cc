#include "pcw/aws/retry.h"

#include <algorithm>
#include <charconv>

#include "pcw/base/backoff.h"

namespace pcw::aws {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kMostAboveOwn{
    5'000};  // x-amz-retry-after may ask for at most this much more
constexpr milliseconds kMostRetryAfter{60'000};  // a plain Retry-After

std::optional<std::int64_t> WholeNumber(std::optional<std::string_view> text) {
  if (!text) return std::nullopt;
  std::int64_t number = 0;
  const auto [end, status] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (status != std::errc() || end != text->data() + text->size() || number < 0)
    return std::nullopt;
  return number;
}

}  // namespace

bool RetryBudget::Take(bool is_throttle) {
  const std::lock_guard lock(mutex_);
  const int cost = is_throttle ? kThrottleCost : kTransientCost;
  if (tokens_ < cost) return false;
  tokens_ -= cost;
  return true;
}

void RetryBudget::GiveBack(int last_cost) {
  const std::lock_guard lock(mutex_);
  tokens_ = std::min(kCapacity, tokens_ + (last_cost > 0 ? last_cost : 1));
}

int RetryBudget::tokens() const {
  const std::lock_guard lock(mutex_);
  return tokens_;
}

milliseconds BackoffDelay(const RetryPolicy& policy, int retry, bool is_throttle, Rng& rng,
                          std::optional<std::string_view> amz_retry_after,
                          std::optional<std::string_view> retry_after) {
  const milliseconds own =
      PauseBefore({.first = is_throttle ? policy.throttling_base : policy.transient_base,
                   .most = policy.max_delay,
                   .fixed_share = 0},
                  retry, rng);
  if (const auto asked = WholeNumber(amz_retry_after)) {
    return std::max(own, std::min(milliseconds(std::min<std::int64_t>(*asked, 86'400'000)),
                                  own + kMostAboveOwn));
  }
  if (const auto seconds = WholeNumber(retry_after)) {
    return std::max(own, std::min(milliseconds(std::min<std::int64_t>(*seconds, 86'400) * 1000),
                                  kMostRetryAfter));
  }
  return own;
}

}  // namespace pcw::aws
