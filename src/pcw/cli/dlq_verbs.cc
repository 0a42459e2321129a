#include "pcw/cli/dlq_verbs.h"

#include <fmt/format.h>

#include "pcw/base/time.h"
#include "pcw/connector/entity_def.h"
#include "pcw/dlq/filter_check.h"
#include "pcw/wiring/replay_handlers.h"

namespace pcw::cli {

void AddLetterFilter(CLI::App& verb, const std::shared_ptr<dlq::DeadLetterFilter>& filter) {
  verb.add_option("--entity", filter->entity, "only this entity")
      ->check(KnownValues(connector::EntityNames()));
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
  PCW_TRY(const auto since, wiring::ParseTimeOption("--since", filter.since));
  PCW_TRY(const auto until, wiring::ParseTimeOption("--until", filter.until));
  if (since) filter.since = FormatRfc3339(*since);
  if (until) filter.until = FormatRfc3339(*until);
  // Members are named as their options are.
  if (const Status checked = dlq::CheckFilter(filter); !checked)
    return wiring::UsageError("--" + checked.error().message());
  return Ok{};
}

namespace {

Result<int> RunDeliver(const wiring::Invocation& invocation) {
  PCW_TRY(const config::LoadedConfig loaded, invocation.Load());
  if (loaded.config.dlq.url.empty()) {
    return Error(ErrorCode::kConfig,
                 "dlq.url is empty: dead letters are in PostgreSQL only; set it to the URL of an "
                 "SQS queue to have them delivered");
  }
  wiring::Machine machine;
  PCW_TRY(const auto database,
          wiring::DatabaseAccess::Open(loaded.config, config::HomeDirectory(invocation.environment),
                                       invocation.stop));
  PCW_TRY(const dlq::DeliveryReport report,
          wiring::DeliverOnce(loaded.config, invocation, machine, *database));
  PrintObject(invocation.output, {{"sent", report.sent},
                                  {"refused", report.refused},
                                  {"removed", report.removed},
                                  {"received", report.received},
                                  {"extended", report.extended},
                                  {"waiting", report.waiting}});
  return report.waiting > 0 ? kExitDeadLetters : kExitOk;
}

}  // namespace

void AddDlqDeliver(CLI::App& dlq, wiring::Invocation& invocation) {
  CLI::App* verb = AddVerb(
      dlq, "deliver",
      "One pass over the SQS queue: send dead letters, take in messages of others, delete what is "
      "settled",
      "  pcw dlq deliver -o json     # a sync or replay does it at its end");
  AddOutputOption(*verb, invocation);
  verb->callback(
      [&invocation] { invocation.verb = [&invocation] { return RunDeliver(invocation); }; });
}

}  // namespace pcw::cli
