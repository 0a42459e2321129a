#include "pcw/net/server/listener.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include "pcw/base/log.h"
#include "pcw/net/server/connection.h"
#include "pcw/net/server/tls.h"
#include "pcw/net/server/worker.h"

namespace pcw::net::server {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;

constexpr milliseconds kAcceptPause{100};

Response DefaultRefusal(int status, std::string_view why) {
  return {status,
          {{"Content-Type", "application/problem+json"}},
          fmt::format(R"({{"status":{},"title":"{}"}})", status, why)};
}

/// Accepts on the first worker's thread and deals connections out in turn.
class Acceptor {
 public:
  Acceptor(std::vector<std::shared_ptr<Worker>>& workers)
      : workers_(workers), acceptor_(workers.front()->io), pause_(workers.front()->io) {}

  Status Bind(const std::string& address, std::uint16_t port) {
    error_code problem;
    const auto ip = asio::ip::make_address(address, problem);
    const tcp::endpoint endpoint(ip, port);
    if (!problem) acceptor_.open(endpoint.protocol(), problem);
    if (!problem) acceptor_.set_option(tcp::acceptor::reuse_address(true), problem);
    if (!problem) acceptor_.bind(endpoint, problem);
    if (!problem) acceptor_.listen(asio::socket_base::max_listen_connections, problem);
    if (!problem) port_ = acceptor_.local_endpoint(problem).port();
    if (problem) {
      return Error(ErrorCode::kConfig,
                   fmt::format("cannot listen on {}:{}: {}", address, port, problem.message()));
    }
    return Ok{};
  }

  void Accept() {
    const std::shared_ptr<Worker>& worker = workers_[next_++ % workers_.size()];
    acceptor_.async_accept(worker->io, [this, worker](error_code problem, tcp::socket socket) {
      if (problem == asio::error::operation_aborted || !acceptor_.is_open()) return;
      if (problem) {
        // Out of descriptors: the connection waits in the backlog until some are free again.
        worker->shared->turned_away.fetch_add(1, std::memory_order_relaxed);
        pause_.expires_after(kAcceptPause);
        pause_.async_wait([this](error_code cancelled) {
          if (!cancelled && acceptor_.is_open()) Accept();
        });
        return;
      }
      Hand(worker, std::move(socket));
      Accept();
    });
  }

  void Close() {
    error_code ignored;  // nothing is left to accept
    acceptor_.close(ignored);
    pause_.cancel();
  }

  std::uint16_t port() const { return port_; }

 private:
  static void Hand(const std::shared_ptr<Worker>& worker, tcp::socket socket) {
    error_code problem;
    const tcp::endpoint remote = socket.remote_endpoint(problem);
    if (problem) return;  // it left already
    std::string peer = remote.address().to_string();
    const Seat seat = worker->shared->admission.Enter(peer);
    (seat == Seat::kTaken ? worker->shared->accepted : worker->shared->turned_away)
        .fetch_add(1, std::memory_order_relaxed);
    if (seat == Seat::kNone) return;
    auto connection =
        std::make_shared<Connection>(worker, std::move(socket), std::move(peer), seat);
    worker->Post([connection] { connection->Start(); });
  }

  std::vector<std::shared_ptr<Worker>>& workers_;
  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  std::size_t next_ = 0;
  std::uint16_t port_ = 0;
};

}  // namespace

struct Listener::State {
  std::shared_ptr<Shared> shared;
  std::vector<std::shared_ptr<Worker>> workers;
  std::unique_ptr<Acceptor> acceptor;
  std::vector<std::jthread> threads;
  std::mutex stop_mutex;
  bool stopped = false;
};

Listener::Listener(std::unique_ptr<State> state) : state_(std::move(state)) {}
Listener::~Listener() { Stop(); }

Result<std::unique_ptr<Listener>> Listener::Start(ListenerOptions options, Handler handler) {
  if (options.threads < 1 || options.threads > 64) {
    return Error(ErrorCode::kConfig, "the listener needs 1 to 64 threads");
  }
  if (!options.refusal) options.refusal = DefaultRefusal;
  const std::string address = options.address;
  const std::uint16_t port = options.port;
  const auto threads = static_cast<std::size_t>(options.threads);

  auto state = std::make_unique<State>();
  try {
    std::shared_ptr<asio::ssl::context> tls;
    if (!options.tls_cert.empty()) {
      PCW_TRY(tls, MakeTlsContext(options.tls_cert, options.tls_key));
    }
    state->shared =
        std::make_shared<Shared>(std::move(options), std::move(handler), std::move(tls));
    for (std::size_t i = 0; i < threads; ++i) {
      state->workers.push_back(std::make_shared<Worker>(state->shared));
    }
    state->acceptor = std::make_unique<Acceptor>(state->workers);
    PCW_TRY_OK(state->acceptor->Bind(address, port));
    state->acceptor->Accept();
    for (const auto& worker : state->workers) {
      state->threads.emplace_back([worker] { worker->Run(); });
    }
  } catch (const std::exception& problem) {
    // Threads that run already have to end, or their owner waits for them for ever.
    for (const auto& worker : state->workers) worker->Post([worker] { worker->Finish(); });
    return Error(ErrorCode::kConfig, fmt::format("cannot start the listener: {}", problem.what()));
  }
  return std::unique_ptr<Listener>(new Listener(std::move(state)));
}

std::uint16_t Listener::port() const { return state_->acceptor->port(); }

void Listener::Stop(milliseconds grace) {
  const std::lock_guard lock(state_->stop_mutex);
  if (std::exchange(state_->stopped, true)) return;
  state_->workers.front()->Post([this] { state_->acceptor->Close(); });
  for (const auto& worker : state_->workers) {
    worker->Post([worker] { worker->Drain(); });
  }
  const auto until = std::chrono::steady_clock::now() + grace;
  while (state_->shared->admission.open() > 0 && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::min(grace, milliseconds(5)));
  }
  for (const auto& worker : state_->workers) {
    worker->Post([worker] { worker->Finish(); });
  }
  for (std::jthread& thread : state_->threads) {
    if (thread.joinable()) thread.join();
  }
  for (const auto& worker : state_->workers) worker->Close();
}

Status Listener::ReloadTls() {
  const ListenerOptions& options = state_->shared->options;
  if (options.tls_cert.empty()) return Ok{};
  PCW_TRY(auto tls, MakeTlsContext(options.tls_cert, options.tls_key));
  state_->shared->SetTls(std::move(tls));
  return Ok{};
}

ListenerStats Listener::stats() const {
  const Shared& shared = *state_->shared;
  return {shared.accepted.load(), shared.turned_away.load(), shared.requests.load(),
          shared.refused.load(), shared.admission.open()};
}

}  // namespace pcw::net::server
