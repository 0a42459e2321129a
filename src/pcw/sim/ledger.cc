#include "pcw/sim/ledger.h"

#include <algorithm>
#include <chrono>
#include <vector>

namespace pcw::sim {
namespace {

constexpr std::size_t kBatch = 4'096;

}  // namespace

std::string_view NameOf(Outcome outcome) {
  static constexpr std::array<std::string_view, kOutcomes> kNames{
      "pending",         "ok",      "refused_second", "refused_day", "refused_fault",
      "unauthenticated", "invalid", "not_found",      "failed"};
  return kNames[static_cast<std::size_t>(outcome)];
}

std::uint64_t Ledger::Arrive(CallRecord record, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  record.seq = next_seq_++;
  if (totals_.arrivals++ == 0) totals_.first_arrival_us = record.arrival_us;
  totals_.last_arrival_us = record.arrival_us;
  if (IsSellingRead(record.operation)) {
    while (!last_second_.empty() && now - last_second_.front() >= std::chrono::seconds(1)) {
      last_second_.pop_front();
    }
    last_second_.push_back(now);
    totals_.max_arrivals_per_second =
        std::max<std::uint64_t>(totals_.max_arrivals_per_second, last_second_.size());
  }
  calls_.push_back(record);
  if (calls_.size() > capacity_) {
    calls_.pop_front();
    ++totals_.dropped;
  }
  return record.seq;
}

void Ledger::Finish(const CallRecord& record) {
  const std::lock_guard lock(mutex_);
  // Gone since: the ring was full, or a reset came in between.
  if (calls_.empty() || record.seq < calls_.front().seq) return;
  calls_[record.seq - calls_.front().seq] = record;
  ++totals_.by_operation[static_cast<std::size_t>(record.operation)]
                        [static_cast<std::size_t>(record.outcome)];
  totals_.unknown_members += record.unknown_members;
  totals_.unsigned_payloads += record.payload_unsigned ? 1 : 0;
}

CallTotals Ledger::totals() const {
  const std::lock_guard lock(mutex_);
  return totals_;
}

void Ledger::ForEach(const std::function<void(const CallRecord&)>& visit) const {
  std::uint64_t next = 0;
  for (;;) {
    std::vector<CallRecord> batch;
    {
      const std::lock_guard lock(mutex_);
      if (calls_.empty()) return;
      next = std::max(next, calls_.front().seq);
      const auto first = std::min<std::uint64_t>(next - calls_.front().seq, calls_.size());
      const auto last = std::min<std::uint64_t>(first + kBatch, calls_.size());
      batch.assign(calls_.begin() + static_cast<std::ptrdiff_t>(first),
                   calls_.begin() + static_cast<std::ptrdiff_t>(last));
    }
    if (batch.empty()) return;
    for (const CallRecord& call : batch) visit(call);
    next = batch.back().seq + 1;
  }
}

void Ledger::Reset() {
  const std::lock_guard lock(mutex_);
  calls_.clear();
  last_second_.clear();
  totals_ = {};
}

}  // namespace pcw::sim
