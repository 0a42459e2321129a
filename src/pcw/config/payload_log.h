// Bodies of AWS calls in the log: asked for, announced, masked, and over by themselves
// (docs/runbook.md 3.1, I29).
#pragma once

#include <atomic>
#include <optional>

#include "pcw/aws/caller.h"
#include "pcw/connector/pii_mask.h"

namespace pcw::config {

/// One `payload` line a call while it is open. Bodies of STS are never shown: they carry keys.
/// Thread-safe.
class PayloadLog final : public aws::PayloadSink {
 public:
  explicit PayloadLog(const Clock& clock);

  /// Opens until `until`, announced with a line; says nothing if it is open so already. A time that
  /// has passed closes. Open and Close belong to one thread.
  void Open(WallTime until, connector::Masking masking);
  /// Closes, with a line if it was open.
  void Close();

  bool is_open() const override;
  void OnExchange(const aws::Operation& operation, std::string_view request,
                  const net::HttpResponse& response) override;

 private:
  const Clock& clock_;
  const connector::PiiMask mask_;
  std::atomic<SteadyTime::rep> until_steady_{0};  // 0 = closed
  WallTime opened_until_{};                       // by Open alone, which one thread calls
  std::atomic<connector::Masking> masking_{connector::Masking::kPii};
};

}  // namespace pcw::config
