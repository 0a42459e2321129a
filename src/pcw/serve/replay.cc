// The role replay: keeps the SQS queue of each tenant in step with its dead letters, and replays
// those whose mapping has changed.
#include <map>
#include <thread>

#include "pcw/base/log.h"
#include "pcw/dlq/outbox.h"
#include "pcw/pg/session.h"
#include "pcw/serve/auto_replay.h"
#include "pcw/serve/serve.h"

namespace pcw::serve {
namespace {

constexpr std::chrono::seconds kBetweenPasses{10};

class ReplayRole final : public ServeRole {
 public:
  ReplayRole(ServeDeps& deps, std::stop_token stop) : deps_(deps), session_(deps, "replay") {
    thread_ = std::jthread([this, stop = std::move(stop)] { Keep(stop); });
  }

 private:
  /// The queue of a tenant as it was configured when it was opened.
  struct Opened {
    std::shared_ptr<const config::Config> config;
    std::unique_ptr<wiring::QueueAccess> queue;
    bool is_failing = false;
  };

  void Keep(const std::stop_token& stop) {
    const LogScope scope(LogFields{{"role", "replay"}});
    do {
      for (const wiring::TenantDirectory::Tenant& tenant : deps_.tenants.All()) {
        const auto& dlq = tenant.config->dlq;
        if (dlq.auto_replay && !stop.stop_requested()) {
          if (pg::Connection* connection = session_.Get(stop))
            ReplayGroups(*connection, tenant, stop);
        }
        if (dlq.url.empty() || stop.stop_requested()) continue;
        if (pg::Connection* connection = session_.Get(stop)) Deliver(*connection, tenant, stop);
      }
    } while (deps_.machine.sleeper.SleepFor(kBetweenPasses, stop));
  }

  void ReplayGroups(pg::Connection& connection, const wiring::TenantDirectory::Tenant& tenant,
                    const std::stop_token& stop) {
    const LogScope scope(LogFields{{"tenant", tenant.name}});
    bool& is_failing = is_mending_failing_[tenant.id];
    const Status replayed = [&]() -> Status {
      PCW_TRY_OK(pg::ChangeTenant(connection, tenant.id));
      return ReplayAfterMappingChange(*tenant.config, deps_.invocation, deps_.machine, connection,
                                      stop);
    }();
    if (!connection.is_usable() && !replayed) {
      session_.Failed("replaying dead letters", replayed.error());
      return;
    }
    session_.Worked();
    if (!replayed && !is_failing && replayed.error().code() != ErrorCode::kCancelled)
      LogError("dead letters are not replayed after a change of mapping; it is tried again",
               replayed.error());
    is_failing = !replayed;
  }

  void Deliver(pg::Connection& connection, const wiring::TenantDirectory::Tenant& tenant,
               const std::stop_token& stop) {
    const LogScope scope(LogFields{{"tenant", tenant.name}});
    Opened& opened = opened_[tenant.id];
    const Status delivered = [&]() -> Status {
      if (opened.config != tenant.config) {
        PCW_TRY(opened.queue,
                wiring::QueueAccess::Open(tenant.config->dlq.url, *tenant.config,
                                          deps_.invocation.environment, deps_.machine));
        opened.config = tenant.config;
      }
      PCW_TRY_OK(pg::ChangeTenant(connection, tenant.id));
      dlq::DeliveryOptions options;
      options.catalog = tenant.config->partner_central.catalog;
      options.visibility = tenant.config->dlq.visibility;
      PCW_TRY_OK(dlq::Deliver(connection, tenant.id, opened.queue->queue(), options,
                              deps_.machine.clock, stop));
      return Ok{};
    }();
    if (!connection.is_usable() && !delivered) {
      session_.Failed("delivering dead letters", delivered.error());
      return;
    }
    session_.Worked();
    // Said when it begins and when it ends: the dead letters are in PostgreSQL all the time.
    if (!delivered && !opened.is_failing && delivered.error().code() != ErrorCode::kCancelled)
      LogError("dead letters are kept, but not delivered to SQS; it is tried again",
               delivered.error());
    if (delivered && opened.is_failing) Log(LogLevel::kInfo, "dead letters are delivered again");
    opened.is_failing = !delivered;
  }

  ServeDeps& deps_;
  RoleSession session_;
  std::map<std::string, Opened> opened_;
  std::map<std::string, bool> is_mending_failing_;  // by tenant
  std::jthread thread_;
};

}  // namespace

Result<std::unique_ptr<ServeRole>> StartReplay(ServeDeps& deps, std::stop_token stop) {
  return std::unique_ptr<ServeRole>(std::make_unique<ReplayRole>(deps, std::move(stop)));
}

}  // namespace pcw::serve
