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

class PgLeaseStore final : public LeaseStore {
 public:
  PgLeaseStore(pg::ConnectOptions connect, LeaseKey key, std::string run_id,
               const LeaseOptions& options)
      : connect_(std::move(connect)),
        key_(std::move(key)),
        run_id_(std::move(run_id)),
        options_(options) {}

  Status Open(std::stop_token stop) override {
    if (is_usable()) return Ok{};
    PCW_TRY(pg::ServiceSession session,
            pg::OpenService(connect_, key_.tenant_id, pg::SuperuserLogin::kWarn, stop));
    connection_.emplace(std::move(session.connection));
    return Ok{};
  }

  bool is_usable() const override { return connection_ && connection_->is_usable(); }

  Result<bool> TryHint(std::stop_token stop) override {
    PCW_TRY(
        const pg::Rows rows,
        connection_->Exec({"lease_hint", kTryHint},
                          {key_.tenant_id, std::to_string(key_.connector_id), key_.entity}, stop));
    return rows.Bool(0, 0);
  }

  // One statement decides on the database's clock; the fence grows with every change of holder. The
  // lock proves the end of a holder's session only if the holder had it: somebody may have been at
  // the row first while we got the lock.
  Result<std::optional<std::int64_t>> TryTake(bool is_hinted, std::stop_token stop) override {
    PCW_TRY(const pg::Rows rows,
            connection_->Exec(
                {"lease_take",
                 "INSERT INTO leases AS l (tenant_id, connector_id, entity, fence, "
                 "run_id, holder, acquired_at, expires_at, is_hinted) VALUES "
                 "(pcw_tenant(), $1::bigint, $2, 1, $3::uuid, $4, now(), now() + "
                 "$5::integer * interval '1 second', $6::boolean) ON CONFLICT (tenant_id, "
                 "connector_id, entity) DO UPDATE SET fence = l.fence + 1, run_id = "
                 "excluded.run_id, holder = excluded.holder, acquired_at = now(), "
                 "expires_at = excluded.expires_at, is_hinted = excluded.is_hinted WHERE "
                 "l.run_id IS NULL OR l.expires_at < now() OR ($6::boolean AND "
                 "l.is_hinted) RETURNING fence"},
                {std::to_string(key_.connector_id), key_.entity, run_id_, HolderName(),
                 std::to_string(options_.duration.count()), is_hinted ? "true" : "false"},
                stop));
    if (rows.empty()) return std::optional<std::int64_t>();
    return std::optional(rows.Int(0, 0));
  }

  Result<bool> Renew(std::int64_t fence, bool is_hinted, std::stop_token stop) override {
    PCW_TRY(const pg::Rows rows,
            connection_->Exec(
                {"lease_renew",
                 "UPDATE leases SET expires_at = now() + $4::integer * interval '1 second', "
                 "is_hinted = $5::boolean WHERE tenant_id = pcw_tenant() AND connector_id = "
                 "$1::bigint AND entity = $2 AND fence = $3::bigint AND run_id IS NOT NULL"},
                {std::to_string(key_.connector_id), key_.entity, std::to_string(fence),
                 std::to_string(options_.duration.count()), is_hinted ? "true" : "false"},
                stop));
    return rows.affected() == 1;
  }

  Status Release(std::int64_t fence) override {
    PCW_TRY_OK(
        connection_->Exec({"lease_release",
                           "UPDATE leases SET run_id = NULL, expires_at = now() WHERE tenant_id = "
                           "pcw_tenant() AND connector_id = $1::bigint AND entity = $2 "
                           "AND fence = $3::bigint"},
                          {std::to_string(key_.connector_id), key_.entity, std::to_string(fence)}));
    return Ok{};
  }

  Error Held(std::stop_token stop) override {
    auto rows =
        connection_->Exec({"lease_holder",
                           "SELECT holder, run_id, to_char(acquired_at AT TIME ZONE 'UTC', "
                           "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM leases WHERE tenant_id = "
                           "pcw_tenant() AND connector_id = $1::bigint AND entity = $2"},
                          {std::to_string(key_.connector_id), key_.entity}, stop);
    Error error(
        ErrorCode::kConflict,
        fmt::format("another process is syncing {} already; follow it with `pcw runs watch`",
                    key_.entity));
    if (!rows || rows->empty()) return error;
    return std::move(error)
        .With("holder", std::string(rows->Text(0, 0)))
        .With("run_id", std::string(rows->Text(0, 1)))
        .With("since", std::string(rows->Text(0, 2)));
  }

 private:
  const pg::ConnectOptions connect_;
  const LeaseKey key_;
  const std::string run_id_;
  const LeaseOptions options_;
  std::optional<pg::Connection> connection_;
};

}  // namespace

struct Lease::State {
  State(const pg::ConnectOptions& connect, LeaseKey k, std::string run, const LeaseOptions& options,
        Clock& clock, Sleeper& sleeper)
      : key(std::move(k)),
        run_id(std::move(run)),
        store(connect, key, run_id, options),
        holder(store, options, clock, sleeper) {}

  void KeepRenewing(std::stop_token stop) {
    if (!holder.KeepRenewing(std::move(stop))) return;
    Log(LogLevel::kWarn, "the lease was taken over by another process",
        {{"entity", key.entity}, {"run_id", run_id}});
    lost.request_stop();
  }

  const LeaseKey key;
  const std::string run_id;
  std::stop_source lost;
  PgLeaseStore store;  // the renewer's alone, once it runs
  LeaseHolder holder;
  std::jthread renewer;
};

Lease::Lease(std::unique_ptr<State> state) : state_(std::move(state)) {}

Lease::~Lease() {
  state_->renewer.request_stop();
  if (state_->renewer.joinable()) state_->renewer.join();
  if (const Status released = state_->holder.Release(); !released)
    LogError("the lease could not be released; it expires by itself", released.error());
}

Result<std::unique_ptr<Lease>> Lease::Acquire(const pg::ConnectOptions& connect,
                                              const LeaseKey& key, std::string run_id,
                                              const LeaseOptions& options, Clock& clock,
                                              Sleeper& sleeper, std::stop_token stop) {
  auto state = std::make_unique<State>(connect, key, std::move(run_id), options, clock, sleeper);
  PCW_TRY_OK(state->holder.Take(std::move(stop)));
  State& held = *state;
  held.renewer =
      std::jthread([&held](std::stop_token renewer_stop) { held.KeepRenewing(renewer_stop); });
  return std::unique_ptr<Lease>(new Lease(std::move(state)));
}

std::int64_t Lease::fence() const { return state_->holder.fence(); }

std::stop_token Lease::lost() const { return state_->lost.get_token(); }

Status Lease::CheckFence(pg::Connection& connection, std::stop_token stop) const {
  // FOR SHARE: a takeover waits until this transaction has ended, so nothing of ours can commit
  // after it.
  PCW_TRY(const pg::Rows rows,
          connection.Exec({"lease_check",
                           "SELECT 1 FROM leases WHERE tenant_id = pcw_tenant() AND connector_id = "
                           "$1::bigint AND entity = $2 AND fence = $3::bigint FOR SHARE"},
                          {std::to_string(state_->key.connector_id), state_->key.entity,
                           std::to_string(state_->holder.fence())},
                          stop));
  if (!rows.empty()) return Ok{};
  state_->lost.request_stop();
  return Error(ErrorCode::kConflict,
               "the lease was lost to another process; it goes on with this entity");
}

}  // namespace pcw::jobs
