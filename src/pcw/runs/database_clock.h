// The database's clock, for everything that is ordered or measured by the time of a run (I13, T25).
#pragma once

#include <stop_token>

#include "pcw/base/clock.h"
#include "pcw/base/result.h"
#include "pcw/pg/connection.h"

namespace pcw::runs {

/// What the database's clock says now. Failures are those of pg::Connection.
Result<WallTime> DatabaseNow(pg::Connection& connection, std::stop_token stop);

/// The database's clock, read once and carried on by this machine's steady clock: a jump of the
/// local wall clock moves neither a run's times nor the order of what it fetches. Immutable;
/// thread-safe as far as the clock it is made from, which outlives it.
class DatabaseClock final : public Clock {
 public:
  /// Failures are those of pg::Connection.
  static Result<DatabaseClock> Read(pg::Connection& connection, const Clock& steady,
                                    std::stop_token stop);

  WallTime Now() const override;
  SteadyTime Steady() const override { return steady_->Steady(); }

 private:
  DatabaseClock(const Clock& steady, WallTime base, SteadyTime read_at)
      : steady_(&steady), base_(base), read_at_(read_at) {}

  const Clock* steady_;
  WallTime base_;
  SteadyTime read_at_;
};

}  // namespace pcw::runs
