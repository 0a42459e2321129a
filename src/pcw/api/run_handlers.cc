// /v1/runs: the list, one, its progress, its end.
#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/api/api.h"
#include "pcw/api/bodies.h"
#include "pcw/api/handlers.h"
#include "pcw/api/page_cursor.h"
#include "pcw/api/problem.h"
#include "pcw/api/render.h"
#include "pcw/api/views.h"
#include "pcw/base/uuid.h"
#include "pcw/connector/entity_def.h"
#include "pcw/runs/run_page.h"
#include "pcw/runs/run_request.h"

namespace pcw::api {
namespace {

using net::server::Response;

// Whole ids only: what a foreign tenant's id begins with is nobody's business either.
Result<runs::StoredRun> RunNamed(const Call& call) {
  const std::string& id = call.path.front();
  if (!IsUuid(id)) return ApiError(404, "not_found", "there is no such run");
  Result<runs::StoredRun> run = runs::LoadRun(call.connection(), id, call.stop);
  if (!run && (run.error().code() == ErrorCode::kNotFound ||
               run.error().code() == ErrorCode::kInvalidRequest))
    return ApiError(404, "not_found", "there is no such run");
  return run;
}

}  // namespace

std::string QueryText(const Call& call, const char* name) {
  const auto found = call.query.find(name);
  return found == call.query.end() ? "" : found->second;
}

Result<int> ReadLimit(const Call& call, int fallback, int most) {
  const auto found = call.query.find("limit");
  if (found == call.query.end()) return fallback;
  const std::string& text = found->second;
  int limit = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), limit);
  if (problem != std::errc() || end != text.data() + text.size() || limit < 1 || limit > most) {
    return ApiError(400, "invalid_parameter",
                    fmt::format("expected a whole number from 1 to {}", most), "limit");
  }
  return limit;
}

Result<std::string> ReadQueryChoice(const Call& call, const char* name,
                                    const std::vector<std::string>& values) {
  const auto found = call.query.find(name);
  if (found == call.query.end()) return std::string();
  for (const std::string& value : values) {
    if (value == found->second) return value;
  }
  return ApiError(400, "invalid_parameter",
                  fmt::format("expected one of {}", fmt::join(values, ", ")), name);
}

Result<Page> ReadPage(Api& api, Call& call, std::string_view list, std::string filters,
                      int usual_limit, int most) {
  Page page{.list = list,
            .tenant_id = call.principal.tenant_id,
            .filters = std::move(filters),
            .key = {},
            .after = {}};
  PCW_TRY(page.limit, ReadLimit(call, usual_limit, most));
  PCW_TRY(page.key, api.CursorKey(call));
  if (call.query.contains("cursor")) {
    PCW_TRY(page.after, ReadCursor(page.key, {page.tenant_id, page.list, page.filters},
                                   QueryText(call, "cursor")));
  }
  return page;
}

std::string CursorAfter(const Page& page, std::string_view last_id) {
  return MakeCursor(page.key, {page.tenant_id, page.list, page.filters}, last_id);
}

RouteAnswer ListRuns(Api& api, Call& call) {
  runs::RunPageRequest request;
  PCW_TRY(request.entity, ReadQueryChoice(call, "entity", connector::EntityNames()));
  PCW_TRY(request.status, ReadQueryChoice(call, "status",
                                          {"queued", "running", "stalled", "succeeded", "partial",
                                           "failed", "cancelled"}));
  PCW_TRY(const Page page,
          ReadPage(api, call, "runs", request.entity + "/" + request.status, 20, 200));
  request.before_id = page.after;
  request.limit = page.limit + 1;  // one more tells whether there is a next page
  PCW_TRY(auto runs, runs::ListRunPage(call.connection(), request, call.stop));
  const std::string next = CutPage(page, runs, [](const runs::StoredRun& run) { return run.id; });
  OrderedJson items = OrderedJson::array();
  for (const runs::StoredRun& run : runs) items.push_back(RunJson(run));
  return std::optional<Response>(ListResponse(std::move(items), next));
}

RouteAnswer ShowRun(Api& /*api*/, Call& call) {
  PCW_TRY(const runs::StoredRun run, RunNamed(call));
  return std::optional<Response>(JsonResponse(200, RunJson(run)));
}

RouteAnswer StreamRun(Api& api, Call& call) {
  PCW_TRY(const runs::StoredRun run, RunNamed(call));
  if (!api.events().HasRoom()) {
    return ApiError(503, "busy", "too many event streams are open; poll /v1/runs/{id} instead");
  }
  const net::server::ResponseStream stream =
      call.responder.Stream({200,
                             {{"Content-Type", "text/event-stream"},
                              {"Cache-Control", "no-store"},
                              {"X-Content-Type-Options", "nosniff"},
                              {"X-Request-Id", call.request_id}},
                             ""});
  api.events().Add(call.principal.tenant_id, call.principal.token_id, run, stream);
  return std::optional<Response>();
}

RouteAnswer CancelRun(Api& /*api*/, Call& call) {
  if (!call.request.body.empty()) {
    PCW_TRY_OK(ReadJsonObject(call.request.body, {}));
  }
  PCW_TRY(const runs::StoredRun run, RunNamed(call));
  PCW_TRY_OK(runs::RequestCancel(call.connection(), run.id, call.stop));
  PCW_TRY(const runs::StoredRun now, runs::LoadRun(call.connection(), run.id, call.stop));
  return std::optional<Response>(JsonResponse(202, RunJson(now)));
}

}  // namespace pcw::api
