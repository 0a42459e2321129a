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
struct QuotaSite {
  config::LoadedConfig loaded;
  std::unique_ptr<wiring::DatabaseAccess> database;
  std::unique_ptr<wiring::AwsIdentity> identity;
  std::string account_id;
};

Result<QuotaSite> OpenQuotaSite(const wiring::Invocation& invocation, wiring::Machine& machine) {
  QuotaSite site;
  PCW_TRY(site.loaded, invocation.Load());
  PCW_TRY(site.database,
          wiring::DatabaseAccess::Open(
              site.loaded.config, config::HomeDirectory(invocation.environment), invocation.stop));
  PCW_TRY(site.identity, wiring::OpenIdentity(site.loaded.config, invocation.environment, machine));
  PCW_TRY(site.account_id,
          wiring::ConfirmAccount(site.loaded.config, *site.identity, machine, invocation.stop));
  return site;
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
  PCW_TRY(const QuotaSite site, OpenQuotaSite(invocation, machine));
  PCW_TRY(pg::Connection connection, site.database->OpenService(invocation.stop));
  PCW_TRY(const auto statuses, quota::ShowQuota(connection,
                                                {.aws_account_id = site.account_id,
                                                 .limits = wiring::LimitsOf(site.loaded.config)},
                                                invocation.stop));
  PCW_TRY(const auto spenders, Spenders(connection, site.account_id, invocation.stop));
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

struct QuotaWish {
  std::int64_t calls = 0;
  std::string quota_class = "read";
};

Result<int> PlanQuota(const wiring::Invocation& invocation, const QuotaWish& wish) {
  wiring::Machine machine;
  PCW_TRY(const QuotaSite site, OpenQuotaSite(invocation, machine));
  PCW_TRY(pg::Connection connection, site.database->OpenService(invocation.stop));
  PCW_TRY(const quota::Plan plan,
          wiring::PlanFor(connection, site.loaded.config, site.account_id, wish.quota_class,
                          quota::Purpose::kBulk, wish.calls, 0, machine, invocation.stop));
  const WallTime now = machine.clock.Now();
  OrderedJson json{{"quota_class", wish.quota_class}};
  json.update(wiring::DescribePlan(plan, now));
  json["delays"] = wish.quota_class == "write"
                       ? std::vector<std::string>()
                       : wiring::DelaysOf(site.loaded.config, plan, now, wiring::EntityHeld::kNo);
  if (invocation.output != wiring::OutputFormat::kTable) {
    PrintObject(invocation.output, json);
    return kExitOk;
  }
  std::printf("%s %s calls: %s left of the rolling 24 hours, done at %s, in %s\n",
              wiring::FormatCount(wish.calls).c_str(), wish.quota_class.c_str(),
              wiring::FormatCount(plan.left_now).c_str(),
              json["finish_at"].get<std::string>().c_str(),
              json["takes"].get<std::string>().c_str());
  for (const OrderedJson& pause : json["pauses"]) {
    std::printf("  pauses %s to %s: the day's calls are spent\n",
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
  auto wish = std::make_shared<QuotaWish>();
  plan->add_option("--calls", wish->calls, "how many")
      ->required()
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{100'000'000}));
  plan->add_option("--class", wish->quota_class, "read or write")
      ->check(CLI::IsMember({"read", "write"}))
      ->capture_default_str();
  AddOutputOption(*plan, invocation);
  plan->callback([&invocation, wish] {
    invocation.verb = [&invocation, wish] { return PlanQuota(invocation, *wish); };
  });
}

}  // namespace pcw::cli
