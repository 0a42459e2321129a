// Messages that a pass over the queue has in its hands.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <stop_token>
#include <string>
#include <vector>

#include "pcw/aws/sqs.h"
#include "pcw/base/clock.h"

namespace pcw::dlq {

/// Keeps received messages hidden from other consumers while a pass goes on, and makes them visible
/// again at its end.
///
/// Why: a message whose visibility ends while its work goes on is handed to somebody else, who does
/// the work once more and finds nothing to do. That is harmless here, but a pass that is longer
/// than the visibility would meet its own messages again and again. For one thread; queue and clock
/// outlive it.
class HeldMessages {
 public:
  HeldMessages(aws::sqs::Queue& queue, std::chrono::seconds visibility, const Clock& clock)
      : queue_(queue), visibility_(visibility), clock_(clock) {}

  /// Holds a message that was received by a call that began at `asked_at`.
  void Add(std::string receipt_handle, SteadyTime asked_at);
  /// Asks SQS for another full visibility for each message of whose time half is over. One that
  /// SQS does not know as ours any more is let go. To be called between two steps of the work; each
  /// must be shorter than half the visibility. Errors as aws::sqs::Queue.
  Status Extend(std::stop_token stop);
  /// Makes every message visible at once. Entries that fail are visible already, or will be soon.
  Status Release();

  /// How many times a message's visibility was extended.
  std::int64_t extended() const { return extended_; }

 private:
  struct Held {
    std::string receipt_handle;
    SteadyTime until;
  };
  std::vector<std::string> TakeTen(SteadyTime due);

  aws::sqs::Queue& queue_;
  const std::chrono::seconds visibility_;
  const Clock& clock_;
  std::deque<Held> held_;  // by `until`
  std::int64_t extended_ = 0;
};

}  // namespace pcw::dlq
