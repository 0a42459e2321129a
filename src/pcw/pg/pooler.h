// Tells whether a pooler that keeps no sessions stands between us and PostgreSQL.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <stop_token>

#include "pcw/pg/connection.h"

namespace pcw::pg {

/// kConfig, saying what to do, when the statements of a new connection go to changing server
/// sessions (PgBouncer in transaction or statement mode, and poolers like it): a role and a tenant
/// that are set for a session would meet other clients' statements, and nobody would free its
/// advisory locks. `claimed_pid` is the server process that was named when the session began; a
/// pooler names another than the one that works. Costs one statement where no pooler is; behind one
/// it opens a second session for a moment. A pooler in session mode passes. Other errors as
/// Connection's.
Status RefuseTransactionPooler(
    Connection& connection, int claimed_pid,
    const std::function<Result<Connection>(std::chrono::milliseconds patience)>& open_other,
    const std::stop_token& stop);

/// What is asked of a session, and of a second one, to find out.
class ServerSessions {
 public:
  virtual ~ServerSessions() = default;
  /// The process of the server that answers this session now.
  virtual Result<std::int64_t> Pid() = 0;
  /// Opens the second session, which stays open. False: it could not be opened.
  virtual bool OpenOther() = 0;
  /// The process that answers the second one. kConfig: it knows a statement that only this session
  /// prepared.
  virtual Result<std::int64_t> OtherPid() = 0;
};

/// The judgement itself.
Status RefuseTransactionPooler(ServerSessions& sessions, std::int64_t claimed_pid);

}  // namespace pcw::pg
