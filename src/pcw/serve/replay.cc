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
  ReplayRole(ServeContext& context, std::stop_token stop)
      : context_(context), session_(context, "replay") {
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
      for (const wiring::TenantDirectory::Tenant& tenant : context_.tenants.All()) {
        const auto& dlq = tenant.config->dlq;
        if (dlq.auto_replay && !stop.stop_requested()) {
          if (pg::Connection* connection = session_.Get(stop)) Mend(*connection, tenant, stop);
        }
        if (dlq.url.empty() || stop.stop_requested()) continue;
        if (pg::Connection* connection = session_.Get(stop)) Deliver(*connection, tenant, stop);
      }
    } while (context_.machine.sleeper.SleepFor(kBetweenPasses, stop));
  }

  void Mend(pg::Connection& connection, const wiring::TenantDirectory::Tenant& tenant,
            const std::stop_token& stop) {
    const LogScope scope(LogFields{{"tenant", tenant.name}});
    bool& is_failing = is_mending_failing_[tenant.id];
    const Status mended = [&]() -> Status {
      PCW_TRY_OK(pg::ChangeTenant(connection, tenant.id));
      return ReplayAfterMappingChange(*tenant.config, context_.invocation, context_.machine,
                                      connection, stop);
    }();
    if (!connection.is_usable() && !mended) {
      session_.Failed("replaying dead letters", mended.error());
      return;
    }
    session_.Worked();
    if (!mended && !is_failing && mended.error().code() != ErrorCode::kCancelled)
      LogError("dead letters are not replayed after a change of mapping; it is tried again",
               mended.error());
    is_failing = !mended;
  }

  void Deliver(pg::Connection& connection, const wiring::TenantDirectory::Tenant& tenant,
               const std::stop_token& stop) {
    const LogScope scope(LogFields{{"tenant", tenant.name}});
    Opened& opened = opened_[tenant.id];
    const Status delivered = [&]() -> Status {
      if (opened.config != tenant.config) {
        PCW_TRY(opened.queue,
                wiring::QueueAccess::Open(tenant.config->dlq.url, *tenant.config,
                                          context_.invocation.environment, context_.machine));
        opened.config = tenant.config;
      }
      PCW_TRY_OK(pg::ChangeTenant(connection, tenant.id));
      dlq::DeliveryOptions options;
      options.catalog = tenant.config->partner_central.catalog;
      options.visibility = tenant.config->dlq.visibility;
      PCW_TRY_OK(dlq::Deliver(connection, tenant.id, opened.queue->queue(), options,
                              context_.machine.clock, stop));
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

  ServeContext& context_;
  RoleSession session_;
  std::map<std::string, Opened> opened_;
  std::map<std::string, bool> is_mending_failing_;  // by tenant
  std::jthread thread_;
};

}  // namespace

Result<std::unique_ptr<ServeRole>> StartReplay(ServeContext& context, std::stop_token stop) {
  return std::unique_ptr<ServeRole>(std::make_unique<ReplayRole>(context, std::move(stop)));
}

}  // namespace pcw::serve
