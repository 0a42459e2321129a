#include "pcw/runs/database_clock.h"

#include <chrono>

namespace pcw::runs {

using std::chrono::microseconds;

Result<WallTime> DatabaseNow(pg::Connection& connection, std::stop_token stop) {
  PCW_TRY(
      const pg::Rows rows,
      connection.Exec({"database_now", "SELECT (extract(epoch FROM pcw_now()) * 1000000)::bigint"},
                      {}, stop));
  return WallTime(microseconds(rows.Int(0, 0)));
}

Result<DatabaseClock> DatabaseClock::Read(pg::Connection& connection, const Clock& steady,
                                          std::stop_token stop) {
  PCW_TRY(const WallTime now, DatabaseNow(connection, stop));
  return DatabaseClock(steady, now, steady.Steady());
}

WallTime DatabaseClock::Now() const {
  return base_ + std::chrono::duration_cast<microseconds>(steady_->Steady() - read_at_);
}

}  // namespace pcw::runs
