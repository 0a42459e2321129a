#include <vector>

#include "pcw/api/handlers.h"
#include "pcw/api/route.h"

namespace pcw::api {
namespace {

using identity::Scope;

constexpr std::size_t kBody = 64U << 10U;

const std::vector<std::string_view> kEntities{"opportunities", "leads", "solutions", "profiles",
                                              "aws_summaries"};
const std::vector<std::string_view> kRunStates{"queued",  "running", "stalled",  "succeeded",
                                               "partial", "failed",  "cancelled"};
const ParameterDef kLimit{"limit", "at most so many, 1 to 200", "integer"};
const ParameterDef kCursor{"cursor", "next_cursor of the page before, with the same filters"};
const ParameterDef kEntity{"entity", "only this entity", "string", kEntities};

// One row a route; the documentation is made of the same rows.
const std::vector<Route>& Table() {
  static const std::vector<Route> routes{
      {.method = "POST",
       .path = "/v1/connectors/{connector}/sync",
       .scope = Scope::kSyncRun,
       .max_body_bytes = kBody,
       .summary = "Ask for a sync of one entity; returns its open run if there is one",
       .body = {{"entity", "what to sync", "string", kEntities, true},
                {"mode", "incremental without it", "string", {"full", "incremental"}}},
       .success = 202,
       .schema = "RequestedRun",
       .failures = {404, 409, 413, 415, 422},
       .takes_idempotency_key = true,
       .handler = TriggerSync},
      {.method = "GET",
       .path = "/v1/connectors",
       .scope = Scope::kRunsRead,
       .summary = "The connectors and their entities",
       .schema = "ConnectorList",
       .handler = ListConnectors},
      {.method = "GET",
       .path = "/v1/connectors/{connector}/health",
       .scope = Scope::kRunsRead,
       .summary = "How old each entity's data is, and whether its runs end well",
       .schema = "ConnectorHealth",
       .failures = {404},
       .handler = ConnectorHealth},
      {.method = "GET",
       .path = "/v1/runs",
       .scope = Scope::kRunsRead,
       .summary = "Runs, newest first",
       .query =
           {kEntity, {"status", "only runs in this state", "string", kRunStates}, kLimit, kCursor},
       .schema = "RunList",
       .handler = ListRuns},
      {.method = "GET",
       .path = "/v1/runs/{id}",
       .scope = Scope::kRunsRead,
       .summary = "One run with its counters and its error",
       .schema = "Run",
       .failures = {404},
       .handler = ShowRun},
      {.method = "GET",
       .path = "/v1/runs/{id}/events",
       .scope = Scope::kRunsRead,
       .summary = "Progress of a run as server-sent events, until it ends",
       .schema = "EventStream",
       .media = "text/event-stream",
       .failures = {404},
       .handler = StreamRun},
      {.method = "POST",
       .path = "/v1/runs/{id}/cancel",
       .scope = Scope::kSyncRun,
       .max_body_bytes = kBody,
       .summary = "Ask a run to end; what it stored stays",
       .success = 202,
       .schema = "Run",
       .failures = {404, 409, 413, 415},
       .handler = CancelRun},
      {.method = "GET",
       .path = "/v1/dlq",
       .scope = Scope::kDlqRead,
       .summary = "Dead letters: records that could not be fetched or mapped, newest first",
       .query = {kEntity,
                 {"state", "open without it", "string", {"open", "settled", "dropped", "all"}},
                 {"run", "only letters of this run"},
                 {"limit", "at most so many, 1 to 1000", "integer"}},
       .schema = "DeadLetterList",
       .handler = ListDeadLetters},
      {.method = "GET",
       .path = "/v1/dlq/{id}",
       .scope = Scope::kDlqRead,
       .summary = "One dead letter",
       .schema = "DeadLetter",
       .failures = {404},
       .handler = ShowDeadLetter},
      {.method = "GET",
       .path = "/v1/quota",
       .scope = Scope::kRunsRead,
       .summary = "What is left of AWS's limits",
       .schema = "QuotaList",
       .failures = {404},
       .handler = ShowQuota},
      {.method = "GET",
       .path = "/v1/drift",
       .scope = Scope::kDataRead,
       .summary = "How AWS's answers depart from what is known, newest first",
       .query = {kEntity,
                 {"status", "open without it", "string", {"open", "accepted", "all"}},
                 {"limit", "at most so many, 1 to 1000", "integer"}},
       .schema = "DriftList",
       .handler = ListDrift},
      {.method = "GET",
       .path = "/v1/doctor",
       .scope = Scope::kRunsRead,
       .summary = "A diagnosis: findings, what to do next, whom to call; at most 30 seconds old",
       .schema = "Diagnosis",
       .failures = {404},
       .handler = Diagnose},
      {.method = "GET",
       .path = "/healthz",
       .access = Access::kPublic,
       .summary = "The process lives",
       .schema = "Health",
       .needs_database = false,
       .handler = ShowHealth},
      {.method = "GET",
       .path = "/readyz",
       .access = Access::kPublic,
       .summary = "Database, lake and credentials were usable within the last minute",
       .schema = "Readiness",
       .needs_database = false,
       .handler = ShowReadiness},
      {.method = "GET",
       .path = "/metrics",
       .access = Access::kLocalOrScope,
       .scope = Scope::kRunsRead,
       .summary = "Metrics for Prometheus; from this machine without a token",
       .schema = "Metrics",
       .media = "text/plain",
       .handler = ShowMetrics},
      {.method = "GET",
       .path = "/openapi.json",
       .access = Access::kPublic,
       .summary = "This description",
       .schema = "OpenApi",
       .needs_database = false,
       .handler = ShowOpenApi},
  };
  return routes;
}

}  // namespace

std::span<const Route> Routes() { return Table(); }

}  // namespace pcw::api
