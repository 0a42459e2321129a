// pcw quota show
#include <fmt/format.h>

#include "pcw/app/cli.h"
#include "pcw/app/wiring.h"

namespace pcw::app {
namespace {

Result<int> ShowQuota(const Invocation& invocation) {
  PCW_TRY(const LoadedConfig loaded, invocation.Load());
  Machine machine;
  PCW_TRY(
      const auto database,
      DatabaseAccess::Open(loaded.config, HomeDirectory(invocation.environment), invocation.stop));
  PCW_TRY(const auto aws,
          OpenAws(loaded.config, invocation.environment, *database, machine, invocation.stop));
  PCW_TRY(pg::Connection connection, database->OpenService(kDefaultTenant, invocation.stop));
  PCW_TRY(const auto statuses,
          quota::ShowQuota(connection,
                           {.aws_account_id = aws->account_id, .limits = LimitsOf(loaded.config)},
                           invocation.stop));
  std::vector<OrderedJson> rows;
  for (const quota::QuotaStatus& status : statuses) {
    OrderedJson row;
    row["aws_account_id"] = status.aws_account_id;
    row["service"] = status.service;
    row["quota_class"] = status.quota_class;
    row["per_second"] = status.per_second;
    row["per_day"] = status.per_day;
    row["used_last_minute"] = status.used_last_minute;
    row["used_last_hour"] = status.used_last_hour;
    row["used_24h"] = status.used_24h;
    row["left_24h"] = status.left_24h;
    row["paused_until"] =
        status.paused_until.empty() ? OrderedJson(nullptr) : OrderedJson(status.paused_until);
    row["full_again_at"] =
        status.full_again_at.empty() ? OrderedJson(nullptr) : OrderedJson(status.full_again_at);
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
             {"paused_until", "PAUSED UNTIL"},
             {"full_again_at", "ALL FREE AGAIN"}},
            rows, "nothing used yet");
  return kExitOk;
}

}  // namespace

void AddQuota(CLI::App& root, Invocation& invocation) {
  CLI::App* noun = root.add_subcommand("quota", "What is left of AWS's account-wide limits")
                       ->require_subcommand(1);
  CLI::App* show = AddVerb(*noun, "show", "Both windows of both classes, from pcw's own ledger",
                           "  pcw quota show\n  pcw quota show -o json | jq '.[] | "
                           "select(.quota_class == \"read\").left_24h'");
  AddOutputOption(*show, invocation);
  show->callback(
      [&invocation] { invocation.verb = [&invocation] { return ShowQuota(invocation); }; });
}

}  // namespace pcw::app
