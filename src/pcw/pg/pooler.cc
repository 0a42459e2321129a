#include "pcw/pg/pooler.h"

#include <optional>
#include <utility>

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

class Sessions final : public ServerSessions {
 public:
  using OpenOtherSession = std::function<Result<Connection>(std::chrono::milliseconds patience)>;
  Sessions(Connection& connection, const OpenOtherSession& open_other, const std::stop_token& stop)
      : connection_(connection), open_other_(open_other), stop_(stop) {}

  Result<std::int64_t> Pid() override { return ServerPid(connection_, stop_); }
  bool OpenOther() override {
    Result<Connection> other = open_other_(kPatience);
    if (other) other_.emplace(std::move(*other));
    return other_.has_value();
  }
  Result<std::int64_t> OtherPid() override { return ServerPid(*other_, stop_); }

 private:
  Connection& connection_;
  const OpenOtherSession& open_other_;
  const std::stop_token& stop_;
  std::optional<Connection> other_;
};

}  // namespace

Status RefuseTransactionPooler(
    Connection& connection, int claimed_pid,
    const std::function<Result<Connection>(std::chrono::milliseconds patience)>& open_other,
    const std::stop_token& stop) {
  Sessions sessions(connection, open_other, stop);
  return RefuseTransactionPooler(sessions, claimed_pid);
}

Status RefuseTransactionPooler(ServerSessions& sessions, std::int64_t claimed_pid) {
  PCW_TRY(const std::int64_t first, sessions.Pid());
  if (first == claimed_pid) return Ok{};
  // A pooler. In session mode this session keeps its server session, and a second one cannot have
  // it; where servers are given back after each statement one of the two shows, whether the pooler
  // hands out the latest or the oldest.
  PCW_TRY(const std::int64_t again, sessions.Pid());
  if (again != first) return Refused();
  if (!sessions.OpenOther()) return Ok{};  // a pool in session mode that is full just now
  const Result<std::int64_t> others = sessions.OtherPid();
  if (others && *others == first) return Refused();
  // Both prepare a statement of this name: the one server session knew it already.
  if (!others && others.error().code() == ErrorCode::kConfig) return Refused();
  PCW_TRY(const std::int64_t last, sessions.Pid());
  if (last != first) return Refused();
  return Ok{};
}

}  // namespace pcw::pg
