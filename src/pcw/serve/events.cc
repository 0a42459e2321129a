// The role events: follows each tenant's queue of Partner Central events, asks for what they name
// to be fetched, and delivers each tenant's own events.
#include <map>
#include <thread>

#include "pcw/base/log.h"
#include "pcw/events/coverage.h"
#include "pcw/events/inbox.h"
#include "pcw/pg/session.h"
#include "pcw/runs/fetch_requests.h"
#include "pcw/serve/event_publisher.h"
#include "pcw/serve/serve.h"

namespace pcw::serve {
namespace {

using std::chrono::seconds;

constexpr seconds kBetweenLooks{1};
constexpr std::chrono::minutes kBetweenEventPrunes{10};
constexpr int kHiddenSeconds = 120;  // a batch is recorded in a fraction of that
constexpr seconds kAfterTrouble{5};

/// Listens to one tenant's queue on a thread of its own until it is destroyed.
class EventListener {
 public:
  EventListener(ServeDeps& deps, wiring::TenantDirectory::Tenant tenant, events::InboxScope scope)
      : deps_(deps),
        tenant_(std::move(tenant)),
        scope_(std::move(scope)),
        session_(deps, "events") {
    thread_ = std::jthread([this](std::stop_token stop) { Listen(stop); });
  }

 private:
  void Listen(const std::stop_token& stop) {
    const LogScope scope({{"role", "events"}, {"tenant", tenant_.name}});
    while (!stop.stop_requested()) {
      pg::Connection* connection = session_.Get(stop);
      if (connection == nullptr) continue;
      const Status taken = TakeBatch(*connection, stop);
      if (!taken && !connection->is_usable()) {
        session_.Failed("recording events", taken.error());
        continue;
      }
      session_.Worked();
      Tell(taken);
      if (!taken) deps_.machine.sleeper.SleepFor(kAfterTrouble, stop);
    }
  }

  Status TakeBatch(pg::Connection& connection, const std::stop_token& stop) {
    if (session_.TakeIsNew()) PCW_TRY_OK(pg::ChangeTenant(connection, tenant_.id, stop));
    const config::Config& config = *tenant_.config;
    if (!queue_) {
      PCW_TRY(queue_, wiring::QueueAccess::Open(config.events.url, config,
                                                deps_.invocation.environment, deps_.machine));
    }
    PCW_TRY_OK(events::NoteListening(connection, scope_, stop));
    PCW_TRY(const auto messages,
            queue_->queue().Receive(static_cast<int>(aws::sqs::kMostEntries), kHiddenSeconds,
                                    static_cast<int>(config.events.wait.count()), stop));
    PCW_TRY(const events::InboxReport report,
            events::TakeMessages(connection, scope_, queue_->queue(), messages, stop));
    if (report.malformed > 0) {
      Log(LogLevel::kWarn, "messages in the queue of events are not events; they are dead letters",
          {{"count", std::to_string(report.malformed)}});
    }
    if (report.fetches == 0) return Ok{};
    PCW_TRY_OK(runs::RequestFetches(connection, scope_.connector_id, scope_.catalog,
                                    deps_.machine.rng, deps_.machine.clock, stop));
    return Ok{};
  }

  // Said when it begins and when it ends: sweeps bring what events would have told.
  void Tell(const Status& taken) {
    if (!taken && taken.error().code() == ErrorCode::kCancelled) return;
    if (!taken && !is_failing_)
      LogError("events are not received; it is tried again, and sweeps bring the changes",
               taken.error());
    if (taken && is_failing_) Log(LogLevel::kInfo, "events are received again");
    is_failing_ = !taken;
  }

  ServeDeps& deps_;
  const wiring::TenantDirectory::Tenant tenant_;
  const events::InboxScope scope_;
  RoleSession session_;
  std::unique_ptr<wiring::QueueAccess> queue_;
  bool is_failing_ = false;
  std::jthread thread_;  // last: it uses everything above
};

class EventsRole final : public ServeRole {
 public:
  EventsRole(ServeDeps& deps, std::stop_token stop) : deps_(deps), session_(deps, "events") {
    thread_ = std::jthread([this, stop = std::move(stop)] { Keep(stop); });
  }

 private:
  /// What is done for a tenant, made from the configuration it had then.
  struct Followed {
    std::shared_ptr<const config::Config> config{};
    events::InboxScope scope{};
    std::unique_ptr<EventListener> listener{};
    std::unique_ptr<EventPublisher> publisher{};
  };

  void Keep(const std::stop_token& stop) {
    const LogScope scope(LogFields{{"role", "events"}});
    do {
      const bool prunes = deps_.machine.clock.Steady() >= next_prune_;
      for (const wiring::TenantDirectory::Tenant& tenant : deps_.tenants.All()) {
        if (stop.stop_requested()) return;
        const auto& events = tenant.config->events;
        const bool is_wanted = tenant.config->partner_central.is_enabled &&
                               !(events.url.empty() && events.out.url.empty());
        if (!is_wanted) {
          followed_.erase(tenant.id);
          continue;
        }
        pg::Connection* connection = session_.Get(stop);
        if (connection == nullptr) continue;
        const Status tended = Tend(*connection, tenant, prunes, stop);
        tended ? session_.Worked() : session_.Failed("following events", tended.error());
      }
      if (prunes) next_prune_ = deps_.machine.clock.Steady() + kBetweenEventPrunes;
    } while (deps_.machine.sleeper.SleepFor(kBetweenLooks, stop));
  }

  Status Tend(pg::Connection& connection, const wiring::TenantDirectory::Tenant& tenant,
              bool prunes, const std::stop_token& stop) {
    const LogScope log_scope(LogFields{{"tenant", tenant.name}});
    PCW_TRY_OK(pg::ChangeTenant(connection, tenant.id, stop));
    Followed& followed = followed_[tenant.id];
    const auto& config = tenant.config->events;
    if (followed.config != tenant.config) {
      followed.listener.reset();
      followed.publisher.reset();
      PCW_TRY(followed.scope, wiring::InboxScopeOf(*tenant.config, connection, stop));
      if (!config.url.empty())
        followed.listener = std::make_unique<EventListener>(deps_, tenant, followed.scope);
      if (!config.out.url.empty())
        followed.publisher = std::make_unique<EventPublisher>(deps_, tenant);
      followed.config = tenant.config;
    }
    if (prunes) PCW_TRY_OK(events::PruneOutbox(connection, stop));
    if (config.url.empty()) return Ok{};
    // The listener asks at once; this asks for what waited for a sweep to end, or for a process
    // that died in between.
    PCW_TRY_OK(runs::RequestFetches(connection, followed.scope.connector_id, followed.scope.catalog,
                                    deps_.machine.rng, deps_.machine.clock, stop));
    PCW_TRY_OK(events::JudgeChanges(connection, config.grace, stop));
    if (prunes) PCW_TRY_OK(events::PruneEvents(connection, stop));
    return Ok{};
  }

  ServeDeps& deps_;
  RoleSession session_;
  std::map<std::string, Followed> followed_;
  SteadyTime next_prune_{};
  std::jthread thread_;  // last: it uses everything above
};

}  // namespace

Result<std::unique_ptr<ServeRole>> StartEvents(ServeDeps& deps, std::stop_token stop) {
  return std::unique_ptr<ServeRole>(std::make_unique<EventsRole>(deps, std::move(stop)));
}

}  // namespace pcw::serve
