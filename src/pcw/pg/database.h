// A service session that survives the loss of the server, for work that may be repeated.
#pragma once

#include <chrono>
#include <functional>
#include <initializer_list>
#include <optional>
#include <stop_token>

#include "pcw/base/clock.h"
#include "pcw/pg/connection.h"

namespace pcw::pg {

/// Opens a session of the service role with the tenant set. Called again after a session was lost.
using OpenConnection = std::function<Result<pg::Connection>(std::stop_token)>;

/// One session at a time, reopened on demand. Not thread-safe: a thread owns its Database.
///
/// A lost server is waited for with backoff up to `patience`, so that a restart of PostgreSQL does
/// not end a run of hours; after that the error (kUnavailable) is returned.
class Database {
 public:
  Database(OpenConnection open, Sleeper& sleeper, Clock& clock,
           std::chrono::milliseconds patience = std::chrono::seconds(20));

  /// The session, opened if there is none or it was lost.
  Result<pg::Connection*> Get(std::stop_token stop);

  /// Runs `work` with a session and repeats it with a fresh one when the session was lost. `work`
  /// must be safe to repeat: a read, or a transaction that looks whether its earlier attempt was
  /// committed (T8).
  template <typename T>
  Result<T> Run(std::stop_token stop, const std::function<Result<T>(pg::Connection&)>& work) {
    const SteadyTime give_up = clock_.Steady() + patience_;
    for (;;) {
      PCW_TRY(pg::Connection * connection, Get(stop));
      Result<T> result = work(*connection);
      if (result || result.error().code() != ErrorCode::kUnavailable || clock_.Steady() >= give_up)
        return result;
      connection_.reset();
      if (!sleeper_.SleepFor(kPause, stop))
        return Error(ErrorCode::kCancelled, "stopped while waiting for the database");
    }
  }

  /// One statement that may be repeated.
  Result<pg::Rows> Exec(const pg::Query& query, std::initializer_list<pg::Param> params,
                        std::stop_token stop);

 private:
  static constexpr std::chrono::milliseconds kPause{100};
  OpenConnection open_;
  Sleeper& sleeper_;
  Clock& clock_;
  std::chrono::milliseconds patience_;
  std::optional<pg::Connection> connection_;
};

}  // namespace pcw::pg
