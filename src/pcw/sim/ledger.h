// The oracle's book: every signed or refused call that arrived, in order, and totals.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "pcw/base/clock.h"
#include "pcw/sim/answer.h"
#include "pcw/sim/fault_kinds.h"
#include "pcw/sim/partner_central/opportunity.h"

namespace pcw::sim {

/// How a call ended, as far as the service is concerned.
enum class Outcome : std::uint8_t {
  kPending,          ///< not answered yet
  kOk,               ///< executed; a transport fault may still have spoilt the answer
  kRefusedSecond,    ///< over the rate
  kRefusedDay,       ///< over the rolling day
  kRefusedFault,     ///< refused because a fault rule said so
  kUnauthenticated,  ///< signature, key or session
  kInvalid,          ///< the request itself
  kNotFound,
  kFailed,  ///< 5xx by a fault rule
};
inline constexpr std::size_t kOutcomes = 9;

std::string_view NameOf(Outcome outcome);

/// One call, compact: a million of them must fit.
struct CallRecord {
  std::uint64_t seq = 0;         ///< from 1, in order of arrival
  std::int64_t arrival_us = 0;   ///< wall clock, microseconds since 1970
  std::uint64_t identifier = 0;  ///< digits of the opportunity's id asked for; 0 = none
  std::uint64_t token_hash = 0;  ///< of NextToken; 0 = none
  std::int64_t after_us = 0;     ///< AfterLastModifiedDate; 0 = none
  FaultMask faults = 0;          ///< kinds of the rules that fired
  std::uint16_t status = 0;
  std::uint16_t max_results = 0;  ///< as asked; 0 = not given
  std::uint16_t unknown_members = 0;
  bool payload_unsigned = false;  ///< S3: the signature does not cover the body
  Operation operation = Operation::kOther;
  Outcome outcome = Outcome::kPending;
  std::optional<Catalog> catalog;
  /// Any other id asked for (of an ARN the end), cut to what the longest id needs; empty = none.
  std::array<char, 24> name{};
  /// Who signed a call that is not S3's or SQS's: the name of the role or user, cut; empty =
  /// nobody.
  std::array<char, 24> caller{};
};

/// Totals since the start or the last reset.
struct CallTotals {
  std::array<std::array<std::uint64_t, kOutcomes>, kOperations> by_operation{};
  std::uint64_t arrivals = 0;
  std::uint64_t unknown_members = 0;
  std::uint64_t unsigned_payloads = 0;
  std::int64_t first_arrival_us = 0;
  std::int64_t last_arrival_us = 0;
  std::uint64_t max_arrivals_per_second = 0;  ///< selling reads in any sliding second
  std::uint64_t dropped = 0;                  ///< records that no longer fit
};

/// Thread-safe. Holds the last `capacity` calls (about 130 bytes each, allocated as they come).
class Ledger {
 public:
  explicit Ledger(std::size_t capacity) : capacity_(capacity) {}

  /// Books an arrival; returns its number.
  std::uint64_t Arrive(CallRecord record, SteadyTime now);
  /// Books how it ended: replaces what Arrive booked under `record.seq`.
  void Finish(const CallRecord& record);

  CallTotals totals() const;
  /// Calls `visit` for each held call in order of arrival, in batches so that calls can go on.
  void ForEach(const std::function<void(const CallRecord&)>& visit) const;
  void Reset();

 private:
  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::deque<CallRecord> calls_;
  std::uint64_t next_seq_ = 1;
  std::deque<SteadyTime> last_second_;
  CallTotals totals_;
};

}  // namespace pcw::sim
