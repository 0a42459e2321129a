// The port through which every attempt of a call asks the account-wide budget for permission.
#pragma once

#include <chrono>
#include <stop_token>

#include "pcw/aws/operation.h"
#include "pcw/base/result.h"

namespace pcw::aws {

/// Spaces calls so that the partner account stays inside AWS's quotas, whichever process makes
/// them. Thread-safe.
class QuotaGate {
 public:
  virtual ~QuotaGate() = default;

  /// Blocks until one call of the operation's class may be sent. kThrottled with context
  /// `reason`=quota_spent and `free_at` when the daily quota (of the rolling day) is exhausted;
  /// kCancelled on stop; kUnavailable when the ledger cannot be reached.
  virtual Status Acquire(const Operation& operation, std::stop_token stop) = 0;

  /// AWS refused a call of this class: the whole account pauses for at least `delay`.
  virtual void OnThrottled(const Operation& operation, std::chrono::milliseconds delay) = 0;

  /// One attempt that was sent ended: well (null), or with `error`. For the ledger of calls.
  virtual void OnEnded(const Operation& operation, const Error* error) = 0;
};

/// Lets everything through: services without an account budget (STS), and benchmarks of the bare
/// caller.
class OpenQuotaGate final : public QuotaGate {
 public:
  Status Acquire(const Operation& /*operation*/, std::stop_token /*stop*/) override { return Ok{}; }
  void OnThrottled(const Operation& /*operation*/, std::chrono::milliseconds /*delay*/) override {}
  void OnEnded(const Operation& /*operation*/, const Error* /*error*/) override {}
};

}  // namespace pcw::aws
