// /v1/connectors: what there is, how fresh it is, and the trigger.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/api/api.h"
#include "pcw/api/bodies.h"
#include "pcw/api/handlers.h"
#include "pcw/api/idempotency.h"
#include "pcw/api/problem.h"
#include "pcw/api/render.h"
#include "pcw/api/views.h"
#include "pcw/connector/entity_def.h"
#include "pcw/runs/connector_store.h"
#include "pcw/runs/run_request.h"
#include "pcw/sync/estimate.h"

namespace pcw::api {
namespace {

using net::server::Response;

std::optional<Response> Some(Response response) { return response; }

// What the run will cost, as far as the database knows; null where nothing tells.
OrderedJson EstimateJson(Call& call, const std::string& entity, connector::RunMode mode) {
  const auto found = std::find_if(call.tenant->entities.begin(), call.tenant->entities.end(),
                                  [&](const SyncedEntity& one) { return one.def->name == entity; });
  if (found == call.tenant->entities.end()) return nullptr;
  const Result<sync::CallEstimate> estimate =
      sync::EstimateCalls(call.connection(), *found->def, found->mapping,
                          {.catalog = call.tenant->catalog,
                           .mode = mode,
                           .page_size = call.tenant->page_size,
                           .records = std::nullopt},
                          call.stop);
  if (!estimate) return nullptr;
  OrderedJson json{{"calls", estimate->calls()},
                   {"list_calls", estimate->list_calls},
                   {"detail_calls", estimate->detail_calls},
                   {"records", estimate->records},
                   {"basis", estimate->basis},
                   {"least_seconds", nullptr}};
  const int rate = call.tenant->limits.reads_per_second;
  if (rate > 0) json["least_seconds"] = (estimate->calls() + rate - 1) / rate;
  return json;
}

// As the scheduler: what the configuration leaves out is not fetched, whoever asks.
Status CheckIsConfigured(const Call& call, const connector::ConnectorDef& connector,
                         const std::string& entity) {
  std::vector<std::string_view> configured;
  for (const SyncedEntity& one : call.tenant->entities) {
    if (one.def->connector == &connector) configured.push_back(one.def->name);
  }
  if (std::find(configured.begin(), configured.end(), entity) != configured.end()) return Ok{};
  return ApiError(
      400, "invalid_entity",
      fmt::format("{} is not configured to be synced; configured are: {}", entity,
                  configured.empty() ? "none" : fmt::to_string(fmt::join(configured, ", "))),
      "entity");
}

Response Accepted(Call& call, const runs::RequestedRun& requested, connector::RunMode mode) {
  OrderedJson json = RunJson(requested.run);
  json["is_new"] = requested.is_new;
  json["url"] = "/v1/runs/" + requested.run.id;
  json["estimate"] =
      requested.is_new ? EstimateJson(call, requested.run.entity, mode) : OrderedJson(nullptr);
  Response response = JsonResponse(202, json);
  response.headers.emplace_back("Location", "/v1/runs/" + requested.run.id);
  return response;
}

}  // namespace

Result<FoundConnector> FindTenantConnector(const Call& call, std::string_view name) {
  FoundConnector found{.def = connector::FindConnector(name), .id = 0};
  if (found.def != nullptr && call.tenant != nullptr) {
    PCW_TRY(const std::optional<std::int64_t> id,
            runs::FindConnectorId(call.connection(), found.def->kind, call.stop));
    if (id) {
      found.id = *id;
      return found;
    }
  }
  return ApiError(404, "not_found", "there is no such connector");
}

RouteAnswer ListConnectors(Api& /*api*/, Call& call) {
  PCW_TRY(const auto connectors, runs::ListConnectors(call.connection(), call.stop));
  OrderedJson items = OrderedJson::array();
  for (const runs::StoredConnector& stored : connectors) {
    const connector::ConnectorDef* def = connector::FindConnector(stored.kind);
    OrderedJson entities = OrderedJson::array();
    if (def != nullptr && call.tenant != nullptr) {
      for (const SyncedEntity& entity : call.tenant->entities)
        if (entity.def->connector == def) entities.push_back(entity.def->name);
    }
    items.push_back({{"name", def == nullptr ? std::string_view(stored.kind) : def->url_name},
                     {"title", stored.title},
                     {"status", stored.status},
                     {"entities", std::move(entities)}});
  }
  return Some(ListResponse(std::move(items), ""));
}

RouteAnswer ConnectorHealth(Api& /*api*/, Call& call) {
  PCW_TRY(const FoundConnector connector, FindTenantConnector(call, call.path.front()));
  std::vector<runs::ExpectedEntity> expected;
  for (const SyncedEntity& entity : call.tenant->entities) {
    if (entity.def->connector == connector.def)
      expected.push_back({std::string(entity.def->name), entity.interval});
  }
  PCW_TRY(const auto entities, runs::LoadFreshness(call.connection(), connector.id,
                                                   call.tenant->catalog, expected, call.stop));
  OrderedJson rows = OrderedJson::array();
  runs::Freshness worst = runs::Freshness::kOk;
  for (const runs::EntityFreshness& entity : entities) {
    rows.push_back(FreshnessJson(entity));
    // Failing is worst, then never: both need somebody; stale may heal by itself.
    const auto rank = [](runs::Freshness one) {
      switch (one) {
        case runs::Freshness::kOk:
          return 0;
        case runs::Freshness::kStale:
          return 1;
        case runs::Freshness::kNever:
          return 2;
        case runs::Freshness::kFailing:
          return 3;
      }
      return 3;
    };
    if (rank(entity.freshness) > rank(worst)) worst = entity.freshness;
  }
  return Some(JsonResponse(200, {{"connector", connector.def->url_name},
                                 {"status", NameOf(worst)},
                                 {"catalog", call.tenant->catalog},
                                 {"entities", std::move(rows)}}));
}

RouteAnswer TriggerSync(Api& api, Call& call) {
  PCW_TRY(const FoundConnector connector, FindTenantConnector(call, call.path.front()));
  static constexpr std::array<std::string_view, 2> kFields{"entity", "mode"};
  PCW_TRY(const Json body, ReadJsonObject(call.request.body, kFields));
  runs::RunRequest request;
  PCW_TRY(request.entity,
          ReadChoice(body, "entity", connector::EntityNames(), "", "invalid_entity"));
  PCW_TRY_OK(CheckIsConfigured(call, *connector.def, request.entity));
  PCW_TRY(const std::string mode,
          ReadChoice(body, "mode", {"full", "incremental"}, "incremental", "invalid_field"));
  PCW_TRY(request.mode, connector::ParseRunMode(mode));
  request.requested_by = call.principal.name;
  request.trigger = "api";

  PCW_TRY(const std::optional<std::string> key, IdempotencyKeyOf(call.request));
  if (key) {
    return AnswerOnce(call, *key, [&](pg::Transaction& transaction) -> Result<Response> {
      PCW_TRY(const runs::RequestedRun requested,
              runs::RequestRunWithin(transaction, connector.id, call.tenant->catalog, request,
                                     api.deps().rng, api.deps().clock, call.stop));
      return Accepted(call, requested, request.mode);
    });
  }
  PCW_TRY(const runs::RequestedRun requested,
          runs::RequestRun(call.connection(), connector.id, call.tenant->catalog, request,
                           api.deps().rng, api.deps().clock, call.stop));
  return Some(Accepted(call, requested, request.mode));
}

}  // namespace pcw::api
