#include "pcw/api/api.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/api/bodies.h"
#include "pcw/api/openapi.h"
#include "pcw/api/problem.h"
#include "pcw/base/digest.h"
#include "pcw/base/hex.h"
#include "pcw/base/log.h"
#include "pcw/base/uuid.h"
#include "pcw/identity/answer_store.h"

namespace pcw::api {
namespace {

using net::server::Request;
using net::server::Responder;
using net::server::Response;

constexpr std::size_t kMostBody = 64U << 10U;
constexpr std::chrono::seconds kBetweenOutageLines{10};
constexpr std::size_t kSlowWorkers = 2;
constexpr std::size_t kMostSlowWaiting = 16;

Error Unauthorized() { return ApiError(401, "unauthorized", "a valid bearer token is required"); }

Error TooFast() {
  return ApiError(429, "rate_limited", "too many requests; slow down and try again");
}

// From this machine, and not handed on by a proxy that runs on it.
bool IsLocal(const Request& request) {
  const std::string_view peer = request.peer;
  const bool is_loopback =
      peer.starts_with("127.") || peer == "::1" || peer.starts_with("::ffff:127.");
  return is_loopback && !request.Header("X-Forwarded-For") && !request.Header("Forwarded") &&
         !request.Header("X-Real-IP") && !request.Header("Via");
}

}  // namespace

struct Api::Pending {
  Pending(Request request_in, const Responder& responder_in)
      : request(std::move(request_in)), responder(responder_in) {}

  const Request request;
  const Responder responder;
  std::string request_id;
  std::string client;  ///< its address, not a proxy's
  SteadyTime began;
  Admitted admitted;
  identity::Principal principal;
};

Api::Api(ApiDeps deps, const ApiOptions& options)
    : deps_(std::move(deps)),
      trusted_proxies_(options.trusted_proxies),
      tokens_(deps_.clock),
      addresses_(options.requests_per_second, 2.0 * options.requests_per_second, deps_.clock,
                 deps_.rng),
      token_rates_(options.requests_per_second, 2.0 * options.requests_per_second, deps_.clock,
                   deps_.rng),
      lines_(deps_.clock),
      metrics_(deps_),
      openapi_(MakeOpenApi(deps_.version)) {}

Result<std::unique_ptr<Api>> Api::Start(ApiDeps deps, ApiOptions options) {
  std::unique_ptr<Api> api(new Api(std::move(deps), options));
  Api* const self = api.get();
  api->pool_ = std::make_unique<WorkerPool>(options.workers, options.most_waiting,
                                            api->deps_.open_session, api->deps_.clock);
  api->slow_pool_ = std::make_unique<WorkerPool>(kSlowWorkers, kMostSlowWaiting,
                                                 api->deps_.open_session, api->deps_.clock);
  api->token_watch_ = std::make_unique<TokenWatch>(
      api->deps_.open_session, api->deps_.default_tenant, api->deps_.clock, api->deps_.sleeper);
  api->events_ = std::make_unique<RunEvents>(api->deps_.open_session, api->deps_.clock,
                                             [self](const std::string& token_id, SteadyTime since) {
                                               return self->token_watch_->IsGone(token_id, since);
                                             });
  api->readiness_ =
      std::make_unique<Readiness>(api->deps_.readiness, api->deps_.clock, api->deps_.sleeper);
  net::server::ListenerOptions listen;
  listen.address = options.address;
  listen.port = options.port;
  listen.max_body_bytes = kMostBody;
  listen.max_connections_per_address = options.max_connections_per_address;
  listen.is_shared_address = [self](const std::string& peer) {
    return self->trusted_proxies_.Contains(peer);
  };
  listen.max_requests_per_connection = 100;
  listen.body = std::chrono::seconds(30);
  listen.tls_cert = options.tls_cert;
  listen.tls_key = options.tls_key;
  listen.refusal = [self](int status, std::string_view why) {
    return RefusalResponse(status, why, MakeUuidV7(self->deps_.clock.Now(), self->deps_.rng));
  };
  listen.head_check = [self](const Request& head,
                             std::uint64_t body_bytes) -> std::optional<Response> {
    const auto admitted = self->Admit(head, body_bytes);
    if (admitted) return std::nullopt;
    return ProblemResponse(admitted.error(), MakeUuidV7(self->deps_.clock.Now(), self->deps_.rng));
  };
  PCW_TRY(api->listener_,
          net::server::Listener::Start(std::move(listen),
                                       [self](Request request, const Responder& responder) {
                                         self->Handle(std::move(request), responder);
                                       }));
  return api;
}

Api::~Api() { Stop(std::chrono::milliseconds(0)); }

void Api::Stop(std::chrono::milliseconds grace) {
  if (is_stopped_.exchange(true)) return;
  if (events_) events_->Stop();
  // First the listener: what it has handed over is still answered by the pool meanwhile.
  if (listener_) listener_->Stop(grace);
  for (const auto& pool : {pool_.get(), slow_pool_.get()}) {
    if (pool != nullptr) pool->Stop(std::chrono::milliseconds(0));
  }
  token_watch_.reset();
  readiness_.reset();
}

Result<Api::Admitted> Api::Admit(const Request& request, std::uint64_t body_bytes) const {
  Admitted admitted;
  PCW_TRY(admitted.match, FindRoute(Routes(), request.method, PathOf(request.target)));
  const Route& route = *admitted.match.route;
  if (body_bytes > 0 && route.max_body_bytes == 0)
    return ApiError(400, "malformed_request", "this route takes no body");
  if (body_bytes > route.max_body_bytes) {
    return ApiError(413, "body_too_large",
                    fmt::format("a body may have {} bytes here", route.max_body_bytes));
  }
  if (route.max_body_bytes > 0) PCW_TRY_OK(CheckMediaType(request));
  const bool is_open =
      route.access == Access::kPublic ||
      (route.access == Access::kLocalOrScope && IsLocal(request) &&
       !trusted_proxies_.Contains(request.peer) && !request.Header("Authorization"));
  if (is_open) return admitted;
  const auto bearer = BearerOf(request);
  if (bearer) admitted.token = identity::ParseToken(*bearer);
  if (!admitted.token) return Unauthorized();
  return admitted;
}

void Api::Handle(Request request, const Responder& responder) {
  auto pending = std::make_shared<Pending>(std::move(request), responder);
  pending->request_id = MakeUuidV7(deps_.clock.Now(), deps_.rng);
  pending->began = deps_.clock.Steady();
  pending->client = net::server::ClientOf(pending->request, trusted_proxies_);
  Result<Admitted> admitted = Admit(pending->request, pending->request.body.size());
  if (admitted) pending->admitted = *admitted;
  if (Status rates = CheckRates(*pending, admitted); !rates) return Fail(*pending, rates.error());
  if (!admitted) return Fail(*pending, admitted.error());
  const Route& route = *pending->admitted.match.route;
  if (!route.needs_database) {
    // These look at memory only.
    return Process(pending, nullptr, {});
  }
  WorkerPool& pool = route.is_slow ? *slow_pool_ : *pool_;
  const bool is_taken = pool.Submit([this, pending](WorkerSession& session, std::stop_token stop) {
    Process(pending, &session, std::move(stop));
  });
  if (!is_taken) Fail(*pending, ApiError(503, "busy", "too many requests are waiting"));
}

Status Api::CheckRates(const Pending& pending, const Result<Admitted>& admitted) {
  if (admitted && admitted->token) return CheckTokenRate(pending.client, *admitted->token);
  if (admitted && admitted->match.route->is_health) return Ok{};
  // Without a token. What scrapes has its own, beside whatever else comes from the address.
  const bool is_scrape = admitted && admitted->match.route->access == Access::kLocalOrScope;
  return addresses_.Allows((is_scrape ? "scrape " : "open ") + pending.client) ? Status(Ok{})
                                                                               : TooFast();
}

// A secret has 256 bits, so nobody is kept from guessing for its sake; what is kept bounded is the
// number of look-ups, and nobody pays for another's guesses.
Status Api::CheckTokenRate(const std::string& client, const identity::Token& token) {
  switch (tokens_.Judge(token)) {
    case identity::Recalled::kRight:
    case identity::Recalled::kWasRight:
      return token_rates_.Allows(token.id) ? Status(Ok{}) : TooFast();
    case identity::Recalled::kWrong:
      return addresses_.Allows("wrong " + client) ? Unauthorized() : TooFast();
    case identity::Recalled::kUnknown:
      break;
  }
  // The first use of a token in this process is looked up, whatever floods the address.
  if (token_watch_->Knows(token.id)) return Ok{};
  return addresses_.Allows("unseen " + client) ? Status(Ok{}) : TooFast();
}

void Api::Process(const std::shared_ptr<Pending>& pending, WorkerSession* session,
                  std::stop_token stop) {
  const LogScope scope({{"request_id", pending->request_id}});
  RouteAnswer answer = Run(*pending, session, stop);
  if (!answer && answer.error().code() == ErrorCode::kUnavailable &&
      !answer.error().Find("api_code") && session != nullptr) {
    // A session that was lost while it rested says so at its next use: once more with a new one.
    session->Tidy();
    answer = Run(*pending, session, stop);
  }
  if (!answer) return Fail(*pending, answer.error());
  if (*answer) {
    Answer(*pending, std::move(**answer));
  } else {
    Note(*pending, 200);
  }
}

Status Api::Authenticate(Pending& pending, WorkerSession& session, std::stop_token stop) {
  const auto& token = pending.admitted.token;
  if (!token) {
    pending.principal.tenant_id = deps_.default_tenant;
    return Ok{};
  }
  if (const auto recalled = tokens_.Recall(*token)) {
    pending.principal = *recalled;
  } else {
    PCW_TRY(pg::Connection * connection, session.In(deps_.default_tenant, stop));
    Result<identity::Principal> checked = tokens_.Check(*connection, *token, stop);
    if (!checked) {
      if (checked.error().code() != ErrorCode::kUnauthenticated) return checked.error();
      return Unauthorized();
    }
    pending.principal = std::move(*checked);
    PCW_TRY(connection, session.In(pending.principal.tenant_id, stop));
    PCW_TRY_OK(identity::NoteTokenUse(*connection, token->id, stop));
  }
  const std::optional<identity::Scope> needed = pending.admitted.match.route->scope;
  if (!needed) return Error(ErrorCode::kInternal, "the route names no scope");
  if (!pending.principal.scopes.Allows(*needed)) {
    return ApiError(403, "forbidden",
                    fmt::format("this needs a token with the scope {}", NameOf(*needed)));
  }
  return Ok{};
}

RouteAnswer Api::Run(Pending& pending, WorkerSession* session, std::stop_token stop) {
  const Route& route = *pending.admitted.match.route;
  pg::Connection* connection = nullptr;
  std::shared_ptr<const TenantDeps> tenant;
  if (session != nullptr) {
    PCW_TRY_OK(Authenticate(pending, *session, stop));
    PCW_TRY(connection, session->In(pending.principal.tenant_id, stop));
    tenant = deps_.tenant(pending.principal.tenant_id);
  }
  std::vector<std::string_view> known;
  for (const ParameterDef& parameter : route.query) known.push_back(parameter.name);
  PCW_TRY(auto query, ReadQuery(pending.request.target, known));
  Call call{.request = pending.request,
            .responder = pending.responder,
            .request_id = pending.request_id,
            .path = pending.admitted.match.path,
            .query = std::move(query),
            .principal = pending.principal,
            .tenant = tenant.get(),
            .connection_or_null = connection,
            .stop = std::move(stop)};
  return route.handler(*this, call);
}

void Api::Answer(const Pending& pending, Response response) {
  response.headers.emplace_back("X-Request-Id", pending.request_id);
  response.headers.emplace_back("Cache-Control", "no-store");
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  Note(pending, response.status);
  pending.responder.Send(std::move(response));
}

void Api::Fail(const Pending& pending, const Error& error) {
  Response response = ProblemResponse(error, pending.request_id);
  if (response.status >= 500 && !error.Find("api_code") && IsNews(error)) {
    const LogScope scope({{"request_id", pending.request_id}});
    LogError("request failed", error);
  }
  Note(pending, response.status);
  pending.responder.Send(std::move(response));
}

// A database that is away fails every request in the same way: one of them in ten seconds says so,
// the others have their line with the status.
bool Api::IsNews(const Error& error) {
  if (error.code() != ErrorCode::kUnavailable && error.code() != ErrorCode::kTimeout) return true;
  const SteadyTime now = deps_.clock.Steady();
  SteadyTime next = next_outage_line_.load();
  return now >= next && next_outage_line_.compare_exchange_strong(next, now + kBetweenOutageLines);
}

// One line a request, of bounded length: the route and not the target.
void Api::Note(const Pending& pending, int status) {
  const Route* const route = pending.admitted.match.route;
  const std::string_view path = route == nullptr ? "-" : route->path;
  metrics_.Count(route == nullptr ? "-" : route->method, path, status);
  const bool is_probe = route != nullptr && route->access != Access::kScope;
  const LogLevel level = is_probe && status < 500 ? LogLevel::kDebug : LogLevel::kInfo;
  if (!LogEnabled(level)) return;
  const std::optional<std::uint64_t> left_out = LinesLeftOut(pending, status);
  if (!left_out) return;
  const auto took =
      std::chrono::duration_cast<std::chrono::microseconds>(deps_.clock.Steady() - pending.began);
  LogFields fields{{"method", pending.request.method.substr(0, 16)},
                   {"route", std::string(path)},
                   {"status", std::to_string(status)},
                   {"request_id", pending.request_id},
                   {"elapsed_us", std::to_string(took.count())}};
  if (!pending.principal.token_id.empty()) {
    fields.emplace_back("principal", pending.principal.name);
    fields.emplace_back("token", pending.principal.token_id);
    fields.emplace_back("tenant", pending.principal.tenant_id);
  } else {
    fields.emplace_back("client", pending.client);
  }
  if (*left_out > 0) fields.emplace_back("lines_left_out", std::to_string(*left_out));
  Log(level, "request", fields);
}

// A request of a right token has its line. Of the others, and of those that were too fast for their
// token, one a minute: their number is up to whoever sends them.
std::optional<std::uint64_t> Api::LinesLeftOut(const Pending& pending, int status) {
  if (!pending.principal.token_id.empty()) return 0;
  const bool is_too_fast_token =
      status == 429 && pending.admitted.token &&
      tokens_.Judge(*pending.admitted.token) >= identity::Recalled::kWasRight;
  return lines_.Allows(is_too_fast_token ? "token " + pending.admitted.token->id
                                         : "client " + pending.client);
}

Result<std::string> Api::CursorKey(Call& call) {
  {
    const std::lock_guard lock(mutex_);
    if (!cursor_key_.empty()) return cursor_key_;
  }
  PCW_TRY(const std::string hex, identity::LoadCursorKeyHex(call.connection(), call.stop));
  std::optional<std::string> key = HexDecode(hex);
  if (!key) return Error(ErrorCode::kInternal, "the key of cursors is not hex");
  const std::lock_guard lock(mutex_);
  cursor_key_ = std::move(*key);
  return cursor_key_;
}

}  // namespace pcw::api
