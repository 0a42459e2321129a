// The account-wide, two-level budget kept in PostgreSQL and leased in chunks so that AWS refuses
// no call (docs/aws-facts.md 9).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/aws/quota_gate.h"
#include "pcw/base/clock.h"
#include "pcw/pg/connection.h"

namespace pcw::quota {

/// pcw sends a little more slowly than AWS allows, so that jitter on the way cannot squeeze one
/// call too many into a second.
inline constexpr double kPacingMargin = 1.01;

/// Configured limits (config `quota`). A rate of 0 lifts that class's limits altogether (demo
/// --fast, benchmarks).
struct QuotaLimits {
  int reads_per_second = 10;
  int reads_per_day = 100'000;
  int writes_per_second = 1;
  int writes_per_day = 10'000;
  int burst = 3;
  int reserve_percent = 5;  ///< of reads_per_day

  /// Reads of the rolling day that may be spent in bulk.
  int bulk_reads_per_day() const {
    return static_cast<int>(reads_per_day - std::int64_t{reads_per_day} * reserve_percent / 100);
  }
};

/// Who asks. What is asked in bulk leaves `reserve_percent` of the day's reads to the others, so
/// that a first sync of everything cannot keep an approved write or a diagnosis from being made.
enum class Purpose { kBulk, kReserved };

struct PgQuotaOptions {
  std::string aws_account_id;
  QuotaLimits limits;
  Purpose purpose = Purpose::kReserved;
  std::string
      spender{};  ///< "sync opportunities full on host-a, pid 4711", for the ledger of calls
};

/// The real QuotaGate. Slots of at most half a second are leased from PostgreSQL, which alone
/// decides when the next call of the account may be sent (evenly spaced, at most `burst` at once
/// after idling); unused slots are given back on destruction. How calls ended is written down at
/// most once a second, beside a lease, and on destruction. Thread-safe.
///
/// Uses a connection of its own, so that it never waits behind a merge. Reconnects when the session
/// is lost.
class PgQuota final : public aws::QuotaGate {
 public:
  static Result<std::unique_ptr<PgQuota>> Create(pg::ConnectOptions connect,
                                                 const std::string& tenant_id,
                                                 PgQuotaOptions options, Clock& clock,
                                                 Sleeper& sleeper, std::stop_token stop = {});
  ~PgQuota() override;

  Status Acquire(const aws::Operation& operation, std::stop_token stop) override;
  void OnThrottled(const aws::Operation& operation, std::chrono::milliseconds delay) override;
  void OnEnded(const aws::Operation& operation, const Error* error) override;

 private:
  struct State;
  explicit PgQuota(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// One class of one account, as `pcw quota show` prints it.
struct QuotaStatus {
  std::string aws_account_id;
  std::string service;
  std::string quota_class;  ///< "read" or "write"
  int per_second = 0;
  int per_day = 0;
  int bulk_per_day = 0;               ///< what of it a sync may spend
  std::int64_t used_last_second = 0;  ///< calls whose slot lay in it; 0 where rates are lifted
  std::int64_t used_last_minute = 0;  ///< of this and the minute before
  std::int64_t used_last_hour = 0;
  std::int64_t used_24h = 0;
  std::int64_t left_24h = 0;
  std::string paused_until;   ///< RFC 3339, empty = not paused
  std::string full_again_at;  ///< when the rolling day is wholly free again; empty = now
};

/// The state of every class of the account, also of classes never used.
Result<std::vector<QuotaStatus>> ShowQuota(pg::Connection& connection,
                                           const PgQuotaOptions& options,
                                           std::stop_token stop = {});

}  // namespace pcw::quota
