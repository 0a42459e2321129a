#include "pcw/jobs/lease.h"

#include <optional>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include "pcw/base/log.h"
#include "pcw/pg/session.h"

namespace pcw::jobs {
namespace {

// A hash of the key in the server, so that every pcw asks for the same advisory lock.
constexpr std::string_view kTryHint =
    "SELECT pg_try_advisory_lock(hashtextextended('pcw lease ' || $1 || '/' || $2 || '/' || $3, "
    "0))";

std::string HolderName() {
  char host[256] = "";
  ::gethostname(host, sizeof host - 1);
  return fmt::format("{}:{}", host, ::getpid());
}

}  // namespace

struct Lease::State {
  pg::ConnectOptions connect;
  LeaseKey key;
  std::string run_id;
  LeaseOptions options;
  Clock& clock;
  Sleeper& sleeper;
  std::int64_t fence = 0;
  bool is_hinted = false;  // this session has the advisory lock
  std::stop_source lost;
  std::optional<pg::Connection> connection;  // the renewer's alone, once it runs
  std::jthread renewer;

  State(pg::ConnectOptions c, LeaseKey k, std::string run, LeaseOptions o, Clock& cl, Sleeper& s)
      : connect(std::move(c)),
        key(std::move(k)),
        run_id(std::move(run)),
        options(o),
        clock(cl),
        sleeper(s) {}

  Status Open(std::stop_token stop) {
    PCW_TRY(pg::ServiceSession session,
            pg::OpenService(connect, key.tenant_id, pg::SuperuserLogin::kWarn, stop));
    connection.emplace(std::move(session.connection));
    return Ok{};
  }

  Status TryHint(std::stop_token stop) {
    if (is_hinted) return Ok{};
    PCW_TRY(const pg::Rows rows,
            connection->Exec({"lease_hint", kTryHint},
                             {key.tenant_id, std::to_string(key.connector_id), key.entity}, stop));
    is_hinted = rows.Bool(0, 0);
    return Ok{};
  }

  // One statement decides on the database's clock; the fence grows with every change of holder. The
  // lock proves the end of a holder's session only if the holder had it: somebody may have been at
  // the row first while we got the lock.
  Result<bool> TryTake(std::stop_token stop) {
    PCW_TRY(
        const pg::Rows rows,
        connection->Exec({"lease_take",
                          "INSERT INTO leases AS l (tenant_id, connector_id, entity, fence, "
                          "run_id, holder, acquired_at, expires_at, is_hinted) VALUES "
                          "(pcw_tenant(), $1::bigint, $2, 1, $3::uuid, $4, now(), now() + "
                          "$5::integer * interval '1 second', $6::boolean) ON CONFLICT (tenant_id, "
                          "connector_id, entity) DO UPDATE SET fence = l.fence + 1, run_id = "
                          "excluded.run_id, holder = excluded.holder, acquired_at = now(), "
                          "expires_at = excluded.expires_at, is_hinted = excluded.is_hinted WHERE "
                          "l.run_id IS NULL OR l.expires_at < now() OR ($6::boolean AND "
                          "l.is_hinted) RETURNING fence"},
                         {std::to_string(key.connector_id), key.entity, run_id, HolderName(),
                          std::to_string(options.duration.count()), is_hinted ? "true" : "false"},
                         stop));
    if (rows.empty()) return false;
    fence = rows.Int(0, 0);
    return true;
  }

  Error Held(std::stop_token stop) {
    auto rows = connection->Exec({"lease_holder",
                                  "SELECT holder, run_id, to_char(acquired_at AT TIME ZONE 'UTC', "
                                  "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM leases WHERE tenant_id = "
                                  "pcw_tenant() AND connector_id = $1::bigint AND entity = $2"},
                                 {std::to_string(key.connector_id), key.entity}, stop);
    Error error(
        ErrorCode::kConflict,
        fmt::format("another process is syncing {} already; follow it with `pcw runs watch`",
                    key.entity));
    if (!rows || rows->empty()) return error;
    return std::move(error)
        .With("holder", std::string(rows->Text(0, 0)))
        .With("run_id", std::string(rows->Text(0, 1)))
        .With("since", std::string(rows->Text(0, 2)));
  }

  // True while the lease is ours; an error is a database that cannot be asked.
  Result<bool> Renew(std::stop_token stop) {
    if (!connection || !connection->is_usable()) {
      is_hinted = false;
      PCW_TRY_OK(Open(stop));
    }
    PCW_TRY_OK(TryHint(stop));  // tells others that we live; the fence decides
    PCW_TRY(const pg::Rows rows,
            connection->Exec(
                {"lease_renew",
                 "UPDATE leases SET expires_at = now() + $4::integer * interval '1 second', "
                 "is_hinted = $5::boolean WHERE tenant_id = pcw_tenant() AND connector_id = "
                 "$1::bigint AND entity = $2 AND fence = $3::bigint AND run_id IS NOT NULL"},
                {std::to_string(key.connector_id), key.entity, std::to_string(fence),
                 std::to_string(options.duration.count()), is_hinted ? "true" : "false"},
                stop));
    return rows.affected() == 1;
  }

  void KeepRenewing(std::stop_token stop) {
    const auto pause = std::chrono::duration_cast<std::chrono::microseconds>(options.duration) / 3;
    bool is_shaken = false;
    while (sleeper.SleepFor(
        is_shaken ? std::chrono::microseconds(std::chrono::milliseconds(500)) : pause, stop)) {
      Result<bool> is_ours = Renew(stop);
      if (is_ours && !*is_ours) {
        Log(LogLevel::kWarn, "the lease was taken over by another process",
            {{"entity", key.entity}, {"run_id", run_id}});
        lost.request_stop();
        return;
      }
      // A database that is away is not a loss: CheckFence decides at the next commit.
      is_shaken = !is_ours;
    }
  }

  void Release() {
    if (!connection || !connection->is_usable())
      return;  // it expires, and its session's end frees the hint
    auto released =
        connection->Exec({"lease_release",
                          "UPDATE leases SET run_id = NULL, expires_at = now() WHERE tenant_id = "
                          "pcw_tenant() AND connector_id = $1::bigint AND entity = $2 "
                          "AND fence = $3::bigint"},
                         {std::to_string(key.connector_id), key.entity, std::to_string(fence)});
    if (!released)
      LogError("the lease could not be released; it expires by itself", released.error());
  }
};

Lease::Lease(std::unique_ptr<State> state) : state_(std::move(state)) {}

Lease::~Lease() {
  state_->renewer.request_stop();
  if (state_->renewer.joinable()) state_->renewer.join();
  state_->Release();
}

Result<std::unique_ptr<Lease>> Lease::Acquire(const pg::ConnectOptions& connect,
                                              const LeaseKey& key, std::string run_id,
                                              const LeaseOptions& options, Clock& clock,
                                              Sleeper& sleeper, std::stop_token stop) {
  auto state = std::make_unique<State>(connect, key, std::move(run_id), options, clock, sleeper);
  PCW_TRY_OK(state->Open(stop));
  const SteadyTime give_up = clock.Steady() + options.wait;
  for (;;) {
    PCW_TRY_OK(state->TryHint(stop));
    PCW_TRY(const bool is_taken, state->TryTake(stop));
    if (is_taken) break;
    if (clock.Steady() >= give_up) return state->Held(stop);
    if (!sleeper.SleepFor(std::chrono::milliseconds(50), stop))
      return Error(ErrorCode::kCancelled, "stopped while waiting for the lease");
  }
  State& held = *state;
  held.renewer =
      std::jthread([&held](std::stop_token renewer_stop) { held.KeepRenewing(renewer_stop); });
  return std::unique_ptr<Lease>(new Lease(std::move(state)));
}

std::int64_t Lease::fence() const { return state_->fence; }

std::stop_token Lease::lost() const { return state_->lost.get_token(); }

Status Lease::CheckFence(pg::Connection& connection, std::stop_token stop) const {
  // FOR SHARE: a takeover waits until this transaction has ended, so nothing of ours can commit
  // after it.
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"lease_check",
                           "SELECT 1 FROM leases WHERE tenant_id = pcw_tenant() AND connector_id = "
                           "$1::bigint AND entity = $2 AND fence = $3::bigint FOR SHARE"},
                          {std::to_string(state_->key.connector_id), state_->key.entity,
                           std::to_string(state_->fence)},
                          stop));
  if (!rows.empty()) return Ok{};
  state_->lost.request_stop();
  return Error(ErrorCode::kConflict,
               "the lease was lost to another process; it goes on with this entity");
}

}  // namespace pcw::jobs
