#include "pcw/api/render.h"

#include <nlohmann/json.hpp>

namespace pcw::api {

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
