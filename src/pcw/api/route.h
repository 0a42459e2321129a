// A route as data: what the router, the checks, the handlers and OpenAPI are all driven by.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/api/deps.h"
#include "pcw/base/assert.h"
#include "pcw/base/json.h"
#include "pcw/identity/token_check.h"
#include "pcw/net/server/listener.h"
#include "pcw/pg/connection.h"

namespace pcw::api {

class Api;

/// One request on its way through its handler. Lives as long as the handler runs.
struct Call {
  const net::server::Request& request;
  const net::server::Responder& responder;  ///< for handlers that stream
  const std::string& request_id;
  std::vector<std::string> path;             ///< what stood for {..}, in order
  std::map<std::string, std::string> query;  ///< known names only
  const identity::Principal& principal;      ///< empty on public routes
  const TenantDeps* tenant;                  ///< nullptr: nothing is configured for it here
  pg::Connection* connection_or_null;        ///< none for routes without a database
  std::stop_token stop;

  /// The session; its tenant is the principal's. Only on routes that need the database.
  pg::Connection& connection() const {
    PCW_ASSERT(connection_or_null != nullptr);
    return *connection_or_null;
  }
};

/// The answer, or nullopt if the handler took the responder for itself. A handler whose session was
/// lost is called once more with a new one, so it must be safe to repeat.
using RouteAnswer = Result<std::optional<net::server::Response>>;
using RouteHandler = RouteAnswer (*)(Api& api, Call& call);

/// Who may come in without a scope.
enum class Access {
  kScope,        ///< needs a token with the route's scope
  kPublic,       ///< everybody
  kLocalOrScope  ///< from this machine without a token, else as kScope
};

/// A query parameter or a member of a request body, for checks and for OpenAPI.
struct ParameterDef {
  std::string_view name;
  std::string_view about;
  std::string_view type = "string";           ///< of JSON schema
  std::vector<std::string_view> values = {};  ///< all that are allowed; empty = any
  bool is_required = false;
};

struct Route {
  std::string_view method;  ///< GET also answers HEAD
  std::string_view path;    ///< "/v1/runs/{id}"
  Access access = Access::kScope;
  std::optional<identity::Scope> scope = {};
  std::size_t max_body_bytes = 0;  ///< 0 = a body is an error
  std::string_view summary;
  std::vector<ParameterDef> query = {};
  std::vector<ParameterDef> body = {};
  int success = 200;
  std::string_view schema = {};  ///< of the answer, a name in openapi.cc
  std::string_view media = "application/json";
  std::vector<int> failures = {};  ///< beyond those of every route
  bool takes_idempotency_key = false;
  bool needs_database = true;  ///< runs in the pool of workers
  bool is_slow = false;        ///< may wait for lake or AWS: in a pool of its own
  bool is_health = false;      ///< has no limit of requests
  RouteHandler handler = nullptr;
};

/// Every route there is. The order is the order of the documentation.
std::span<const Route> Routes();

}  // namespace pcw::api
