#include "pcw/dlq/held_messages.h"

#include <cstdlib>
#include <utility>

namespace pcw::dlq {

void HeldMessages::Add(std::string receipt_handle, SteadyTime asked_at) {
  held_.push_back({std::move(receipt_handle), asked_at + visibility_});
}

std::vector<std::string> HeldMessages::TakeTen(SteadyTime due) {
  std::vector<std::string> ten;
  while (!held_.empty() && ten.size() < aws::sqs::kMostEntries && held_.front().until <= due) {
    ten.push_back(std::move(held_.front().receipt_handle));
    held_.pop_front();
  }
  return ten;
}

Status HeldMessages::Extend(std::stop_token stop) {
  for (;;) {
    const SteadyTime now = clock_.Steady();
    const std::vector<std::string> ten = TakeTen(now + std::chrono::milliseconds(visibility_) / 2);
    if (ten.empty()) return Ok{};
    PCW_TRY(const aws::sqs::BatchOutcome outcome,
            queue_.ChangeVisibility(ten, static_cast<int>(visibility_.count()), stop));
    for (const auto& [place, nothing] : outcome.done)
      Add(ten[static_cast<std::size_t>(std::atoi(place.c_str()))], now);
    extended_ += static_cast<std::int64_t>(outcome.done.size());
  }
}

Status HeldMessages::Release() {
  for (;;) {
    const std::vector<std::string> ten = TakeTen(SteadyTime::max());
    if (ten.empty()) return Ok{};
    PCW_TRY_OK(queue_.ChangeVisibility(ten, 0, {}));
  }
}

}  // namespace pcw::dlq
