#include "pcw/app/dlq_command.h"

#include <cstdio>

#include <fmt/format.h>
#include <unistd.h>

#include "pcw/app/lake_identity.h"
#include "pcw/app/mapping_choice.h"
#include "pcw/app/sync_command.h"
#include "pcw/aws/profile.h"
#include "pcw/base/storable_text.h"
#include "pcw/base/time.h"
#include "pcw/dlq/filter_check.h"
#include "pcw/dlq/outbox.h"

namespace pcw::app {

diagnose::IssueType IssueOf(std::string_view stage, std::string_view error_code) {
  if (error_code == NameOf(ErrorCode::kUnauthenticated) ||
      error_code == NameOf(ErrorCode::kPermissionDenied))
    return diagnose::IssueType::kIam;
  if (stage == "map" || error_code == NameOf(ErrorCode::kSchemaMismatch))
    return diagnose::IssueType::kData;
  return diagnose::IssueType::kApi;
}

void AddLetterFilter(CLI::App& verb, const std::shared_ptr<dlq::DeadLetterFilter>& filter) {
  verb.add_option("--entity", filter->entity, "only this entity")
      ->check(KnownValues(EntityNames()));
  verb.add_option("--cause", filter->cause, "only this error code, as `list` shows it")
      ->type_name("CODE");
  verb.add_option("--group", filter->group, "only this cause, as `groups` shows it");
  verb.add_option("--run", filter->run_id, "only those last seen by this run");
  verb.add_option("--since", filter->since, "only those last seen at that time or later")
      ->type_name("TIME");
  verb.add_option("--until", filter->until, "only those last seen before that time")
      ->type_name("TIME");
  verb.add_option("--stage", filter->stage, "fetch, map or event")
      ->check(CLI::IsMember({"fetch", "map", "event"}));
}

Status FinishFilter(dlq::DeadLetterFilter& filter) {
  PCW_TRY(const auto since, ParseTimeOption("--since", filter.since));
  PCW_TRY(const auto until, ParseTimeOption("--until", filter.until));
  if (since) filter.since = FormatRfc3339(*since);
  if (until) filter.until = FormatRfc3339(*until);
  // Members are named as their options are.
  if (const Status checked = dlq::CheckFilter(filter); !checked)
    return UsageError("--" + checked.error().message());
  return Ok{};
}

std::string ActorOf(const Invocation& invocation) {
  if (const auto user = aws::Lookup(invocation.environment, "USER")) return *user;
  return fmt::format("uid {}", ::getuid());
}

Result<std::unique_ptr<ReplaySite>> ReplaySite::Open(const Config& config,
                                                     const Invocation& invocation, Machine& machine,
                                                     Refetch refetch) {
  std::unique_ptr<ReplaySite> site(new ReplaySite());
  PCW_TRY(site->lake_, OpenLake(config, invocation.environment, machine));
  PCW_TRY(site->database_,
          DatabaseAccess::Open(config, HomeDirectory(invocation.environment), invocation.stop));
  ReplaySite& self = *site;
  sync::BronzeReplayDeps deps{
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
          .lease_connect = site->database_->ServiceConnect(),
          .store = *site->lake_,
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
  site->bronze_ = std::make_unique<sync::BronzeReplay>(std::move(deps));
  site->handlers_.push_back(site->bronze_.get());
  PCW_TRY(pg::Connection connection, site->database_->OpenService(invocation.stop));
  PCW_TRY_OK(ConfirmLake(connection, config, invocation.environment, OtherLake::kRefuse, machine,
                         invocation.stop));
  PCW_TRY(events::InboxScope scope, InboxScopeOf(config, connection, invocation.stop));
  site->events_ = std::make_unique<events::EventReplay>(events::EventReplayDeps{
      .scope = std::move(scope),
      .open = [&self](std::stop_token stop) { return self.database_->OpenService(stop); }});
  site->handlers_.push_back(site->events_.get());
  return site;
}

namespace {

Result<dlq::DeliveryReport> DeliverOnce(const Config& config, const Invocation& invocation,
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

Result<int> RunDeliver(const Invocation& invocation) {
  PCW_TRY(const LoadedConfig loaded, invocation.Load());
  if (loaded.config.dlq.url.empty()) {
    return Error(ErrorCode::kConfig,
                 "dlq.url is empty: dead letters are in PostgreSQL only; set it to the URL of an "
                 "SQS queue to have them delivered");
  }
  Machine machine;
  PCW_TRY(
      const auto database,
      DatabaseAccess::Open(loaded.config, HomeDirectory(invocation.environment), invocation.stop));
  PCW_TRY(const dlq::DeliveryReport report,
          DeliverOnce(loaded.config, invocation, machine, *database));
  PrintObject(invocation.output, {{"sent", report.sent},
                                  {"refused", report.refused},
                                  {"removed", report.removed},
                                  {"received", report.received},
                                  {"extended", report.extended},
                                  {"waiting", report.waiting}});
  return report.waiting > 0 ? kExitDeadLetters : kExitOk;
}

}  // namespace

void DeliverAfter(const Config& config, const Invocation& invocation, Machine& machine,
                  DatabaseAccess& database) {
  if (config.dlq.url.empty() || invocation.stop.stop_requested()) return;
  const auto report = DeliverOnce(config, invocation, machine, database);
  if (report) return;
  std::fprintf(stderr,
               "pcw: warning: dead letters are kept, but not delivered to SQS: %s; `pcw dlq "
               "deliver` tries again\n",
               report.error().ToString().c_str());
}

void AddDlqDeliver(CLI::App& dlq, Invocation& invocation) {
  CLI::App* verb = AddVerb(
      dlq, "deliver",
      "One pass over the SQS queue: send letters, take in messages of others, delete what is "
      "settled",
      "  pcw dlq deliver -o json     # a sync or replay does it at its end");
  AddOutputOption(*verb, invocation);
  verb->callback(
      [&invocation] { invocation.verb = [&invocation] { return RunDeliver(invocation); }; });
}

}  // namespace pcw::app
