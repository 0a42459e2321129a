#include "pcw/api/metrics.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "pcw/api/handlers.h"
#include "pcw/dlq/dead_letter_counts.h"
#include "pcw/events/outbox.h"
#include "pcw/events/status.h"
#include "pcw/quota/call_ledger.h"
#include "pcw/runs/freshness.h"
#include "pcw/runs/run_totals.h"

namespace pcw::api {
namespace {

constexpr std::chrono::seconds kTextHolds{5};
constexpr std::string_view kSelling = "partnercentral-selling";

// A label's value: what Prometheus wants escaped.
std::string Label(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

std::string Family(std::string_view name, std::string_view type, std::string_view help) {
  return fmt::format("# HELP {0} {2}\n# TYPE {0} {1}\n", name, type, help);
}

Result<std::string> FreshnessText(Call& call, std::int64_t connector_id) {
  std::vector<runs::ExpectedEntity> expected;
  for (const SyncedEntity& entity : call.tenant->entities)
    expected.push_back({std::string(entity.def->name), entity.interval});
  PCW_TRY(const auto entities, runs::LoadFreshness(call.connection(), connector_id,
                                                   call.tenant->catalog, expected, call.stop));
  std::string text = Family("pcw_data_age_seconds", "gauge",
                            "Since the last complete scan of the entity began; absent before it");
  for (const auto& entity : entities) {
    if (entity.age)
      text += fmt::format("pcw_data_age_seconds{{entity=\"{}\"}} {}\n", Label(entity.entity),
                          entity.age->count());
  }
  text += Family("pcw_data_expected_interval_seconds", "gauge",
                 "How often the entity is meant to be synced");
  for (const auto& entity : entities) {
    text += fmt::format("pcw_data_expected_interval_seconds{{entity=\"{}\"}} {}\n",
                        Label(entity.entity), entity.interval.count() / 1000);
  }
  text += Family("pcw_data_fresh", "gauge",
                 "1 if the entity is neither stale, failing nor never synced");
  for (const auto& entity : entities) {
    text += fmt::format("pcw_data_fresh{{entity=\"{}\"}} {}\n", Label(entity.entity),
                        entity.freshness == runs::Freshness::kOk ? 1 : 0);
  }
  return text;
}

Result<std::string> RunsText(Call& call) {
  PCW_TRY(const auto open, runs::CountOpenRuns(call.connection(), call.stop));
  std::string text = Family("pcw_run_open", "gauge", "Runs that have not ended");
  for (const runs::OpenRuns& group : open) {
    text += fmt::format("pcw_run_open{{entity=\"{}\",status=\"{}\"}} {}\n", Label(group.entity),
                        Label(group.status), group.runs);
  }
  PCW_TRY(const auto ended, runs::SumEndedRuns(call.connection(), call.stop));
  struct Column {
    std::string_view name, help;
    std::string (*value)(const runs::EndedRuns& group);
  };
  static constexpr Column kColumns[] = {
      {"pcw_run_ended_24h", "Runs that ended in the last 24 hours",
       [](const runs::EndedRuns& group) { return std::to_string(group.runs); }},
      {"pcw_run_records_24h", "Records they processed",
       [](const runs::EndedRuns& group) { return std::to_string(group.records_processed); }},
      {"pcw_run_api_calls_24h", "Calls of AWS they made",
       [](const runs::EndedRuns& group) { return std::to_string(group.api_calls); }},
      {"pcw_run_throttles_24h", "Calls that AWS refused as too many",
       [](const runs::EndedRuns& group) { return std::to_string(group.throttles); }},
      {"pcw_run_mean_seconds_24h", "How long they took on average",
       [](const runs::EndedRuns& group) { return group.mean_seconds; }}};
  for (const Column& column : kColumns) {
    text += Family(column.name, "gauge", column.help);
    for (const runs::EndedRuns& group : ended) {
      text += fmt::format("{}{{entity=\"{}\",status=\"{}\"}} {}\n", column.name,
                          Label(group.entity), Label(group.status), column.value(group));
    }
  }
  return text;
}

Result<std::string> LettersText(Call& call) {
  PCW_TRY(const auto open, dlq::CountOpenByCause(call.connection(), call.stop));
  std::string text =
      Family("pcw_dead_letters", "gauge", "Open dead letters by stage and kind of error");
  for (const dlq::OpenDeadLetters& group : open) {
    text += fmt::format("pcw_dead_letters{{entity=\"{}\",group=\"{}\"}} {}\n", Label(group.entity),
                        Label(group.stage + "/" + group.error_code), group.letters);
  }
  return text;
}

// Calls by service are shown under the connector that makes them; an unknown service by its name.
std::string_view ConnectorOf(std::string_view service) {
  if (service.starts_with("partnercentral")) return "partner_central";
  if (service.find("marketplace") != std::string_view::npos) return "marketplace";
  return service;
}

// Both windows of both classes: what is used, what there is, what is left.
std::string QuotaText(const std::vector<quota::QuotaStatus>& statuses) {
  struct Window {
    std::string_view name;
    std::int64_t quota::QuotaStatus::*used;
    int quota::QuotaStatus::*limit;
  };
  static constexpr Window kWindows[] = {
      {"1s", &quota::QuotaStatus::used_last_second, &quota::QuotaStatus::per_second},
      {"24h", &quota::QuotaStatus::used_24h, &quota::QuotaStatus::per_day}};
  std::string used = Family("pcw_quota_used", "gauge", "Calls of AWS granted within the window");
  std::string limit = Family("pcw_quota_limit", "gauge",
                             "Calls of AWS that the window allows; 0 where the limit is lifted");
  std::string left =
      Family("pcw_quota_remaining", "gauge", "Calls of AWS that are left of the rolling window");
  for (const quota::QuotaStatus& status : statuses) {
    for (const Window& window : kWindows) {
      const std::string labels =
          fmt::format("{{class=\"{}\",window=\"{}\"}}", Label(status.quota_class), window.name);
      const std::int64_t is_used = status.*window.used, most = status.*window.limit;
      used += fmt::format("pcw_quota_used{} {}\n", labels, is_used);
      limit += fmt::format("pcw_quota_limit{} {}\n", labels, most);
      left += fmt::format("pcw_quota_remaining{} {}\n", labels,
                          std::max<std::int64_t>(0, most - is_used));
    }
  }
  return used + limit + left;
}

// Counters over the life of the database: the ledger adds to them as calls end.
std::string CallTotalsText(const std::vector<quota::CallTotals>& totals) {
  std::string text = Family("pcw_api_calls_total", "counter", "Calls of AWS, by how they ended");
  std::map<std::string_view, std::int64_t> throttled;
  for (const quota::CallTotals& one : totals) {
    const std::string_view connector = ConnectorOf(one.service);
    throttled[connector] += one.throttled;
    const std::pair<std::string_view, std::int64_t> outcomes[] = {{"ok", one.ok},
                                                                  {"throttled", one.throttled},
                                                                  {"refused", one.refused},
                                                                  {"failed", one.failed}};
    for (const auto& [outcome, count] : outcomes) {
      text += fmt::format(
          "pcw_api_calls_total{{connector=\"{}\",operation=\"{}\",outcome=\"{}\"}} {}\n",
          Label(connector), Label(one.operation), outcome, count);
    }
  }
  text += Family("pcw_throttled_requests_total", "counter",
                 "Calls of AWS that were refused as too many");
  for (const auto& [connector, count] : throttled) {
    text += fmt::format("pcw_throttled_requests_total{{connector=\"{}\"}} {}\n", Label(connector),
                        count);
  }
  return text;
}

Result<std::string> EventsText(Call& call) {
  PCW_TRY(const events::InboxStatus in, events::LoadInboxStatus(call.connection(), call.stop));
  if (in.queue_url.empty()) return std::string();  // no queue was ever listened to
  std::string text =
      Family("pcw_events_24h", "gauge", "Events of the last 24 hours, by what they meant");
  for (const auto& [outcome, count] :
       {std::pair{"fetch", in.day_fetch}, std::pair{"nothing", in.day_nothing},
        std::pair{"other_catalog", in.day_other_catalog}, std::pair{"unknown", in.day_unknown},
        std::pair{"duplicate", in.day_duplicates}})
    text += fmt::format("pcw_events_24h{{outcome=\"{}\"}} {}\n", outcome, count);
  const auto gauge = [&text](std::string_view name, std::string_view help, const auto& value) {
    text += Family(name, "gauge", help) + fmt::format("{} {}\n", name, value);
  };
  gauge("pcw_events_malformed", "Open dead letters of messages that are not events", in.malformed);
  gauge("pcw_events_pending_records", "Records that events named and that wait to be fetched",
        in.waiting.records);
  gauge("pcw_events_listening_age_seconds", "Since the queue was last asked for events",
        in.since_poll_seconds);
  gauge("pcw_events_told_changes_24h", "Changes of the last 24 hours that an event told of",
        in.last_day.told);
  gauge("pcw_events_missed_changes_24h", "Changes of the last 24 hours that no event told of",
        in.last_day.missed);
  gauge("pcw_events_missed_ratio", "The share of the latter in both",
        fmt::format("{:.6f}", in.last_day.missed_share()));
  return text;
}

Result<std::string> OutboxText(Call& call) {
  PCW_TRY(const events::OutboxStatus out, events::LoadOutboxStatus(call.connection(), call.stop));
  if (out.pending + out.failed + out.day_delivered == 0) return std::string();
  return Family("pcw_events_out", "gauge", "Changes to be delivered, and those given up") +
         fmt::format(
             "pcw_events_out{{state=\"pending\"}} {}\npcw_events_out{{state=\"failed\"}} {}\n",
             out.pending, out.failed) +
         Family("pcw_events_out_delivered_24h", "gauge", "Changes delivered in the last 24 hours") +
         fmt::format("pcw_events_out_delivered_24h {}\n", out.day_delivered) +
         Family("pcw_events_out_oldest_seconds", "gauge", "How long the oldest of them waits") +
         fmt::format("pcw_events_out_oldest_seconds {}\n", out.oldest_seconds);
}

Result<std::string> CallsText(Call& call, const std::string& account) {
  PCW_TRY(const auto statuses,
          quota::ShowQuota(call.connection(),
                           {.aws_account_id = account, .limits = call.tenant->limits}, call.stop));
  PCW_TRY(const auto totals, quota::LoadCallTotals(call.connection(), account, call.stop));
  std::string text = QuotaText(statuses) + CallTotalsText(totals);
  PCW_TRY(const auto spent, quota::LoadSpentCalls(call.connection(), account, kSelling,
                                                  std::chrono::hours(24), call.stop));
  std::map<std::pair<std::string, std::string>, std::int64_t> calls;
  for (const quota::SpentCalls& one : spent) {
    calls[{one.operation, "throttled"}] += one.throttled;
    calls[{one.operation, "refused"}] += one.refused;
    calls[{one.operation, "failed"}] += one.failed;
    calls[{one.operation, "ok"}] += one.calls - one.throttled - one.refused - one.failed;
  }
  text +=
      Family("pcw_api_calls_24h", "gauge", "Calls of AWS in the last 24 hours, by how they ended");
  for (const auto& [key, count] : calls) {
    text += fmt::format(
        "pcw_api_calls_24h{{connector=\"partner_central\",operation=\"{}\","
        "outcome=\"{}\"}} {}\n",
        Label(key.first), key.second, count);
  }
  return text;
}

}  // namespace

void Metrics::Count(std::string_view method, std::string_view route, int status) {
  const std::lock_guard lock(mutex_);
  ++answers_[{method, route, status}];  // views of the table of routes, which lives for ever
}

std::string Metrics::OwnText() {
  std::string text = Family("pcw_http_answers_total", "counter", "Answers of this process");
  const std::lock_guard lock(mutex_);
  for (const auto& [key, count] : answers_) {
    text += fmt::format("pcw_http_answers_total{{method=\"{}\",route=\"{}\",status=\"{}\"}} {}\n",
                        std::get<0>(key), std::get<1>(key), std::get<2>(key), count);
  }
  return text;
}

Result<std::string> Metrics::Scrape(Call& call) {
  const std::string& tenant_id = call.principal.tenant_id;
  {
    const std::lock_guard lock(mutex_);
    const auto held = held_.find(tenant_id);
    if (held != held_.end() && deps_.clock.Steady() - held->second.at < kTextHolds)
      return held->second.text;
  }
  std::string text;
  if (call.tenant != nullptr) {
    const Result<FoundConnector> connector = FindTenantConnector(call, "partner-central");
    if (connector) {
      PCW_TRY(std::string part, FreshnessText(call, connector->id));
      text += part;
    } else if (connector.error().code() != ErrorCode::kNotFound) {
      return connector.error();
    }
    // Without AWS the account is unknown, and its quota with it; the rest is worth having.
    if (const Result<Kept<std::string>> account = call.tenant->account_id()) {
      PCW_TRY(std::string part, CallsText(call, account->value));
      text += part;
    }
  }
  PCW_TRY(const std::string runs, RunsText(call));
  PCW_TRY(const std::string letters, LettersText(call));
  PCW_TRY(const std::string events, EventsText(call));
  PCW_TRY(const std::string outbox, OutboxText(call));
  text += runs + letters + events + outbox;
  // What this process answered is of all tenants, so only the operator of the machine sees it.
  if (tenant_id == deps_.default_tenant) text += OwnText();
  const std::lock_guard lock(mutex_);
  held_[tenant_id] = {text, deps_.clock.Steady()};
  return text;
}

}  // namespace pcw::api
