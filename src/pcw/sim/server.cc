#include "pcw/sim/server.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "pcw/net/server/listener.h"
#include "pcw/sim/control.h"
#include "pcw/sim/events/bus_service.h"
#include "pcw/sim/partner_central/service.h"
#include "pcw/sim/s3/control.h"
#include "pcw/sim/s3/request.h"
#include "pcw/sim/s3/service.h"
#include "pcw/sim/sqs/service.h"
#include "pcw/sim/sqs/wire.h"

namespace pcw::sim {
namespace {

using net::server::Listener;
using net::server::ListenerOptions;
using net::server::Request;
using net::server::Responder;
using net::server::Response;

/// Answers control requests one after the other on a thread of its own: some take seconds.
class ControlThread {
 public:
  ControlThread(Service& service, S3Service& s3, BusService& bus)
      : service_(service),
        s3_(s3),
        bus_(bus),
        thread_([this](const std::stop_token& stop) { Run(stop); }) {}

  void Add(Request request, Responder responder) {
    const std::lock_guard lock(mutex_);
    waiting_.emplace_back(std::move(request), std::move(responder));
    arrived_.notify_one();
  }

 private:
  void Run(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (arrived_.wait(lock, stop, [this] { return !waiting_.empty(); })) {
      auto [request, responder] = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      responder.Send(IsS3Control(request.target)    ? AnswerS3Control(s3_, request)
                     : IsBusControl(request.target) ? bus_.Control(request)
                                                    : AnswerControl(service_, request));
      lock.lock();
    }
  }

  Service& service_;
  S3Service& s3_;
  BusService& bus_;
  std::mutex mutex_;
  std::condition_variable_any arrived_;
  std::deque<std::pair<Request, Responder>> waiting_;
  std::jthread thread_;  // last: it uses everything above
};

/// S3's largest part, and what its chunked form adds.
constexpr std::size_t kMaxS3Body = (64U << 20U) + (1U << 20U);
/// The largest request to any other service.
constexpr std::size_t kMaxBody = 1U << 20U;

/// Refuses what only S3 may be sent.
Response TooLarge() {
  return {413, {{"Content-Type", "text/plain"}}, "the body is too large for this service\n"};
}

}  // namespace

struct SimServer::State {
  SystemClock system_clock;
  std::unique_ptr<Service> service;
  std::unique_ptr<S3Service> s3;
  std::unique_ptr<SqsService> sqs;
  std::unique_ptr<BusService> bus;
  std::unique_ptr<ControlThread> control;
  std::unique_ptr<Listener> listener;
};

SimServer::SimServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
SimServer::~SimServer() { Stop(); }

Result<std::unique_ptr<SimServer>> SimServer::Start(SimOptions options) {
  auto state = std::make_unique<State>();
  const Clock& clock = options.clock != nullptr ? *options.clock : state->system_clock;
  PCW_TRY(state->service, Service::Create(options, clock));
  state->s3 = std::make_unique<S3Service>(options, clock, *state->service);
  state->sqs = std::make_unique<SqsService>(options, clock, *state->service);
  state->bus = std::make_unique<BusService>(options, clock, *state->service);
  state->control = std::make_unique<ControlThread>(*state->service, *state->s3, *state->bus);

  ListenerOptions listen;
  listen.port = options.port;
  listen.threads = options.threads;
  listen.max_header_bytes = 16U << 10U;
  listen.max_body_bytes = kMaxS3Body;
  listen.body = std::chrono::minutes(1);
  listen.idle = std::chrono::minutes(10);
  listen.raw_replies = net::server::RawReplies::kAllowed;
  const auto handle = [service = state->service.get(), s3 = state->s3.get(), sqs = state->sqs.get(),
                       bus = state->bus.get(),
                       control = state->control.get()](Request request, Responder responder) {
    // A key of a virtual-host bucket may begin like a control path; control requests are unsigned.
    if (request.target.starts_with(kControlPrefix) && !request.Header("Authorization")) {
      control->Add(std::move(request), std::move(responder));
    } else if (IsS3(request)) {
      responder.Send(s3->Handle(std::move(request)));
    } else if (IsSqs(request)) {
      responder.Send(sqs->Handle(request));
    } else if (IsEventBridge(request)) {
      responder.Send(bus->Handle(request));
    } else if (request.body.size() > kMaxBody) {
      responder.Send(TooLarge());
    } else {
      responder.Send(service->Handle(request));
    }
  };
  PCW_TRY(state->listener, Listener::Start(std::move(listen), handle));
  return std::unique_ptr<SimServer>(new SimServer(std::move(state)));
}

std::uint16_t SimServer::port() const { return state_->listener->port(); }
std::string SimServer::url() const { return fmt::format("http://127.0.0.1:{}", port()); }
CallTotals SimServer::totals() const { return state_->service->ledger().totals(); }
void SimServer::ReplaceFaults(FaultPlan plan) {
  state_->service->faults().Replace(std::move(plan));
}

void SimServer::Stop() {
  if (state_->listener) state_->listener->Stop();
}

}  // namespace pcw::sim
