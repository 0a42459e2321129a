// pcw quota show|plan
#include <cstdio>
#include <map>
#include <memory>

#include <fmt/format.h>

#include "pcw/cli/cli.h"
#include "pcw/wiring/progress_display.h"
#include "pcw/wiring/quota_plan.h"
#include "pcw/wiring/wiring.h"

namespace pcw::cli {
namespace {

// The account and its ledger; nothing of it spends quota.
struct QuotaDeps {
  config::LoadedConfig loaded;
  std::unique_ptr<wiring::DatabaseAccess> database;
  std::unique_ptr<wiring::AwsIdentity> identity;
  std::string account_id;
};

Result<QuotaDeps> OpenQuotaDeps(const wiring::Invocation& invocation, wiring::Machine& machine) {
  QuotaDeps deps;
  PCW_TRY(deps.loaded, invocation.Load());
  PCW_TRY(deps.database,
          wiring::DatabaseAccess::Open(
              deps.loaded.config, config::HomeDirectory(invocation.environment), invocation.stop));
  PCW_TRY(deps.identity, wiring::OpenIdentity(deps.loaded.config, invocation.environment, machine));
  PCW_TRY(deps.account_id,
          wiring::ConfirmAccount(deps.loaded.config, *deps.identity, machine, invocation.stop));
  return deps;
}

// Who spent the rolling day, most calls first.
Result<std::vector<OrderedJson>> Spenders(pg::Connection& connection, const std::string& account_id,
                                          std::stop_token stop) {
  constexpr std::string_view kService = "partnercentral-selling";
  PCW_TRY(const auto day,
          quota::LoadSpentCalls(connection, account_id, kService, std::chrono::hours(24), stop));
  PCW_TRY(const auto hour,
          quota::LoadSpentCalls(connection, account_id, kService, std::chrono::hours(1), stop));
  std::map<std::pair<std::string, std::string>, std::int64_t> last_hour;
  for (const quota::SpentCalls& spent : hour)
    last_hour[{spent.spender, spent.operation}] = spent.calls;
  std::vector<OrderedJson> rows;
  for (const quota::SpentCalls& spent : day) {
    rows.push_back({{"quota_class", spent.quota_class},
                    {"spender", spent.spender},
                    {"operation", spent.operation},
                    {"calls_last_hour", last_hour[{spent.spender, spent.operation}]},
                    {"calls_24h", spent.calls},
                    {"throttled_24h", spent.throttled}});
  }
  return rows;
}

Result<int> ShowQuota(const wiring::Invocation& invocation) {
  wiring::Machine machine;
  PCW_TRY(const QuotaDeps deps, OpenQuotaDeps(invocation, machine));
  PCW_TRY(pg::Connection connection, deps.database->OpenService(invocation.stop));
  PCW_TRY(const auto statuses, quota::ShowQuota(connection,
                                                {.aws_account_id = deps.account_id,
                                                 .limits = wiring::LimitsOf(deps.loaded.config)},
                                                invocation.stop));
  PCW_TRY(const auto spenders, Spenders(connection, deps.account_id, invocation.stop));
  std::vector<OrderedJson> rows;
  for (const quota::QuotaStatus& status : statuses) {
    OrderedJson row;
    row["aws_account_id"] = status.aws_account_id;
    row["service"] = status.service;
    row["quota_class"] = status.quota_class;
    row["per_second"] = status.per_second;
    row["per_day"] = status.per_day;
    row["used_last_second"] = status.used_last_second;
    row["used_last_minute"] = status.used_last_minute;
    row["used_last_hour"] = status.used_last_hour;
    row["used_24h"] = status.used_24h;
    row["left_24h"] = status.left_24h;
    row["kept_24h"] = status.per_day - status.bulk_per_day;
    row["paused_until"] =
        status.paused_until.empty() ? OrderedJson(nullptr) : OrderedJson(status.paused_until);
    row["full_again_at"] =
        status.full_again_at.empty() ? OrderedJson(nullptr) : OrderedJson(status.full_again_at);
    row["spent_by"] = OrderedJson::array();
    for (const OrderedJson& spender : spenders) {
      if (spender["quota_class"] == status.quota_class) row["spent_by"].push_back(spender);
    }
    rows.push_back(std::move(row));
  }
  PrintRows(invocation.output,
            {{"aws_account_id", "ACCOUNT"},
             {"quota_class", "CLASS"},
             {"per_second", "PER SECOND", true},
             {"per_day", "PER 24 H", true},
             {"used_last_hour", "LAST HOUR", true},
             {"used_24h", "USED 24 H", true},
             {"left_24h", "LEFT", true},
             {"kept_24h", "KEPT FROM SYNCS", true},
             {"paused_until", "PAUSED UNTIL"},
             {"full_again_at", "ALL FREE AGAIN"}},
            rows, "nothing used yet");
  if (invocation.output != wiring::OutputFormat::kTable) return kExitOk;
  std::printf("\n");
  PrintRows(invocation.output,
            {{"spender", "SPENT BY"},
             {"operation", "OPERATION"},
             {"calls_last_hour", "LAST HOUR", true},
             {"calls_24h", "24 H", true},
             {"throttled_24h", "THROTTLED", true}},
            spenders, "nobody spent anything in the last 24 hours");
  return kExitOk;
}

struct QuotaArgs {
  std::int64_t calls = 0;
  std::string quota_class = "read";
};

Result<int> PlanQuota(const wiring::Invocation& invocation, const QuotaArgs& args) {
  wiring::Machine machine;
  PCW_TRY(const QuotaDeps deps, OpenQuotaDeps(invocation, machine));
  PCW_TRY(pg::Connection connection, deps.database->OpenService(invocation.stop));
  PCW_TRY(const quota::Plan plan,
          wiring::PlanFor(connection, deps.loaded.config, deps.account_id, args.quota_class,
                          quota::Purpose::kBulk, args.calls, 0, machine, invocation.stop));
  const WallTime now = machine.clock.Now();
  OrderedJson json{{"quota_class", args.quota_class}};
  json.update(wiring::DescribePlan(plan, now));
  json["delays"] = args.quota_class == "write"
                       ? std::vector<std::string>()
                       : wiring::DelaysOf(deps.loaded.config, plan, now, wiring::EntityHeld::kNo);
  if (invocation.output != wiring::OutputFormat::kTable) {
    PrintObject(invocation.output, json);
    return kExitOk;
  }
  std::printf("%s %s calls: %s left of the rolling 24 hours, done at %s, in %s\n",
              wiring::FormatCount(args.calls).c_str(), args.quota_class.c_str(),
              wiring::FormatCount(plan.left_now).c_str(),
              json["finish_at"].get<std::string>().c_str(),
              json["takes"].get<std::string>().c_str());
  for (const OrderedJson& pause : json["pauses"]) {
    std::printf("  pauses %s to %s: daily quota exhausted\n",
                pause["from"].get<std::string>().c_str(),
                pause["until"].get<std::string>().c_str());
  }
  if (const auto more = json["more_pauses"].get<std::int64_t>(); more > 0)
    std::printf("  ... and %s more pauses\n", wiring::FormatCount(more).c_str());
  for (const OrderedJson& delay : json["delays"])
    std::printf("  delays %s\n", delay.get<std::string>().c_str());
  return kExitOk;
}

}  // namespace

void AddQuota(CLI::App& root, wiring::Invocation& invocation) {
  CLI::App* noun = root.add_subcommand("quota", "What is left of AWS's account-wide limits")
                       ->require_subcommand(1);
  CLI::App* show = AddVerb(*noun, "show",
                           "Both windows of both classes and who spent them, from pcw's own ledger",
                           "  pcw quota show\n  pcw quota show -o json | jq '.[] | "
                           "select(.quota_class == \"read\").left_24h'");
  AddOutputOption(*show, invocation);
  show->callback(
      [&invocation] { invocation.verb = [&invocation] { return ShowQuota(invocation); }; });

  CLI::App* plan =
      AddVerb(*noun, "plan", "When a number of calls would be done, and what would wait",
              "  pcw quota plan --calls 101000\n  pcw quota plan --calls 500 --class write");
  auto args = std::make_shared<QuotaArgs>();
  plan->add_option("--calls", args->calls, "how many")
      ->required()
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{100'000'000}));
  plan->add_option("--class", args->quota_class, "read or write")
      ->check(CLI::IsMember({"read", "write"}))
      ->capture_default_str();
  AddOutputOption(*plan, invocation);
  plan->callback([&invocation, args] {
    invocation.verb = [&invocation, args] { return PlanQuota(invocation, *args); };
  });
}

}  // namespace pcw::cli
