#include "pcw/pg/pooler.h"

#include <fmt/format.h>

#include "pcw/pg/sqlstate.h"

namespace pcw::pg {
namespace {

constexpr std::chrono::milliseconds kPatience{5'000};

Error Refused() {
  return Error(ErrorCode::kConfig, fmt::format("database.url: {}", kPoolerAdvice));
}

Result<std::int64_t> ServerPid(Connection& connection, const std::stop_token& stop) {
  PCW_TRY(const Rows rows, connection.Exec({"server_pid", "SELECT pg_backend_pid()"}, {}, stop));
  return rows.Int(0, 0);
}

}  // namespace

Status RefuseTransactionPooler(
    Connection& connection, int claimed_pid,
    const std::function<Result<Connection>(std::chrono::milliseconds patience)>& open_other,
    const std::stop_token& stop) {
  PCW_TRY(const std::int64_t first, ServerPid(connection, stop));
  if (first == claimed_pid) return Ok{};
  // A pooler. In session mode this session keeps its server session, and a second one cannot have
  // it; where servers are given back after each statement one of the two shows, whether the pooler
  // hands out the latest or the oldest.
  PCW_TRY(const std::int64_t again, ServerPid(connection, stop));
  if (again != first) return Refused();
  Result<Connection> other = open_other(kPatience);
  if (!other) return Ok{};  // a pool in session mode that is full just now
  const Result<std::int64_t> others = ServerPid(*other, stop);
  if (others && *others == first) return Refused();
  // Both prepare a statement of this name: the one server session knew it already.
  if (!others && others.error().code() == ErrorCode::kConfig) return Refused();
  PCW_TRY(const std::int64_t last, ServerPid(connection, stop));
  if (last != first) return Refused();
  return Ok{};
}

}  // namespace pcw::pg
