// Quota, drift, diagnosis, health, readiness, metrics, OpenAPI.
#include <nlohmann/json.hpp>

#include "pcw/api/api.h"
#include "pcw/api/handlers.h"
#include "pcw/api/metrics.h"
#include "pcw/api/openapi.h"
#include "pcw/api/problem.h"
#include "pcw/api/render.h"
#include "pcw/api/views.h"
#include "pcw/connector/entity_def.h"
#include "pcw/tables/drift_store.h"

namespace pcw::api {
namespace {

using net::server::Response;

std::optional<Response> Answered(Response response) { return response; }

// Quota and diagnosis are of a configuration, which this process may not have for every tenant.
Status NeedsSite(const Call& call) {
  if (call.tenant != nullptr) return Ok{};
  return ApiError(404, "not_found", "this service is not configured for this tenant");
}

// What is not known in time is not a failure of the service: the caller asks again.
Error NotHeard(const Error& error, const std::string& what) {
  if (error.code() != ErrorCode::kTimeout) return error;
  return ApiError(503, "not_known_yet", what + " yet; ask again in a moment");
}

}  // namespace

RouteAnswer ShowQuota(Api& /*api*/, Call& call) {
  PCW_TRY_OK(NeedsSite(call));
  const Result<Kept<std::string>> account = call.tenant->account_id();
  if (!account) return NotHeard(account.error(), "AWS has not said whose account this is");
  PCW_TRY(const auto statuses,
          quota::ShowQuota(call.connection(),
                           {.aws_account_id = account->value, .limits = call.tenant->limits},
                           call.stop));
  OrderedJson items = OrderedJson::array();
  for (const quota::QuotaStatus& status : statuses) items.push_back(QuotaJson(status));
  return Answered(JsonResponse(200, {{"items", std::move(items)},
                                     {"next_cursor", nullptr},
                                     {"account_age_seconds", account->age.count()}}));
}

RouteAnswer ListDrift(Api& api, Call& call) {
  tables::DriftFilter filter;
  PCW_TRY(filter.entity, ReadQueryChoice(call, "entity", connector::EntityNames()));
  PCW_TRY(const std::string status, ReadQueryChoice(call, "status", {"open", "accepted", "all"}));
  filter.status = status.empty() ? "open" : status == "all" ? "" : status;
  PCW_TRY(const Page page,
          ReadPage(api, call, "drift", filter.entity + "/" + filter.status, 100, 1'000));
  filter.limit = page.limit + 1;  // one more tells whether there is a next page
  PCW_TRY(auto findings, tables::LoadDriftPage(call.connection(), filter, page.after, call.stop));
  const std::string next = CutPage(
      page, findings, [](const tables::StoredFinding& found) { return std::to_string(found.id); });
  OrderedJson items = OrderedJson::array();
  for (const tables::StoredFinding& finding : findings) items.push_back(DriftJson(finding));
  return Answered(ListResponse(std::move(items), next));
}

RouteAnswer Diagnose(Api& /*api*/, Call& call) {
  PCW_TRY_OK(NeedsSite(call));
  Result<Kept<OrderedJson>> report = call.tenant->diagnosis();
  if (!report) return NotHeard(report.error(), "a diagnosis is under way");
  report->value["age_seconds"] = report->age.count();
  Response response = JsonResponse(200, report->value);
  response.headers.emplace_back("Age", std::to_string(report->age.count()));
  return Answered(std::move(response));
}

RouteAnswer ShowHealth(Api& /*api*/, Call& /*call*/) {
  return Answered(JsonResponse(200, {{"status", "ok"}}));
}

RouteAnswer ShowReadiness(Api& api, Call& /*call*/) {
  const ReadinessReport report = api.readiness().Report();
  OrderedJson components;
  for (const auto& [name, is_usable] : report.components)
    components[name] = is_usable ? "ok" : "unusable";
  Response response = JsonResponse(
      report.is_ready ? 200 : 503,
      {{"status", report.is_ready ? "ready" : "not ready"}, {"components", std::move(components)}});
  if (!report.is_ready) response.headers.emplace_back("Retry-After", "5");
  return Answered(std::move(response));
}

RouteAnswer ShowMetrics(Api& api, Call& call) {
  PCW_TRY(std::string text, api.metrics().Scrape(call));
  return Answered(
      Response{200, {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}}, text});
}

RouteAnswer ShowOpenApi(Api& api, Call& /*call*/) {
  return Answered(Response{200, {{"Content-Type", "application/json"}}, api.openapi()});
}

}  // namespace pcw::api
