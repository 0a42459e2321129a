// Runbook 1.2: the quota, who spends it, and what AWS refuses.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "pcw/base/time.h"
#include "pcw/diagnose/catalogue.h"
#include "pcw/diagnose/rules.h"

namespace pcw::diagnose {
namespace {

using quota::QuotaStatus;
using quota::SpentCalls;

struct Totals {
  std::int64_t calls = 0, throttled = 0;
};

Totals Sum(const std::vector<SpentCalls>& spent) {
  Totals totals;
  for (const SpentCalls& row : spent) {
    totals.calls += row.calls;
    totals.throttled += row.throttled;
  }
  return totals;
}

std::map<std::string, std::int64_t> BySpender(const std::vector<SpentCalls>& spent,
                                              std::string_view quota_class) {
  std::map<std::string, std::int64_t> sums;
  for (const SpentCalls& row : spent) {
    if (row.quota_class == quota_class) sums[row.spender] += row.calls;
  }
  return sums;
}

std::pair<std::string, std::int64_t> TopSpender(const std::vector<SpentCalls>& spent,
                                                std::string_view quota_class) {
  std::pair<std::string, std::int64_t> top;
  for (const auto& [spender, calls] : BySpender(spent, quota_class)) {
    if (calls > top.second) top = {spender, calls};
  }
  return top;
}

std::string IncreaseRequest(const Facts& facts) {
  const std::string account =
      facts.identity ? facts.identity->account : facts.settings.expected_account;
  return fmt::format(
      "AWS Support, Service Quotas, AWS Partner Central: \"Account {}: please raise the Partner "
      "Central Selling API read quota from {} per second and {} per 24 hours; we synchronise our "
      "opportunities with List and Get calls and are throttled\"",
      account.empty() ? "ID" : account, facts.settings.limits.reads_per_second,
      facts.settings.limits.reads_per_day);
}

// What AWS publishes per account (docs/aws-facts.md 9).
constexpr int kPublishedReadsPerDay = 100'000;

// A limit of our own making is raised by us.
std::string MoreCalls(const Facts& facts) {
  if (facts.settings.limits.reads_per_day < kPublishedReadsPerDay) {
    return fmt::format(
        "quota.reads_per_day is {} here and AWS publishes {}: raise it   # pcw config "
        "show --origin",
        facts.settings.limits.reads_per_day, kPublishedReadsPerDay);
  }
  return IncreaseRequest(facts);
}

void JudgeDay(const Facts& facts, const QuotaStatus& status, std::vector<Finding>& findings) {
  const std::int64_t left = std::max<std::int64_t>(0, status.bulk_per_day - status.used_24h);
  const auto [spender, calls] = TopSpender(facts.ledger->last_day, status.quota_class);
  if (left > 0) {
    // Worth a word only while the day is at risk.
    if (calls > status.per_day / 2 && status.left_24h < status.per_day / 2 &&
        BySpender(facts.ledger->last_day, status.quota_class).size() > 1) {
      findings.push_back(
          {.def = &DefOf("PCW1203"),
           .resource = spender,
           .message = fmt::format("{} spent {} of the {} {} calls of the rolling 24 hours", spender,
                                  calls, status.per_day, status.quota_class),
           .evidence = {{"left", std::to_string(status.left_24h)}},
           .next_steps = {"pcw quota show", "pcw sync plan partner-central all"}});
    }
    return;
  }
  Finding finding{
      .def = &DefOf("PCW1201"),
      .resource = fmt::format("{} calls", status.quota_class),
      .message = fmt::format("{} of {} {} calls of the rolling 24 hours are spent, and {} are kept "
                             "for writes and diagnosis; all are free again at {}",
                             status.used_24h, status.per_day, status.quota_class,
                             status.per_day - status.bulk_per_day, status.full_again_at),
      .evidence = {},
      .next_steps = {"pcw quota show   # who spent it",
                     "pcw quota plan --calls N   # when N calls would be done",
                     "pcw sync run partner-central opportunities --resume --wait   # goes on when "
                     "it frees",
                     MoreCalls(facts)}};
  if (calls > 0) finding.evidence.emplace_back("spent most", fmt::format("{}: {}", spender, calls));
  findings.push_back(std::move(finding));
}

void JudgeThrottles(const Facts& facts, std::vector<Finding>& findings) {
  Totals hour = Sum(facts.ledger->last_hour);
  // A throttle of the diagnosis itself counts: the ledger may hold nothing yet.
  const ActionFacts* throttled_now = nullptr;
  for (const ActionFacts& action : facts.actions) {
    if (action.error && action.error->code() == ErrorCode::kThrottled &&
        !action.error->Is(Reason::kQuotaSpent))
      throttled_now = &action;
  }
  Totals quarter = Sum(facts.ledger->last_quarter_hour);
  if (throttled_now != nullptr) {
    // Not booked yet.
    for (Totals* totals : {&hour, &quarter}) {
      ++totals->calls;
      ++totals->throttled;
    }
  }
  // A throttle or two among hundreds is what backoff is for.
  if (hour.throttled == 0 || (quarter.throttled == 0 && hour.throttled * 100 < hour.calls)) return;
  const bool is_storm = quarter.throttled * 2 >= std::max<std::int64_t>(quarter.calls, 4);
  const int rate = facts.settings.limits.reads_per_second;
  const int less = std::max(1, rate / 2);
  Finding finding{
      .def = &DefOf(is_storm ? "PCW1208" : "PCW1202"),
      .resource = "partnercentral-selling",
      .message = fmt::format("AWS throttled {} of {} calls of the last hour, {} of {} of the last "
                             "15 minutes",
                             hour.throttled, hour.calls, quarter.throttled, quarter.calls),
      .evidence = {{"pcw keeps to", fmt::format("{} reads a second for all its processes", rate)},
                   {"so",
                    "another client of the same AWS account spends the rest, or the account "
                    "has less than that"}},
      .next_steps = {"find the other client: aws cloudtrail lookup-events --lookup-attributes "
                     "AttributeKey=EventSource,AttributeValue=partnercentral-selling.amazonaws.com",
                     fmt::format("until then: quota.reads_per_second: {}   (batch_size stays {}: "
                                 "smaller pages are more calls)",
                                 less, facts.settings.batch_size),
                     IncreaseRequest(facts)}};
  for (const SpentCalls& row : facts.ledger->last_hour) {
    if (row.throttled > 0)
      finding.evidence.emplace_back(
          row.operation,
          fmt::format("{} of {} throttled, {}", row.throttled, row.calls, row.spender));
  }
  findings.push_back(std::move(finding));
}

void JudgeBatchSize(const Facts& facts, std::vector<Finding>& findings) {
  std::int64_t calls = 0, failed = 0;
  for (const SpentCalls& row : facts.ledger->last_hour) {
    if (!row.operation.starts_with("List")) continue;
    calls += row.calls;
    failed += row.failed;
  }
  // Only where single records are read well: else it is not the size of the pages.
  std::int64_t read_well = 0;
  for (const SpentCalls& row : facts.ledger->last_hour) {
    if (row.operation.starts_with("Get"))
      read_well += row.calls - row.failed - row.refused - row.throttled;
  }
  const int size = facts.settings.batch_size;
  if (failed < 3 || failed * 2 < calls || read_well < 3 || size <= 10) return;
  findings.push_back(
      {.def = &DefOf("PCW1205"),
       .resource = "batch_size",
       .message = fmt::format("{} of {} list calls of the last hour failed at {} records a page, "
                              "while single records are read well",
                              failed, calls, size),
       .evidence = {},
       .next_steps = {fmt::format("connectors.partner_central.batch_size: {}", size / 2)}});
}

void JudgeInterval(const Facts& facts, std::vector<Finding>& findings) {
  const auto day = std::chrono::milliseconds(std::chrono::hours(24));
  const std::int64_t looks = day / facts.settings.incremental_every;
  const std::int64_t affordable = facts.settings.limits.bulk_reads_per_day() / 10;
  if (looks <= affordable) return;
  findings.push_back(
      {.def = &DefOf("PCW1207"),
       .resource = "incremental_every",
       .message = fmt::format("looking every {} takes {} calls a day of {}, before any record is "
                              "read",
                              FormatDuration(facts.settings.incremental_every), looks,
                              facts.settings.limits.reads_per_day),
       .evidence = {},
       .next_steps = {
           fmt::format("connectors.partner_central.incremental_every: {}s",
                       (86'400 + affordable - 1) / std::max<std::int64_t>(1, affordable))}});
}

}  // namespace

std::vector<Finding> JudgeRateLimits(const Facts& facts) {
  std::vector<Finding> findings;
  if (!facts.ledger) {
    if (!facts.database_error) {
      findings.push_back({.def = &DefOf("PCW1209"),
                          .resource = facts.database,
                          .message = "quota and throttles were not judged",
                          .evidence = {},
                          .next_steps = {}});
    }
    return findings;
  }
  for (const QuotaStatus& status : facts.ledger->quota) JudgeDay(facts, status, findings);
  JudgeThrottles(facts, findings);
  JudgeBatchSize(facts, findings);
  JudgeInterval(facts, findings);
  for (const QuotaStatus& status : facts.ledger->quota) {
    const Result<WallTime> until = ParseRfc3339(status.paused_until);
    if (!until || *until < facts.now + std::chrono::seconds(5)) continue;
    findings.push_back(
        {.def = &DefOf("PCW1204"),
         .resource = fmt::format("{} calls", status.quota_class),
         .message = fmt::format("every pcw process waits until {}", status.paused_until),
         .evidence = {},
         .next_steps = {"pcw quota show"}});
  }
  Finding left{.def = &DefOf("PCW1206"),
               .resource = facts.identity ? facts.identity->account : "account",
               .message = "",
               .evidence = {},
               .next_steps = {}};
  for (const QuotaStatus& status : facts.ledger->quota) {
    left.message +=
        fmt::format("{}{} of {} {} calls left, {} a second", left.message.empty() ? "" : "; ",
                    status.left_24h, status.per_day, status.quota_class, status.per_second);
  }
  constexpr std::size_t kShown = 10;
  for (const SpentCalls& row : facts.ledger->last_hour) {
    if (left.evidence.size() == kShown) break;
    left.evidence.emplace_back(row.operation, fmt::format("{} in the last hour, {} throttled, {}",
                                                          row.calls, row.throttled, row.spender));
  }
  if (!left.message.empty()) findings.push_back(std::move(left));
  return findings;
}

}  // namespace pcw::diagnose
