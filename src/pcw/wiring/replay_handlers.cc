#include "pcw/wiring/replay_handlers.h"

#include <cstdio>

#include <fmt/format.h>

#include "pcw/config/mapping_choice.h"
#include "pcw/dlq/outbox.h"
#include "pcw/wiring/lake_identity.h"
#include "pcw/wiring/sync_command.h"

namespace pcw::wiring {

diagnose::IssueType IssueOf(std::string_view stage, std::string_view error_code) {
  const std::optional<ErrorCode> code = ErrorCodeNamed(error_code);
  if (code == ErrorCode::kUnauthenticated || code == ErrorCode::kPermissionDenied)
    return diagnose::IssueType::kIam;
  if (stage == "map" || code == ErrorCode::kSchemaMismatch) return diagnose::IssueType::kData;
  return diagnose::IssueType::kApi;
}

Result<std::unique_ptr<ReplayHandlers>> ReplayHandlers::Open(const config::Config& config,
                                                             const Invocation& invocation,
                                                             Machine& machine, Refetch refetch) {
  std::unique_ptr<ReplayHandlers> replay(new ReplayHandlers());
  PCW_TRY(replay->lake_, OpenLake(config, invocation.environment, machine));
  PCW_TRY(
      replay->database_,
      DatabaseAccess::Open(config, config::HomeDirectory(invocation.environment), invocation.stop));
  ReplayHandlers& self = *replay;
  reingest::BronzeReplayDeps deps{
      .tenant_id = config.tenant_id,
      .catalog = config.partner_central.catalog,
      .connector_config_json = ConnectorConfigJson(config),
      .mapping = [&config, &machine](std::string_view entity) -> Result<connector::Mapping> {
        PCW_TRY(const auto mapping, machine.mappings.InForce(config, entity));
        return *mapping;
      },
      .caller = {},
      .actor = ActorOf(invocation),
      .reingest = {
          .open = [&self](std::stop_token stop) { return self.database_->OpenService(stop); },
          .open_owner = {},
          .lease_connect = replay->database_->ServiceConnect(),
          .store = *replay->lake_,
          .clock = machine.clock,
          .sleeper = machine.sleeper,
          .rng = machine.rng,
          .on_progress = {}}};
  if (refetch == Refetch::kYes) {
    deps.caller =
        [&self, &config, &machine, environment = invocation.environment,
         stop = invocation.stop](const connector::EntityDef& entity) -> Result<aws::Caller*> {
      if (!self.aws_) {
        PCW_TRY(self.aws_, OpenAws(config, environment, *self.database_, quota::Purpose::kBulk,
                                   "dlq replay", machine, stop));
      }
      return &self.aws_->CallerOf(entity);
    };
  }
  replay->bronze_ = std::make_unique<reingest::BronzeReplay>(std::move(deps));
  replay->handlers_.push_back(replay->bronze_.get());
  PCW_TRY(pg::Connection connection, replay->database_->OpenService(invocation.stop));
  PCW_TRY_OK(ConfirmLake(connection, config, invocation.environment, OtherLake::kRefuse, machine,
                         invocation.stop));
  PCW_TRY(events::InboxScope scope, InboxScopeOf(config, connection, invocation.stop));
  replay->events_ = std::make_unique<events::EventReplay>(events::EventReplayDeps{
      .scope = std::move(scope),
      .open = [&self](std::stop_token stop) { return self.database_->OpenService(stop); }});
  replay->handlers_.push_back(replay->events_.get());
  return replay;
}

Result<dlq::DeliveryReport> DeliverOnce(const config::Config& config, const Invocation& invocation,
                                        Machine& machine, DatabaseAccess& database) {
  PCW_TRY(const auto queue,
          QueueAccess::Open(config.dlq.url, config, invocation.environment, machine));
  PCW_TRY(pg::Connection connection, database.OpenService(invocation.stop));
  dlq::DeliveryOptions options;
  options.catalog = config.partner_central.catalog;
  options.visibility = config.dlq.visibility;
  return dlq::Deliver(connection, config.tenant_id, queue->queue(), options, machine.clock,
                      invocation.stop);
}

void DeliverAfter(const config::Config& config, const Invocation& invocation, Machine& machine,
                  DatabaseAccess& database) {
  if (config.dlq.url.empty() || invocation.stop.stop_requested()) return;
  const auto report = DeliverOnce(config, invocation, machine, database);
  if (report) return;
  std::fprintf(stderr,
               "pcw: warning: dead letters are kept, but not delivered to SQS: %s; `pcw dlq "
               "deliver` tries again\n",
               report.error().ToString().c_str());
}

}  // namespace pcw::wiring
