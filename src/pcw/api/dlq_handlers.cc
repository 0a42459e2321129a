// /v1/dlq: dead letters, to look at.
#include <nlohmann/json.hpp>

#include "pcw/api/api.h"
#include "pcw/api/handlers.h"
#include "pcw/api/problem.h"
#include "pcw/api/render.h"
#include "pcw/base/uuid.h"
#include "pcw/dlq/dead_letter.h"

namespace pcw::api {

RouteAnswer ListDeadLetters(Api& /*api*/, Call& call) {
  dlq::DeadLetterFilter filter;
  PCW_TRY(filter.entity, ReadQueryChoice(call, "entity", EntityNames()));
  PCW_TRY(const std::string state,
          ReadQueryChoice(call, "state", {"open", "settled", "dropped", "all"}));
  filter.state = state.empty() ? "open" : state == "all" ? "" : state;
  filter.run_id = QueryText(call, "run");
  if (!filter.run_id.empty() && !IsUuid(filter.run_id))
    return ApiError(400, "invalid_parameter", "expected a run id", "run");
  PCW_TRY(filter.limit, ReadLimit(call, 100, 1'000));
  PCW_TRY(const auto letters,
          dlq::LoadDeadLetters(call.connection(), call.principal.tenant_id, filter, call.stop));
  OrderedJson items = OrderedJson::array();
  for (const dlq::DeadLetter& letter : letters) items.push_back(DeadLetterJson(letter));
  return std::optional<net::server::Response>(ListResponse(std::move(items), ""));
}

RouteAnswer ShowDeadLetter(Api& /*api*/, Call& call) {
  const std::string& id = call.path.front();
  if (!IsUuid(id)) return ApiError(404, "not_found", "there is no such dead letter");
  PCW_TRY(const dlq::DeadLetter letter,
          dlq::LoadDeadLetter(call.connection(), call.principal.tenant_id, id, call.stop));
  return std::optional<net::server::Response>(JsonResponse(200, DeadLetterJson(letter)));
}

}  // namespace pcw::api
