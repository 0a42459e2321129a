#include "pcw/api/openapi.h"

#include <algorithm>
#include <span>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/api/route.h"
#include "pcw/api/views.h"

namespace pcw::api {
namespace {

OrderedJson Text() { return {{"type", "string"}}; }
OrderedJson TextOrNothing() { return {{"type", OrderedJson::array({"string", "null"})}}; }
OrderedJson Whole() { return {{"type", "integer"}}; }
OrderedJson WholeOrNothing() { return {{"type", OrderedJson::array({"integer", "null"})}}; }
OrderedJson Reference(std::string_view schema) {
  return {{"$ref", fmt::format("#/components/schemas/{}", schema)}};
}
OrderedJson Texts() { return {{"type", "array"}, {"items", Text()}}; }

// Every property that is listed is always there; others may be added in later versions.
OrderedJson Object(const OrderedJson& properties) {
  OrderedJson required = OrderedJson::array();
  for (const auto& [name, schema] : properties.items()) required.push_back(name);
  return {{"type", "object"}, {"required", required}, {"properties", properties}};
}

OrderedJson ListOf(std::string_view schema) {
  return Object({{"items", {{"type", "array"}, {"items", Reference(schema)}}},
                 {"next_cursor", TextOrNothing()}});
}

OrderedJson ObjectOrNothing() { return {{"type", OrderedJson::array({"object", "null"})}}; }

OrderedJson SchemaOf(FieldType type) {
  switch (type) {
    case FieldType::kText:
      return Text();
    case FieldType::kTextOrNull:
      return TextOrNothing();
    case FieldType::kWhole:
      return Whole();
    case FieldType::kWholeOrNull:
      return WholeOrNothing();
    case FieldType::kBool:
      return {{"type", "boolean"}};
    case FieldType::kObjectOrNull:
      break;
  }
  return ObjectOrNothing();
}

template <typename T>
OrderedJson PropertiesOf(std::span<const Field<T>> fields) {
  OrderedJson properties = OrderedJson::object();
  for (const Field<T>& field : fields) properties[std::string(field.name)] = SchemaOf(field.type);
  return properties;
}

OrderedJson RunProperties() {
  OrderedJson properties = PropertiesOf(RunFields());
  properties["id"]["format"] = "uuid";
  properties["mode"]["enum"] =
      OrderedJson::array({"full", "incremental", "reingest", "replay", "fetch"});
  properties["status"]["enum"] = OrderedJson::array(
      {"queued", "running", "stalled", "succeeded", "partial", "failed", "cancelled"});
  return properties;
}

OrderedJson RequestedRun() {
  OrderedJson properties = RunProperties();
  properties["is_new"] = {{"type", "boolean"}};
  properties["url"] = Text();
  properties["estimate"] = {
      {"type", OrderedJson::array({"object", "null"})},
      {"description", "Calls of AWS that a new run is expected to take; null if nothing tells"}};
  return Object(properties);
}

OrderedJson Schemas() {
  OrderedJson freshness = {
      {"entity", Text()},
      {"status",
       {{"type", "string"}, {"enum", OrderedJson::array({"ok", "stale", "failing", "never"})}}},
      {"data_age_seconds", WholeOrNothing()},
      {"expected_interval_seconds", Whole()},
      {"watermark", TextOrNothing()},
      {"last_complete_run", TextOrNothing()},
      {"last_complete_at", TextOrNothing()},
      {"last_run", TextOrNothing()},
      {"last_run_status", TextOrNothing()},
      {"last_run_error_code", TextOrNothing()},
      {"last_run_ended_at", TextOrNothing()},
      {"open_run", TextOrNothing()},
      {"open_run_status", TextOrNothing()},
      {"future_run", TextOrNothing()}};
  return {
      {"Problem", Object({{"type", Text()},
                          {"title", Text()},
                          {"status", Whole()},
                          {"code", Text()},
                          {"detail", Text()},
                          {"request_id", Text()},
                          {"doc", Text()}})},
      {"Run", Object(RunProperties())},
      {"RunList", ListOf("Run")},
      {"RequestedRun", RequestedRun()},
      {"EventStream",
       {{"type", "string"},
        {"description",
         "Events `run` with a Run as data, at each change; at last one event `end`"}}},
      {"Connector",
       Object({{"name", Text()}, {"title", Text()}, {"status", Text()}, {"entities", Texts()}})},
      {"ConnectorList", ListOf("Connector")},
      {"EntityHealth", Object(freshness)},
      {"ConnectorHealth",
       Object({{"connector", Text()},
               {"status", Text()},
               {"catalog", Text()},
               {"entities", {{"type", "array"}, {"items", Reference("EntityHealth")}}}})},
      {"DeadLetter", Object(PropertiesOf(DeadLetterFields()))},
      {"DeadLetterList", ListOf("DeadLetter")},
      {"DeadLetterGroup", Object(PropertiesOf(DeadLetterGroupFields()))},
      {"DeadLetterGroupList", ListOf("DeadLetterGroup")},
      {"ReplayFate",
       Object({{"record_key", Text()}, {"fate", Text()}, {"error", TextOrNothing()}})},
      {"ReplayReport",
       Object({{"dry_run", {{"type", "boolean"}}},
               {"chosen", Whole()},
               {"settled", Whole()},
               {"still_open", Whole()},
               {"dropped", Whole()},
               {"left_alone", Whole()},
               {"runs", {{"type", "array"}, {"items", Text()}}},
               {"fates", {{"type", "array"}, {"items", Reference("ReplayFate")}}}})},
      {"DropReport",
       Object({{"dry_run", {{"type", "boolean"}}}, {"matched", Whole()}, {"dropped", Whole()}})},
      {"Quota", Object({{"aws_account_id", Text()},
                        {"service", Text()},
                        {"quota_class", Text()},
                        {"per_second", Whole()},
                        {"per_day", Whole()},
                        {"used_last_second", Whole()},
                        {"used_last_minute", Whole()},
                        {"used_last_hour", Whole()},
                        {"used_24h", Whole()},
                        {"left_24h", Whole()},
                        {"kept_24h", Whole()},
                        {"paused_until", TextOrNothing()},
                        {"full_again_at", TextOrNothing()}})},
      {"QuotaList", Object({{"items", {{"type", "array"}, {"items", Reference("Quota")}}},
                            {"next_cursor", TextOrNothing()},
                            {"account_age_seconds", Whole()}})},
      {"DriftFinding", Object(PropertiesOf(DriftFields()))},
      {"DriftList", ListOf("DriftFinding")},
      {"Diagnosis", Object({{"verdict", {{"type", "object"}}},
                            {"findings", {{"type", "array"}, {"items", {{"type", "object"}}}}},
                            {"age_seconds", Whole()}})},
      {"Health", Object({{"status", Text()}})},
      {"Readiness", Object({{"status", Text()}, {"components", {{"type", "object"}}}})},
      {"Metrics", Text()},
      {"OpenApi", {{"type", "object"}}}};
}

OrderedJson SchemaOf(const ParameterDef& parameter) {
  OrderedJson schema{{"type", parameter.type}};
  if (!parameter.values.empty()) schema["enum"] = parameter.values;
  return schema;
}

// "GET /v1/runs/{id}" is get_v1_runs_id.
std::string OperationId(const Route& route) {
  std::string id = route.method == "GET" ? "get" : "post";
  for (const char c : route.path) {
    if (c == '/' || c == '-' || c == '.') {
      id += '_';
    } else if (c != '{' && c != '}') {
      id += c;
    }
  }
  return id;
}

OrderedJson ParametersOf(const Route& route) {
  OrderedJson parameters = OrderedJson::array();
  for (std::size_t open = route.path.find('{'); open != std::string_view::npos;
       open = route.path.find('{', open + 1)) {
    const std::string_view name =
        route.path.substr(open + 1, route.path.find('}', open) - open - 1);
    parameters.push_back({{"name", name}, {"in", "path"}, {"required", true}, {"schema", Text()}});
  }
  for (const ParameterDef& parameter : route.query) {
    parameters.push_back({{"name", parameter.name},
                          {"in", "query"},
                          {"description", parameter.about},
                          {"schema", SchemaOf(parameter)}});
  }
  if (route.takes_idempotency_key) {
    parameters.push_back(
        {{"name", "Idempotency-Key"},
         {"in", "header"},
         {"description", "The same key with the same request has one effect, for 24 hours"},
         {"schema", {{"type", "string"}, {"minLength", 1}, {"maxLength", 255}}}});
  }
  return parameters;
}

OrderedJson ResponsesOf(const Route& route) {
  OrderedJson responses;
  responses[std::to_string(route.success)] = {
      {"description", route.summary},
      {"content", {{route.media, {{"schema", Reference(route.schema)}}}}}};
  std::vector<int> failures = route.failures;
  failures.push_back(400);
  failures.push_back(429);
  if (route.access != Access::kPublic) {
    failures.push_back(401);
    failures.push_back(403);
  }
  failures.push_back(503);
  std::sort(failures.begin(), failures.end());
  for (const int status : failures) {
    responses[std::to_string(status)] = {
        {"description", net::server::ReasonPhrase(status)},
        {"content", {{"application/problem+json", {{"schema", Reference("Problem")}}}}}};
  }
  return responses;
}

OrderedJson OperationOf(const Route& route) {
  OrderedJson operation{{"operationId", OperationId(route)}, {"summary", route.summary}};
  if (route.scope) operation["x-scope"] = NameOf(*route.scope);
  OrderedJson security = OrderedJson::array();
  if (route.access != Access::kScope) security.push_back(OrderedJson::object());
  if (route.scope) security.push_back({{"token", OrderedJson::array()}});
  operation["security"] = security;
  operation["parameters"] = ParametersOf(route);
  if (!route.body.empty()) {
    OrderedJson properties = OrderedJson::object(), required = OrderedJson::array();
    for (const ParameterDef& member : route.body) {
      properties[std::string(member.name)] = SchemaOf(member);
      properties[std::string(member.name)]["description"] = member.about;
      if (member.is_required) required.push_back(member.name);
    }
    const OrderedJson schema{{"type", "object"},
                             {"additionalProperties", false},
                             {"required", required},
                             {"properties", properties}};
    operation["requestBody"] = {{"required", true},
                                {"content", {{"application/json", {{"schema", schema}}}}}};
  }
  operation["responses"] = ResponsesOf(route);
  return operation;
}

}  // namespace

std::string MakeOpenApi(std::string_view version) {
  OrderedJson paths;
  for (const Route& route : Routes()) {
    const char* method = route.method == "GET" ? "get" : "post";
    paths[std::string(route.path)][method] = OperationOf(route);
  }
  const OrderedJson document{
      {"openapi", "3.1.0"},
      {"info",
       {{"title", "pcw"},
        {"version", version},
        {"description",
         "Partner Central and Marketplace data in one's own lake and PostgreSQL. "
         "Errors are problem+json; see docs/rest-api.md."}}},
      {"servers", OrderedJson::array({{{"url", "http://127.0.0.1:8080"}}})},
      {"paths", paths},
      {"components",
       {{"securitySchemes",
         {{"token",
           {{"type", "http"},
            {"scheme", "bearer"},
            {"description", "A token of `pcw token create`; x-scope names the scope it needs"}}}}},
        {"schemas", Schemas()}}}};
  return DumpJsonPretty(document);
}

}  // namespace pcw::api
