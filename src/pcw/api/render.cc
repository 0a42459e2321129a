#include "pcw/api/render.h"

#include <nlohmann/json.hpp>

#include "pcw/connector/entity_def.h"

namespace pcw::api {
namespace {

OrderedJson TextOrNull(const std::string& text) {
  return text.empty() ? OrderedJson(nullptr) : OrderedJson(text);
}

// URLs spell a connector with a hyphen (docs/rest-api.md).
std::string UrlNameOf(const std::string& kind) {
  const connector::ConnectorDef* def = connector::FindConnector(kind);
  return def == nullptr ? kind : std::string(def->url_name);
}

// Stored by ourselves; if it were damaged the rest is still worth showing.
OrderedJson StoredJson(const std::string& text) {
  OrderedJson parsed = OrderedJson::parse(text, nullptr, /*allow_exceptions=*/false);
  return parsed.is_discarded() ? OrderedJson(nullptr) : parsed;
}

}  // namespace

// Member by member: a list of pairs would be copied twice, and a page of runs is mostly this.
OrderedJson RunJson(const runs::StoredRun& run) {
  OrderedJson json = OrderedJson::object();
  json["id"] = run.id;
  json["connector"] = UrlNameOf(run.connector);
  json["entity"] = run.entity;
  json["mode"] = run.mode;
  json["status"] = run.status;
  json["catalog"] = run.catalog;
  json["started_at"] = run.started_at;
  json["ended_at"] = TextOrNull(run.ended_at);
  json["requested_by"] = run.requested_by;
  json["trigger"] = run.trigger;
  json["resumed_from"] = TextOrNull(run.resumed_from);
  json["error_code"] = TextOrNull(run.error_code);
  json["error"] = TextOrNull(run.error);
  json["bronze"] = TextOrNull(run.bronze_prefix);
  json["stats"] = StoredJson(run.stats_json);
  return json;
}

OrderedJson FreshnessJson(const runs::EntityFreshness& entity) {
  OrderedJson json{{"entity", entity.entity},
                   {"status", NameOf(entity.freshness)},
                   {"data_age_seconds", nullptr},
                   {"expected_interval_seconds", entity.interval.count() / 1000},
                   {"watermark", TextOrNull(entity.watermark)},
                   {"last_complete_run", TextOrNull(entity.complete_run)},
                   {"last_complete_at", TextOrNull(entity.complete_at)},
                   {"last_run", TextOrNull(entity.ended_run)},
                   {"last_run_status", TextOrNull(entity.ended_status)},
                   {"last_run_error_code", TextOrNull(entity.ended_error_code)},
                   {"last_run_ended_at", TextOrNull(entity.ended_at)},
                   {"open_run", TextOrNull(entity.open_run)},
                   {"open_run_status", TextOrNull(entity.open_status)},
                   {"future_run", TextOrNull(entity.future_run)}};
  if (entity.age) json["data_age_seconds"] = entity.age->count();
  return json;
}

OrderedJson DriftJson(const tables::StoredFinding& finding) {
  return {{"id", finding.id},
          {"status", finding.status},
          {"entity", finding.entity},
          {"kind", finding.kind},
          {"operation", TextOrNull(finding.operation)},
          {"pointer", TextOrNull(finding.pointer)},
          {"column", TextOrNull(finding.column)},
          {"found", finding.found},
          {"expected", TextOrNull(finding.expected)},
          {"records", finding.records},
          {"baseline_rate", TextOrNull(finding.baseline_rate)},
          {"observed_rate", TextOrNull(finding.observed_rate)},
          {"sample_record", TextOrNull(finding.sample_record)},
          {"first_seen_at", finding.first_seen_at},
          {"last_seen_at", finding.last_seen_at},
          {"last_seen_run", TextOrNull(finding.last_seen_run)},
          {"note", TextOrNull(finding.note)},
          {"accepted_at", TextOrNull(finding.accepted_at)}};
}

OrderedJson DeadLetterJson(const dlq::DeadLetter& letter) {
  return {{"id", letter.id},
          {"state", letter.state},
          {"connector", UrlNameOf(letter.connector)},
          {"entity", letter.entity},
          {"catalog", letter.catalog},
          {"record_key", letter.record_key},
          {"stage", NameOf(letter.stage)},
          {"error_code", letter.error_code},
          {"error", letter.error},
          {"error_context", StoredJson(letter.error_context_json)},
          {"attempts", letter.attempts},
          {"run_id", letter.run_id},
          {"bronze_key", TextOrNull(letter.bronze_key)},
          {"bronze_line",
           letter.bronze_line > 0 ? OrderedJson(letter.bronze_line) : OrderedJson(nullptr)},
          {"first_seen_at", letter.first_seen_at},
          {"last_seen_at", letter.last_seen_at}};
}

OrderedJson QuotaJson(const quota::QuotaStatus& status) {
  return {{"aws_account_id", status.aws_account_id},
          {"service", status.service},
          {"quota_class", status.quota_class},
          {"per_second", status.per_second},
          {"per_day", status.per_day},
          {"used_last_second", status.used_last_second},
          {"used_last_minute", status.used_last_minute},
          {"used_last_hour", status.used_last_hour},
          {"used_24h", status.used_24h},
          {"left_24h", status.left_24h},
          {"kept_24h", status.per_day - status.bulk_per_day},
          {"paused_until", TextOrNull(status.paused_until)},
          {"full_again_at", TextOrNull(status.full_again_at)}};
}

net::server::Response JsonResponse(int status, const OrderedJson& json) {
  return {status, {{"Content-Type", "application/json"}}, DumpJson(json) + "\n"};
}

net::server::Response ListResponse(OrderedJson items, const std::string& next_cursor) {
  OrderedJson page = OrderedJson::object();
  page["items"] = std::move(items);
  page["next_cursor"] = TextOrNull(next_cursor);
  return JsonResponse(200, page);
}

}  // namespace pcw::api
