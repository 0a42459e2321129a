#include "pcw/pg/database.h"

#include <utility>
#include <vector>

namespace pcw::pg {

Database::Database(OpenConnection open, Sleeper& sleeper, Clock& clock,
                   std::chrono::milliseconds patience)
    : open_(std::move(open)), sleeper_(sleeper), clock_(clock), patience_(patience) {}

Result<pg::Connection*> Database::Get(std::stop_token stop) {
  if (connection_ && connection_->is_usable()) return &*connection_;
  connection_.reset();
  const SteadyTime give_up = clock_.Steady() + patience_;
  for (;;) {
    Result<pg::Connection> opened = open_(stop);
    if (opened) {
      connection_.emplace(std::move(*opened));
      return &*connection_;
    }
    if (opened.error().code() != ErrorCode::kUnavailable || clock_.Steady() >= give_up)
      return std::move(opened).error();
    if (!sleeper_.SleepFor(kPause, stop))
      return Error(ErrorCode::kCancelled, "stopped while waiting for the database");
  }
}

Result<pg::Rows> Database::Exec(const pg::Query& query, std::initializer_list<pg::Param> params,
                                std::stop_token stop) {
  const std::vector<pg::Param> values(params);
  return Run<pg::Rows>(
      stop, [&](pg::Connection& connection) { return connection.Exec(query, values, stop); });
}

}  // namespace pcw::pg
