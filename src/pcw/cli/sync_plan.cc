// pcw sync plan
#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "pcw/cli/cli.h"
#include "pcw/config/mapping_choice.h"
#include "pcw/connector/entity_def.h"
#include "pcw/sync/estimate.h"
#include "pcw/wiring/progress_display.h"
#include "pcw/wiring/quota_plan.h"
#include "pcw/wiring/sync_command.h"

namespace pcw::cli {
namespace {

struct PlanArgs {
  std::string connector;
  std::string entity;
  std::string mode = "full";
  std::int64_t records = -1;
  bool is_counted = false;
};

Result<OrderedJson> PlanEntity(wiring::SyncCommandDeps& deps, pg::Connection& connection,
                               const config::Config& config, const connector::EntityDef& entity,
                               const PlanArgs& args, wiring::Machine& machine,
                               std::stop_token stop) {
  PCW_TRY(const connector::Mapping mapping, config::MappingFor(config, entity.name));
  PCW_TRY(const connector::RunMode mode, connector::ParseRunMode(args.mode));
  sync::EstimateRequest request{.catalog = config.partner_central.catalog,
                                .mode = mode,
                                .page_size = config.partner_central.batch_size,
                                .records = std::nullopt};
  if (args.records >= 0) request.records = args.records;
  if (args.is_counted) {
    PCW_TRY(request.records, sync::CountListed(deps.aws->CallerOf(entity), entity, request.catalog,
                                               request.page_size, stop));
  }
  PCW_TRY(const sync::CallEstimate estimate,
          sync::EstimateCalls(connection, entity, mapping, request, stop));
  PCW_TRY(const quota::Plan plan,
          wiring::PlanFor(connection, config, deps.aws->account_id, "read", quota::Purpose::kBulk,
                          estimate.calls(), estimate.list_calls, machine, stop));
  const WallTime now = machine.clock.Now();
  OrderedJson json{{"connector", entity.connector->url_name},
                   {"entity", entity.name},
                   {"mode", args.mode},
                   {"records", estimate.records},
                   {"records_from", args.is_counted ? "counted now" : estimate.basis},
                   {"held", estimate.held},
                   {"list_calls", estimate.list_calls},
                   {"detail_calls", estimate.detail_calls},
                   {"per_second", config.quota.reads_per_second}};
  json.update(wiring::DescribePlan(plan, now));
  json["relist_calls"] = plan.calls - estimate.calls();
  json["delays"] = wiring::DelaysOf(
      config, plan, now,
      mode == connector::RunMode::kFull ? wiring::EntityHeld::kYes : wiring::EntityHeld::kNo);
  return json;
}

void PrintPlan(const OrderedJson& plan) {
  const auto count = [&](const char* key) {
    return wiring::FormatCount(plan[key].get<std::int64_t>());
  };
  const auto text = [&](const char* key) { return plan[key].get<std::string>(); };
  std::string out = fmt::format(
      "{} {}: {} records ({}), {} held\n"
      "  calls       {} = {} list + {} detail + {} to list again after pauses\n"
      "  quota       {} a second, {} left of the rolling 24 hours for syncs\n"
      "  done at     {}, in {}\n",
      text("entity"), text("mode"), count("records"), text("records_from"), count("held"),
      count("calls"), count("list_calls"), count("detail_calls"), count("relist_calls"),
      count("per_second"), count("left_24h"), text("finish_at"), text("takes"));
  for (const OrderedJson& pause : plan["pauses"]) {
    out += fmt::format("  pauses      {} to {}: daily quota exhausted (exit 5; --wait goes on)\n",
                       pause["from"].get<std::string>(), pause["until"].get<std::string>());
  }
  if (const auto more = plan["more_pauses"].get<std::int64_t>(); more > 0)
    out += fmt::format("  ...         and {} more pauses\n", wiring::FormatCount(more));
  for (const OrderedJson& delay : plan["delays"])
    out += fmt::format("  delays      {}\n", delay.get<std::string>());
  std::fputs(out.c_str(), stdout);
}

Result<int> PlanSync(const wiring::Invocation& invocation, const PlanArgs& args) {
  PCW_TRY(const config::LoadedConfig loaded, invocation.Load());
  PCW_TRY(const connector::ConnectorDef* connector, wiring::ConnectorNamed(args.connector));
  PCW_TRY(const auto entities, wiring::EntitiesNamed(*connector, args.entity, loaded.config));
  wiring::Machine machine;
  PCW_TRY(wiring::SyncCommandDeps deps,
          wiring::OpenSyncDeps(loaded.config, invocation.environment, "sync plan", machine,
                               invocation.stop));
  PCW_TRY(pg::Connection connection, deps.database->OpenService(invocation.stop));
  std::vector<OrderedJson> plans;
  for (const connector::EntityDef* entity : entities) {
    PCW_TRY(plans.emplace_back(),
            PlanEntity(deps, connection, loaded.config, *entity, args, machine, invocation.stop));
  }
  if (invocation.output != wiring::OutputFormat::kTable) {
    PrintRows(invocation.output, {}, plans, "");
    return kExitOk;
  }
  for (const OrderedJson& plan : plans) PrintPlan(plan);
  return kExitOk;
}

}  // namespace

void AddSyncPlan(CLI::App& sync, wiring::Invocation& invocation) {
  CLI::App* plan = AddVerb(
      sync, "plan",
      "How many calls a sync takes, when it would be done, and what would wait for it",
      "  pcw sync plan partner-central opportunities\n"
      "  pcw sync plan partner-central opportunities --records 100000   # before the first sync\n"
      "  pcw sync plan partner-central all --mode incremental -o json");
  auto args = std::make_shared<PlanArgs>();
  AddConnectorPositional(*plan, args->connector);
  AddEntitiesPositional(*plan, args->entity);
  plan->add_option("--mode", args->mode, "full or incremental")
      ->check(CLI::IsMember({"full", "incremental"}))
      ->capture_default_str();
  auto* records = plan->add_option("--records", args->records, "how many records AWS has")
                      ->check(CLI::Range(std::int64_t{0}, std::int64_t{100'000'000}));
  plan->add_flag("--count", args->is_counted, "list them now to count them: one call per page")
      ->excludes(records);
  AddOutputOption(*plan, invocation);
  plan->callback([&invocation, args] {
    invocation.verb = [&invocation, args] { return PlanSync(invocation, *args); };
  });
}

}  // namespace pcw::cli
