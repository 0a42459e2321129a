#include "pcw/sim/control.h"

#include <algorithm>
#include <array>
#include <exception>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/digest.h"
#include "pcw/base/json.h"
#include "pcw/base/time.h"
#include "pcw/sim/account_state.h"
#include "pcw/sim/events/bus_service.h"
#include "pcw/sim/json_text.h"
#include "pcw/sim/s3/request.h"
#include "pcw/sim/sqs/wire.h"

namespace pcw::sim {
namespace {

using net::server::Request;
using net::server::Response;

constexpr std::uint64_t kMaxChanges = 10'000'000;

Response JsonReply(int status, const OrderedJson& json) {
  return {status, {{"Content-Type", "application/json"}}, DumpJsonPretty(json)};
}

Response Problem(int status, std::string_view what) { return JsonReply(status, {{"error", what}}); }

Response Lines(std::string body) {
  return {200, {{"Content-Type", "application/x-ndjson"}}, std::move(body)};
}

Response Stats(Service& service) {
  const CallTotals totals = service.ledger().totals();
  OrderedJson operations = OrderedJson::object();
  OrderedJson sums = OrderedJson::object();
  std::array<std::uint64_t, kOutcomes> by_outcome{};
  for (std::size_t op = 0; op < kOperations; ++op) {
    OrderedJson row = OrderedJson::object();
    std::uint64_t answered = 0;
    for (std::size_t i = 0; i < kOutcomes; ++i) {
      const std::uint64_t count = totals.by_operation[op][i];
      answered += count;
      by_outcome[i] += count;
      if (count > 0) row[std::string(NameOf(static_cast<Outcome>(i)))] = count;
    }
    if (answered == 0) continue;
    row["answered"] = answered;
    operations[std::string(NameOf(static_cast<Operation>(op)))] = row;
  }
  for (std::size_t i = 0; i < kOutcomes; ++i) {
    sums[std::string(NameOf(static_cast<Outcome>(i)))] = by_outcome[i];
  }
  const auto of = [&](Outcome outcome) { return by_outcome[static_cast<std::size_t>(outcome)]; };
  const std::uint64_t refused =
      of(Outcome::kRefusedSecond) + of(Outcome::kRefusedDay) + of(Outcome::kRefusedFault);
  return JsonReply(200, {{"arrivals", totals.arrivals},
                         {"accepted", of(Outcome::kOk)},
                         {"refused", refused},
                         {"outcomes", sums},
                         {"operations", operations},
                         {"unknown_members", totals.unknown_members},
                         {"unsigned_payloads", totals.unsigned_payloads},
                         {"first_arrival_ms", totals.first_arrival_us / 1'000},
                         {"last_arrival_ms", totals.last_arrival_us / 1'000},
                         {"max_arrivals_per_second", totals.max_arrivals_per_second},
                         {"ledger_dropped", totals.dropped}});
}

std::string NamesOf(FaultMask faults) {
  std::string names;
  for (const FaultSpec& spec : FaultSpecs()) {
    if ((faults & MaskOf(spec.kind)) == 0) continue;
    if (!names.empty()) names += '+';
    names += spec.name;
  }
  return names;
}

Response Calls(Service& service) {
  std::string out;
  service.ledger().ForEach([&](const CallRecord& call) {
    out += fmt::format(R"({{"seq":{},"arrival_us":{},"operation":"{}")", call.seq, call.arrival_us,
                       NameOf(call.operation));
    if (call.catalog) out += fmt::format(R"(,"catalog":"{}")", NameOf(*call.catalog));
    if (call.identifier != 0) out += fmt::format(R"(,"identifier":"O{}")", call.identifier);
    if (call.name.front() != '\0') {
      // Text of a request: anything may stand there.
      const auto end = std::find(call.name.begin(), call.name.end(), '\0');
      const std::string name(call.name.begin(), end);
      out += fmt::format(",\"identifier\":{}", DumpJson(Json(name)));
    }
    if (call.caller.front() != '\0') {
      const auto end = std::find(call.caller.begin(), call.caller.end(), '\0');
      out += fmt::format(",\"caller\":{}", DumpJson(Json(std::string(call.caller.begin(), end))));
    }
    if (call.token_hash != 0) out += fmt::format(R"(,"token":"{:016x}")", call.token_hash);
    if (call.max_results != 0) out += fmt::format(R"(,"max_results":{})", call.max_results);
    if (call.after_us != 0) {
      out += fmt::format(R"(,"after":"{}")",
                         FormatRfc3339(WallTime(std::chrono::microseconds(call.after_us))));
    }
    if (call.unknown_members != 0) {
      out += fmt::format(R"(,"unknown_members":{})", call.unknown_members);
    }
    if (call.faults != 0) out += fmt::format(R"(,"fault":"{}")", NamesOf(call.faults));
    out += fmt::format(",\"outcome\":\"{}\",\"status\":{}}}\n", NameOf(call.outcome), call.status);
  });
  return Lines(std::move(out));
}

std::optional<Catalog> CatalogNamed(std::string_view name) {
  if (name.empty() || name == "AWS") return Catalog::kAws;
  if (name == "Sandbox") return Catalog::kSandbox;
  return std::nullopt;
}

/// The value of a parameter of the query; empty if it is absent.
std::string_view Parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    if (pair.starts_with(name) && pair.substr(name.size()).starts_with('=')) {
      return pair.substr(name.size() + 1);
    }
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return {};
}

constexpr auto kCatalogs = "catalog is AWS or Sandbox";
constexpr auto kWhichEntity =
    "entity is opportunities, leads, solutions, profiles or aws_summaries";

Response Truth(Service& service, std::string_view query) {
  const auto catalog = CatalogNamed(Parameter(query, "catalog"));
  if (!catalog) return Problem(400, kCatalogs);
  const std::string_view name = Parameter(query, "entity");
  const auto entity = EntityNamed(name.empty() ? "opportunities" : name);
  if (!entity) return Problem(400, kWhichEntity);
  return Lines(service.content(*catalog).Truth(*entity));
}

/// {"catalog": "AWS", "entity": "leads", "ids": [...]}, or "count" instead of ids.
Response Apply(Service& service, const Request& request, ChangeOrder::Kind kind) {
  PCW_ASSERT(request.method == "POST");
  auto parsed = ParseJson(request.body.empty() ? "{}" : request.body);
  if (!parsed || !parsed->is_object()) return Problem(400, "the body is not a JSON object");
  const Json& json = *parsed;
  for (const auto& [key, value] : json.items()) {
    if (key != "catalog" && key != "entity" && key != "ids" && key != "count") {
      return Problem(400, "known members: catalog, entity, ids, count");
    }
  }
  const auto catalog = CatalogNamed(json.value("catalog", "AWS"));
  if (!catalog) return Problem(400, kCatalogs);
  const auto entity = EntityNamed(json.value("entity", "opportunities"));
  if (!entity) return Problem(400, kWhichEntity);
  if (json.contains("ids") == json.contains("count") && kind != ChangeOrder::Kind::kInsert) {
    return Problem(400, "give either ids or count");
  }
  ChangeOrder order{
      .kind = kind, .count = json.value("count", std::uint64_t{1}), .now = service.now()};
  if (order.count > kMaxChanges) return Problem(400, "count is too large");
  if (json.contains("ids") && kind != ChangeOrder::Kind::kInsert) {
    order.ids = json["ids"].get<std::vector<std::string>>();
  }
  const auto ids = service.content(*catalog).Apply(*entity, order);
  if (!ids) return Problem(400, ids.error().message());
  return JsonReply(200, {{"catalog", NameOf(*catalog)}, {"changed", ids->size()}, {"ids", *ids}});
}

/// {"catalog": "AWS", "ids": [...], "status": "ACCEPTED"}: what the other side, or time, does to
/// pending invitations.
Response SettleInvitations(Service& service, const Request& request) {
  auto parsed = ParseJson(request.body);
  if (!parsed || !parsed->is_object()) return Problem(400, "the body is not a JSON object");
  const Json& json = *parsed;
  for (const auto& [key, value] : json.items()) {
    if (key != "catalog" && key != "ids" && key != "status") {
      return Problem(400, "known members: catalog, ids, status");
    }
  }
  const auto catalog = CatalogNamed(json.value("catalog", "AWS"));
  if (!catalog) return Problem(400, kCatalogs);
  const std::string name = json.value("status", "");
  for (const auto status :
       {InvitationStatus::kAccepted, InvitationStatus::kRejected, InvitationStatus::kExpired}) {
    if (NameOf(status) != name) continue;
    const auto ids = service.content(*catalog).leads().Settle(
        json.at("ids").get<std::vector<std::string>>(), status, service.now());
    return JsonReply(200, {{"catalog", NameOf(*catalog)}, {"changed", ids.size()}, {"ids", ids}});
  }
  return Problem(400, "status is ACCEPTED, REJECTED or EXPIRED");
}

Response ReplaceFaults(Service& service, const Request& request) {
  auto plan = ParseFaults(request.body, "the request's body");
  if (!plan) return Problem(400, plan.error().message());
  const std::size_t rules = plan->rules.size();
  service.faults().Replace(std::move(*plan));
  return JsonReply(200, {{"rules", rules}});
}

Response ShowAccount(Service& service) {
  return JsonReply(200, DescribeAccountState(*service.account().state()));
}

Response ReplaceAccount(Service& service, const Request& request) {
  std::vector<std::string> actions = service.facts().Actions();
  for (const std::string& action : S3Actions()) actions.push_back(action);
  for (const std::string& action : SqsActions()) actions.push_back(action);
  for (const std::string& action : BusActions()) actions.push_back(action);
  auto state = ParseAccountState(request.body, actions);
  if (!state) return Problem(400, state.error().message());
  service.account().Replace(std::move(*state));
  return ShowAccount(service);
}

Response ShowEvents(Service& service) {
  const EventRule rule = service.events().rule();
  const EventTotals totals = service.events().totals();
  return JsonReply(200, {{"enabled", rule.is_enabled},
                         {"queue", rule.queue},
                         {"drop", rule.drop},
                         {"duplicate", rule.duplicate},
                         {"seed", rule.seed},
                         {"made", totals.made},
                         {"delivered", totals.delivered},
                         {"dropped", totals.dropped},
                         {"duplicated", totals.duplicated}});
}

Response ReplaceEvents(Service& service, const Request& request) {
  auto rule = ParseEventRule(request.body);
  if (!rule) return Problem(400, rule.error().message());
  service.events().Replace(std::move(*rule));
  return ShowEvents(service);
}

Response ResetCalls(Service& service) {
  service.ledger().Reset();
  return JsonReply(200, {{"reset", true}});
}

/// What one method on one path does. `query` is what follows the question mark.
struct Endpoint {
  std::string_view path;
  std::string_view method;
  Response (*answer)(Service& service, const Request& request, std::string_view query);
};

constexpr std::array kEndpoints{
    Endpoint{"stats", "GET", [](Service& s, const Request&, std::string_view) { return Stats(s); }},
    Endpoint{"calls", "GET", [](Service& s, const Request&, std::string_view) { return Calls(s); }},
    Endpoint{"truth", "GET",
             [](Service& s, const Request&, std::string_view query) { return Truth(s, query); }},
    Endpoint{"account", "GET",
             [](Service& s, const Request&, std::string_view) { return ShowAccount(s); }},
    Endpoint{"account", "POST",
             [](Service& s, const Request& r, std::string_view) { return ReplaceAccount(s, r); }},
    Endpoint{"events", "GET",
             [](Service& s, const Request&, std::string_view) { return ShowEvents(s); }},
    Endpoint{"events", "POST",
             [](Service& s, const Request& r, std::string_view) { return ReplaceEvents(s, r); }},
    Endpoint{"faults", "POST",
             [](Service& s, const Request& r, std::string_view) { return ReplaceFaults(s, r); }},
    Endpoint{"reset-calls", "POST",
             [](Service& s, const Request&, std::string_view) { return ResetCalls(s); }},
    Endpoint{
        "invitations", "POST",
        [](Service& s, const Request& r, std::string_view) { return SettleInvitations(s, r); }},
    Endpoint{"modify", "POST",
             [](Service& s, const Request& r, std::string_view) {
               return Apply(s, r, ChangeOrder::Kind::kModify);
             }},
    Endpoint{"insert", "POST",
             [](Service& s, const Request& r, std::string_view) {
               return Apply(s, r, ChangeOrder::Kind::kInsert);
             }},
    Endpoint{"remove", "POST",
             [](Service& s, const Request& r, std::string_view) {
               return Apply(s, r, ChangeOrder::Kind::kRemove);
             }},
};

Response Dispatch(Service& service, const Request& request) {
  const std::string_view target = request.target;
  const std::size_t mark = std::min(target.find('?'), target.size());
  const std::string_view path = target.substr(kControlPrefix.size(), mark - kControlPrefix.size());
  const std::string_view query = target.substr(std::min(mark + 1, target.size()));
  std::string methods;
  for (const Endpoint& endpoint : kEndpoints) {
    if (endpoint.path != path) continue;
    if (endpoint.method == request.method) return endpoint.answer(service, request, query);
    if (!methods.empty()) methods += " or ";
    methods += endpoint.method;
  }
  if (methods.empty()) return Problem(404, "no such control endpoint");
  return Problem(405, "use " + methods);
}

}  // namespace

Response AnswerControl(Service& service, const Request& request) {
  // A web page in the user's browser may not steer the simulator.
  if (request.Header("Origin")) return Problem(403, "not for browsers");
  try {
    return Dispatch(service, request);
  } catch (const std::exception& problem) {
    return Problem(400, problem.what());
  }
}

}  // namespace pcw::sim
