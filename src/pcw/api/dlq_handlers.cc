// /v1/dlq: dead letters, to look at and to process again.
#include <array>
#include <span>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/api/api.h"
#include "pcw/api/bodies.h"
#include "pcw/api/handlers.h"
#include "pcw/api/problem.h"
#include "pcw/api/render.h"
#include "pcw/api/views.h"
#include "pcw/base/uuid.h"
#include "pcw/connector/entity_def.h"
#include "pcw/dlq/dead_letter.h"
#include "pcw/dlq/drop_all.h"
#include "pcw/dlq/filter_check.h"

namespace pcw::api {
namespace {

// A request waits for its replay and holds a worker meanwhile; more than this is the command
// line's.
constexpr std::int64_t kMostReplayed = 1'000;

Result<std::string> ReadTextMember(const Json& body, const char* name) {
  if (!body.contains(name)) return std::string();
  if (!body.at(name).is_string() || body.at(name).get_ref<const std::string&>().empty())
    return ApiError(400, "invalid_field", "expected a text", name);
  return body.at(name).get<std::string>();
}

Result<bool> ReadFlag(const Json& body, const char* name) {
  if (!body.contains(name)) return false;
  if (!body.at(name).is_boolean())
    return ApiError(400, "invalid_field", "expected true or false", name);
  return body.at(name).get<bool>();
}

/// Which dead letters a request is about, and how.
struct Selection {
  dlq::DeadLetterFilter filter;
  bool is_all = false;
  std::optional<std::int64_t> expect;
  bool is_dry_run = false;
  std::string reason;  ///< of a drop
};

Result<Selection> ReadSelection(const Call& call, std::span<const std::string_view> fields) {
  PCW_TRY(const Json body, ReadJsonObject(call.request.body, fields));
  Selection selection;
  PCW_TRY(selection.filter.id, ReadTextMember(body, "id"));
  PCW_TRY(selection.filter.group, ReadTextMember(body, "group"));
  PCW_TRY(selection.filter.run_id, ReadTextMember(body, "run"));
  PCW_TRY(selection.reason, ReadTextMember(body, "reason"));
  if (body.contains("entity")) {
    PCW_TRY(selection.filter.entity,
            ReadChoice(body, "entity", connector::EntityNames(), "", "invalid_entity"));
  }
  PCW_TRY(const bool is_all, ReadFlag(body, "all"));
  PCW_TRY(selection.is_dry_run, ReadFlag(body, "dry_run"));
  if (body.contains("expect")) {
    if (!body.at("expect").is_number_integer() || body.at("expect").get<std::int64_t>() < 0)
      return ApiError(400, "invalid_field", "expected a whole number, 0 or more", "expect");
    selection.expect = body.at("expect").get<std::int64_t>();
  }
  selection.is_all = is_all;
  if (const Status checked = dlq::CheckFilter(selection.filter); !checked)
    return ApiError(400, "invalid_field", checked.error().message());
  if (dlq::HasSelection(selection.filter) == is_all) {
    return ApiError(400, "invalid_field",
                    "say which dead letters: id, group, entity or run; or all alone", "all");
  }
  if (is_all && !selection.expect && !selection.is_dry_run) {
    return ApiError(400, "invalid_field",
                    "all needs expect, how many dead letters there are; a dry_run tells", "expect");
  }
  return selection;
}

// An id that names no dead letter is an error, not an empty selection.
Status CheckNamed(Call& call, const dlq::DeadLetterFilter& filter) {
  if (filter.id.empty()) return Ok{};
  PCW_TRY_OK(
      dlq::LoadDeadLetter(call.connection(), call.principal.tenant_id, filter.id, call.stop));
  return Ok{};
}

OrderedJson ReportJson(const dlq::ReplayReport& report, bool is_dry_run) {
  OrderedJson json{{"dry_run", is_dry_run},        {"chosen", report.chosen},
                   {"settled", report.settled},    {"still_open", report.still_open},
                   {"dropped", report.dropped},    {"left_alone", report.skipped},
                   {"runs", OrderedJson::array()}, {"fates", OrderedJson::array()}};
  for (const dlq::ReplayRun& run : report.runs) {
    if (!run.run_id.empty()) json["runs"].push_back(run.run_id);
    for (const dlq::ReplayFate& fate : run.result.fates) {
      json["fates"].push_back({{"record_key", fate.record_key},
                               {"fate", fate.Text()},
                               {"error", TextOrNull(fate.error)}});
    }
  }
  return json;
}

}  // namespace

RouteAnswer GroupDeadLetters(Api& /*api*/, Call& call) {
  dlq::DeadLetterFilter filter;
  PCW_TRY(filter.entity, ReadQueryChoice(call, "entity", connector::EntityNames()));
  PCW_TRY(filter.limit, ReadLimit(call, 100, 1'000));
  PCW_TRY(const auto groups, dlq::LoadDeadLetterGroups(call.connection(), call.principal.tenant_id,
                                                       filter, dlq::kLoopGuard, call.stop));
  OrderedJson items = OrderedJson::array();
  for (const dlq::DeadLetterGroup& group : groups) {
    items.push_back(DeadLetterGroupJson(group));
  }
  return std::optional<net::server::Response>(ListResponse(std::move(items), ""));
}

RouteAnswer ReplayDeadLetters(Api& /*api*/, Call& call) {
  if (call.tenant == nullptr)
    return ApiError(404, "not_found", "nothing is configured for this tenant");
  static constexpr std::array<std::string_view, 7> kFields{"id",  "group",   "entity", "run",
                                                           "all", "dry_run", "expect"};
  PCW_TRY(Selection selection, ReadSelection(call, kFields));
  PCW_TRY_OK(CheckNamed(call, selection.filter));
  dlq::ReplayOptions options;
  options.filter = std::move(selection.filter);
  options.is_all = selection.is_all;
  options.expect = selection.expect;
  options.is_dry_run = selection.is_dry_run;
  options.actor = call.principal.name;
  PCW_TRY(const std::int64_t count,
          dlq::CountDeadLetters(call.connection(), call.principal.tenant_id, options.filter,
                                call.stop));
  if (count > kMostReplayed) {
    return ApiError(
        422, "too_many_letters",
        fmt::format("{} dead letters; one request takes {}: filter, or use pcw dlq replay", count,
                    kMostReplayed));
  }
  PCW_TRY(const dlq::ReplayReport report, call.tenant->replay(options, call.stop));
  if (report.error) return *report.error;
  return std::optional<net::server::Response>(
      JsonResponse(200, ReportJson(report, options.is_dry_run)));
}

RouteAnswer DropDeadLetters(Api& /*api*/, Call& call) {
  static constexpr std::array<std::string_view, 8> kFields{"id",  "group",   "entity", "run",
                                                           "all", "dry_run", "expect", "reason"};
  PCW_TRY(const Selection selection, ReadSelection(call, kFields));
  if (selection.reason.find_first_not_of(" \t\r\n") == std::string::npos)
    return ApiError(400, "invalid_field", "say why; it is kept with each dead letter", "reason");
  PCW_TRY_OK(CheckNamed(call, selection.filter));
  const std::string& tenant_id = call.principal.tenant_id;
  PCW_TRY(const std::int64_t matched,
          dlq::CountDeadLetters(call.connection(), tenant_id, selection.filter, call.stop));
  std::int64_t dropped = 0;
  if (!selection.is_dry_run) {
    PCW_TRY(dropped, selection.is_all
                         ? dlq::DropAllDeadLetters(call.connection(), tenant_id, selection.reason,
                                                   call.principal.name, selection.expect, call.stop)
                         : dlq::DropDeadLetters(call.connection(), tenant_id, selection.filter,
                                                selection.reason, call.principal.name,
                                                selection.expect, call.stop));
  }
  return std::optional<net::server::Response>(
      JsonResponse(200, {{"dry_run", selection.is_dry_run},
                         {"matched", selection.is_dry_run ? matched : dropped},
                         {"dropped", dropped}}));
}

RouteAnswer ListDeadLetters(Api& api, Call& call) {
  dlq::DeadLetterFilter filter;
  PCW_TRY(filter.entity, ReadQueryChoice(call, "entity", connector::EntityNames()));
  PCW_TRY(const std::string state,
          ReadQueryChoice(call, "state", {"open", "settled", "dropped", "all"}));
  filter.state = state.empty() ? "open" : state == "all" ? "" : state;
  filter.run_id = QueryText(call, "run");
  if (!filter.run_id.empty() && !IsUuid(filter.run_id))
    return ApiError(400, "invalid_parameter", "expected a run id", "run");
  PCW_TRY(const Page page,
          ReadPage(api, call, "dlq", filter.entity + "/" + filter.state + "/" + filter.run_id, 100,
                   1'000));
  filter.limit = page.limit + 1;  // one more tells whether there is a next page
  PCW_TRY(auto letters, dlq::LoadDeadLetterPage(call.connection(), call.principal.tenant_id, filter,
                                                page.after, call.stop));
  const std::string next =
      CutPage(page, letters, [](const dlq::DeadLetter& letter) { return letter.id; });
  OrderedJson items = OrderedJson::array();
  for (const dlq::DeadLetter& letter : letters) items.push_back(DeadLetterJson(letter));
  return std::optional<net::server::Response>(ListResponse(std::move(items), next));
}

RouteAnswer ShowDeadLetter(Api& /*api*/, Call& call) {
  const std::string& id = call.path.front();
  if (!IsUuid(id)) return ApiError(404, "not_found", "there is no such dead letter");
  PCW_TRY(const dlq::DeadLetter letter,
          dlq::LoadDeadLetter(call.connection(), call.principal.tenant_id, id, call.stop));
  return std::optional<net::server::Response>(JsonResponse(200, DeadLetterJson(letter)));
}

}  // namespace pcw::api
