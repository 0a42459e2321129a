// The REST interface as a whole: listener, checks, workers, what handlers share.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "pcw/api/deps.h"
#include "pcw/api/line_limit.h"
#include "pcw/api/metrics.h"
#include "pcw/api/rate_limit.h"
#include "pcw/api/readiness.h"
#include "pcw/api/route.h"
#include "pcw/api/router.h"
#include "pcw/api/run_events.h"
#include "pcw/api/token_watch.h"
#include "pcw/api/worker_pool.h"
#include "pcw/identity/token.h"
#include "pcw/identity/token_check.h"
#include "pcw/net/server/address_set.h"
#include "pcw/net/server/listener.h"

namespace pcw::api {

struct ApiOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  ///< 0 = any free one
  std::string tls_cert, tls_key;
  std::size_t max_connections_per_address = 256;
  int requests_per_second = 100;  ///< per token, and per address without one; 0 = no limit
  net::server::AddressSet trusted_proxies = {};  ///< whose X-Forwarded-For counts
  std::size_t workers = 4;                       ///< threads that speak SQL
  std::size_t most_waiting = 1024;
};

/// Serves the routes until stopped. Thread-safe.
///
/// A request passes, in this order: the listener's own rules; route and method (404, 405); media
/// type and size, before its body is read (415, 413); the form of its token (401); its rate (429);
/// then, on a worker: the token itself (401), its scope (403), its parameters, the handler. Every
/// answer has a request id. Every request has one line in the log, but those that show no right
/// token or come too fast share one an address (or token) and minute.
///
/// Rates: /healthz and /readyz have none. A token that was right lately has its own rate, whatever
/// comes from the same address. Of what comes without a token, what comes with one that nobody has
/// seen yet, and scrapes of /metrics without one, each address has a rate of its own. The address
/// is the client's, not that of a trusted proxy.
class Api {
 public:
  /// kConfig if the address cannot be bound or the certificate cannot be used.
  static Result<std::unique_ptr<Api>> Start(ApiDeps deps, ApiOptions options);
  ~Api();
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  std::uint16_t port() const { return listener_->port(); }

  /// Accepts nothing more, ends event streams, lets requests finish for at most `grace`.
  /// Idempotent.
  void Stop(std::chrono::milliseconds grace);

  /// Takes certificate and key from their files again. kConfig; the ones in force stay.
  Status ReloadTls() { return listener_->ReloadTls(); }

  // For handlers.
  ApiDeps& deps() { return deps_; }
  Readiness& readiness() { return *readiness_; }
  RunEvents& events() { return *events_; }
  Metrics& metrics() { return metrics_; }
  const std::string& openapi() const { return openapi_; }
  /// The key of this database's page cursors.
  Result<std::string> CursorKey(Call& call);

 private:
  struct Pending;
  struct Admitted {
    Match match;
    std::optional<identity::Token> token;  ///< absent on open routes
  };

  Api(ApiDeps deps, const ApiOptions& options);
  void Handle(net::server::Request request, const net::server::Responder& responder);
  /// What can be said without a database. `body_bytes` is announced or arrived.
  Result<Admitted> Admit(const net::server::Request& request, std::uint64_t body_bytes) const;
  Status CheckRates(const Pending& pending, const Result<Admitted>& admitted);
  Status CheckTokenRate(const std::string& client, const identity::Token& token);
  /// `session` is null on routes that need no database.
  void Process(const std::shared_ptr<Pending>& pending, WorkerSession* session,
               std::stop_token stop);
  RouteAnswer Run(Pending& pending, WorkerSession* session, std::stop_token stop);
  Status Authenticate(Pending& pending, WorkerSession& session, std::stop_token stop);
  void Answer(const Pending& pending, net::server::Response response);
  void Fail(const Pending& pending, const Error& error);
  bool IsNews(const Error& error);
  std::optional<std::uint64_t> LinesLeftOut(const Pending& pending, int status);
  void Note(const Pending& pending, int status);

  ApiDeps deps_;
  const net::server::AddressSet trusted_proxies_;
  identity::TokenCheck tokens_;
  RateLimit addresses_, token_rates_;
  LineLimit lines_;
  Metrics metrics_;
  const std::string openapi_;
  std::mutex mutex_;
  std::string cursor_key_;
  std::unique_ptr<Readiness> readiness_;
  std::unique_ptr<TokenWatch> token_watch_;
  std::unique_ptr<RunEvents> events_;
  std::unique_ptr<WorkerPool> pool_;
  std::unique_ptr<WorkerPool> slow_pool_;  ///< for routes that may wait for others than PostgreSQL
  std::unique_ptr<net::server::Listener> listener_;
  std::atomic<bool> is_stopped_{false};
  std::atomic<SteadyTime> next_outage_line_{SteadyTime{}};
};

}  // namespace pcw::api
