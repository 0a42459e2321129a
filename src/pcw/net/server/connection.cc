#include "pcw/net/server/connection.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <utility>

#include <boost/asio/ssl/stream_base.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "pcw/base/log.h"
#include "pcw/net/server/head_rules.h"

namespace pcw::net::server {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using std::chrono::milliseconds;

constexpr std::size_t kReadChunk = 16U << 10U;
constexpr std::size_t kMaxDiscarded = 64U << 10U;
constexpr milliseconds kDiscardTime{1'000};
constexpr milliseconds kPaceStep{50};
constexpr milliseconds kUnacknowledged{30'000};

// Whether the first bytes of a request are a method and a target that goes on behind them.
bool IsLongTarget(std::string_view first) {
  const std::size_t space = first.find(' ');
  return first.find('\n') == std::string_view::npos && space < 16 &&
         first.substr(space).starts_with(" /");
}

Refusal RefusalOf(const boost::system::error_code& problem) {
  if (problem == http::error::header_limit) return {431, "the header is too large"};
  if (problem == http::error::body_limit) return {413, "the body is too large"};
  if (problem == http::error::bad_version) return {505, "HTTP/1.1 is required"};
  return {400, "the request is not well-formed HTTP"};
}

}  // namespace

/// Remembers whether a request was answered, and answers 500 if nobody did.
class PendingReply {
 public:
  explicit PendingReply(std::shared_ptr<Connection> connection)
      : connection_(std::move(connection)) {}
  ~PendingReply() {
    if (!sent_.exchange(true)) connection_->Complete(Response{500, {}, ""});
  }
  PendingReply(const PendingReply&) = delete;
  PendingReply& operator=(const PendingReply&) = delete;

  void Send(Reply reply) {
    if (!sent_.exchange(true)) connection_->Complete(std::move(reply));
  }

  std::shared_ptr<StreamState> Stream(Response head) {
    auto state = std::make_shared<StreamState>(connection_);
    if (sent_.exchange(true)) {
      state->is_open = false;
      state->has_ended = true;
    } else {
      connection_->BeginStream(state, std::move(head));
    }
    return state;
  }

 private:
  const std::shared_ptr<Connection> connection_;
  std::atomic<bool> sent_{false};
};

void Responder::Send(Reply reply) const { pending_->Send(std::move(reply)); }

ResponseStream Responder::Stream(Response head) const {
  return ResponseStream(pending_->Stream(std::move(head)));
}

Connection::Connection(std::shared_ptr<Worker> worker, asio::ip::tcp::socket socket,
                       std::string peer, Seat seat)
    : worker_(std::move(worker)),
      socket_(std::move(socket)),
      deadline_timer_(worker_->io),
      pace_timer_(worker_->io),
      peer_(std::move(peer)),
      seat_(seat),
      buffer_(worker_->shared->options.max_header_bytes + kReadChunk) {}

void Connection::Start() {
  worker_->connections.insert(shared_from_this());
  ErrorCode ignored;  // a socket without the option works, only slower
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  tls_context_ = worker_->shared->tls();
  if (tls_context_) {
    ShakeHands();
  } else {
    NextRequest();
  }
}

template <typename Buffers, typename Handler>
void Connection::ReadSome(const Buffers& buffers, Handler handler) {
  if (tls_) {
    tls_->async_read_some(buffers, std::move(handler));
  } else {
    socket_.async_read_some(buffers, std::move(handler));
  }
}

// Writes all of out_.
template <typename Handler>
void Connection::WriteOut(Handler handler) {
  if (tls_) {
    asio::async_write(*tls_, asio::buffer(out_), std::move(handler));
  } else {
    asio::async_write(socket_, asio::buffer(out_), std::move(handler));
  }
}

void Connection::ShakeHands() {
  tls_.emplace(socket_, *tls_context_);
  phase_ = Phase::kHandshake;
  SetDeadline(seat_ == Seat::kTurnedAway ? worker_->shared->options.turned_away
                                         : worker_->shared->options.header);
  tls_->async_handshake(asio::ssl::stream_base::server,
                        [self = shared_from_this()](ErrorCode problem) {
                          if (problem || self->phase_ != Phase::kHandshake) {
                            self->Close();
                          } else {
                            self->NextRequest();
                          }
                        });
}

void Connection::NextRequest() {
  if (worker_->draining()) {
    Close();
    return;
  }
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(worker_->shared->options.max_header_bytes));
  parser_->body_limit(worker_->shared->options.max_body_bytes);
  line_seen_ = head_seen_ = false;
  if (buffer_.size() > 0) {
    phase_ = Phase::kHeader;
    SetDeadline(worker_->shared->options.header);
    Feed();
    return;
  }
  phase_ = Phase::kIdle;
  SetDeadline(seat_ == Seat::kTurnedAway ? worker_->shared->options.turned_away
                                         : worker_->shared->options.idle);
  Read();
}

void Connection::Read() {
  ReadSome(buffer_.prepare(kReadChunk),
           [self = shared_from_this()](ErrorCode problem, std::size_t bytes) {
             if (self->phase_ >= Phase::kHandling) return;
             if (problem) {
               self->Close();
               return;
             }
             self->buffer_.commit(bytes);
             if (self->seat_ == Seat::kTurnedAway) {
               // Whatever it asks for: it is not read to the end.
               self->Refuse(503, "too many connections; try again");
               return;
             }
             if (self->phase_ == Phase::kIdle) {
               self->phase_ = Phase::kHeader;
               self->SetDeadline(self->worker_->shared->options.header);
             }
             self->Feed();
           });
}

void Connection::Feed() {
  while (buffer_.size() > 0 && !parser_->is_done()) {
    ErrorCode problem;
    const std::string_view first(
        static_cast<const char*>(buffer_.data().data()),
        std::min(buffer_.size(), worker_->shared->options.max_header_bytes));
    const std::size_t used = parser_->put(buffer_.data(), problem);
    const bool is_target_too_long =
        problem == http::error::header_limit && !line_seen_ && IsLongTarget(first);
    line_seen_ = line_seen_ || used > 0;
    buffer_.consume(used);
    if (problem == http::error::need_more) break;
    if (problem) {
      const Refusal refusal =
          is_target_too_long ? Refusal{414, "the target is too long"} : RefusalOf(problem);
      Refuse(refusal.status, refusal.why);
      return;
    }
    if (!head_seen_ && parser_->is_header_done()) {
      OnHead();
      if (phase_ != Phase::kBody) return;
      if (buffer_.size() == 0 && !parser_->is_done() && ExpectsContinue(parser_->get())) {
        SendContinue();
        return;
      }
    }
  }
  if (parser_->is_done()) {
    Dispatch();
  } else {
    Read();
  }
}

void Connection::OnHead() {
  head_seen_ = true;
  const auto& head = parser_->get();
  with_body_ = head.method() == http::verb::head ? WithBody::kNo : WithBody::kYes;
  if (const auto refusal = CheckHead(head)) {
    Refuse(refusal->status, refusal->why);
    return;
  }
  // Copied here, so that nothing that comes after the head can change what is decided by it.
  request_ = Request{.method = std::string(head.method_string()),
                     .target = std::string(head.target()),
                     .headers = {},
                     .body = "",
                     .peer = peer_};
  for (const auto& field : head)
    request_.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
  const std::uint64_t body_bytes = parser_->content_length().value_or(0);
  if (body_bytes > 0 && worker_->shared->options.head_check) {
    if (auto answer = worker_->shared->options.head_check(request_, body_bytes)) {
      RefuseWith(std::move(*answer));
      return;
    }
  }
  phase_ = Phase::kBody;
  SetDeadline(worker_->shared->options.body);
  parser_->eager(true);
}

void Connection::SendContinue() {
  out_ = "HTTP/1.1 100 Continue\r\n\r\n";
  WriteOut([self = shared_from_this()](ErrorCode problem, std::size_t) {
    if (problem) {
      self->Close();
    } else if (self->phase_ == Phase::kBody) {
      self->Read();
    }
  });
}

void Connection::Dispatch() {
  auto message = parser_->release();
  const std::size_t most = worker_->shared->options.max_requests_per_connection;
  keep_alive_ = message.keep_alive() && (most == 0 || ++requests_seen_ < most);
  framing_ = message.version() >= 11 ? Framing::kChunked : Framing::kUntilClose;
  Request request = std::move(request_);
  request.body = std::move(message.body());
  phase_ = Phase::kHandling;
  ClearDeadline();
  worker_->shared->requests.fetch_add(1, std::memory_order_relaxed);
  const Responder responder(std::make_shared<PendingReply>(shared_from_this()));
  try {
    worker_->shared->handler(std::move(request), responder);
  } catch (const std::exception& problem) {
    Log(LogLevel::kError, "request handler failed", {{"reason", problem.what()}});
    responder.Send(Response{500, {}, ""});
  } catch (...) {
    Log(LogLevel::kError, "request handler failed", {{"reason", "unknown exception"}});
    responder.Send(Response{500, {}, ""});
  }
}

void Connection::Refuse(int status, std::string_view why) {
  RefuseWith(worker_->shared->options.refusal(status, why));
}

void Connection::RefuseWith(Response answer) {
  worker_->shared->refused.fetch_add(1, std::memory_order_relaxed);
  phase_ = Phase::kRefusing;
  keep_alive_ = false;
  Deliver(std::move(answer));
}

// Reads nothing that anybody waits for: the end of the connection is what is waited for. What a
// client sends behind its request is dropped with the connection, which a stream always ends.
void Connection::WatchClient() {
  // One that vanished without a word is given up by the kernel when it acknowledges nothing.
  using UserTimeout = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_USER_TIMEOUT>;
  ErrorCode ignored;  // without the option it is noticed later
  socket_.set_option(UserTimeout(static_cast<int>(kUnacknowledged.count())), ignored);
  WatchOn();
}

void Connection::WatchOn() {
  buffer_.consume(buffer_.size());
  ReadSome(buffer_.prepare(kReadChunk),
           [self = shared_from_this()](ErrorCode problem, std::size_t) {
             if (!self->is_streaming_ || self->phase_ == Phase::kClosed) return;
             if (problem) {
               self->Close();
             } else {
               self->WatchOn();
             }
           });
}

// One write at a time; what was written meanwhile goes with the next.
void Connection::PumpStream() {
  if (is_stream_writing_ || phase_ != Phase::kWriting) return;
  if (stream_pending_.empty()) {
    ClearDeadline();
    if (is_stream_over_) {
      DropStream();
      Finish(AfterSend::kKeep);
    }
    return;
  }
  is_stream_writing_ = true;
  out_ = std::exchange(stream_pending_, {});
  SetDeadline(worker_->shared->options.write);
  WriteOut([self = shared_from_this()](ErrorCode problem, std::size_t bytes) {
    self->is_stream_writing_ = false;
    if (problem) {
      self->Close();
      return;
    }
    if (const auto state = self->stream_.lock()) {
      // The frame's own bytes were never counted.
      const std::size_t queued = state->queued;
      state->queued -= std::min(queued, bytes);
    }
    self->PumpStream();
  });
}

void Connection::Complete(Reply reply) {
  worker_->Post([self = shared_from_this(), reply = std::move(reply)]() mutable {
    if (self->phase_ == Phase::kHandling) self->Deliver(std::move(reply));
  });
}

void Connection::Deliver(Reply reply) {
  if (phase_ == Phase::kHandling) phase_ = Phase::kWriting;
  if (auto* raw = std::get_if<RawReply>(&reply)) {
    if (worker_->shared->options.raw_replies == RawReplies::kRefused) {
      Log(LogLevel::kError, "a raw reply is not allowed on this listener");
      reply = Response{500, {}, ""};
    } else if (raw->hold.count() > 0 || raw->bytes_per_second > 0) {
      pace_timer_.expires_after(raw->hold);
      pace_timer_.async_wait(
          [self = shared_from_this(), held = std::move(*raw)](ErrorCode problem) mutable {
            if (!problem) self->WritePaced(std::move(held), 0);
          });
      return;
    } else {
      out_ = std::move(raw->bytes);
      WriteAll(raw->after);
      return;
    }
  }
  keep_alive_ = keep_alive_ && !worker_->draining();
  out_ = RenderResponse(std::get<Response>(reply), keep_alive_ ? KeepAlive::kYes : KeepAlive::kNo,
                        worker_->Date(), with_body_);
  WriteAll(AfterSend::kKeep);
}

void Connection::WriteAll(AfterSend after) {
  SetDeadline(worker_->shared->options.write);
  WriteOut([self = shared_from_this(), after](ErrorCode problem, std::size_t) {
    if (problem) {
      self->Close();
    } else {
      self->Finish(after);
    }
  });
}

void Connection::WritePaced(RawReply reply, std::size_t sent) {
  if (phase_ == Phase::kClosed) return;
  if (reply.bytes_per_second == 0) {
    out_ = std::move(reply.bytes);
    WriteAll(reply.after);
    return;
  }
  if (sent >= reply.bytes.size()) {
    Finish(reply.after);
    return;
  }
  const std::size_t step = std::max<std::size_t>(
      1, reply.bytes_per_second * static_cast<std::size_t>(kPaceStep.count()) / 1'000);
  out_ = reply.bytes.substr(sent, step);
  WriteOut([self = shared_from_this(), reply = std::move(reply), sent](ErrorCode problem,
                                                                       std::size_t bytes) mutable {
    if (problem) {
      self->Close();
      return;
    }
    // Below 20 bytes a second one byte is a step, and the wait grows instead.
    const auto wait = std::chrono::microseconds(1'000'000ULL * bytes / reply.bytes_per_second);
    self->pace_timer_.expires_after(wait);
    self->pace_timer_.async_wait(
        [self, reply = std::move(reply), done = sent + bytes](ErrorCode cancelled) mutable {
          if (!cancelled) self->WritePaced(std::move(reply), done);
        });
  });
}

void Connection::Finish(AfterSend after) {
  switch (after) {
    case AfterSend::kKeep:
      if (phase_ == Phase::kRefusing) {
        Leave(kDiscardTime, kMaxDiscarded);  // the client may still be sending what was refused
      } else if (keep_alive_) {
        NextRequest();
      } else {
        SayGoodbye();
      }
      return;
    case AfterSend::kClose:
      Close();
      return;
    case AfterSend::kReset:
      Reset();
      return;
    case AfterSend::kStall:
      phase_ = Phase::kLeaving;
      ClearDeadline();
      Discard(kMaxDiscarded);
      return;
  }
}

void Connection::Reset() {
  ErrorCode ignored;  // without the option the client sees an end instead of a reset
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  Close();
}

void Connection::Leave(milliseconds patience, std::size_t max_bytes) {
  phase_ = Phase::kLeaving;
  SetDeadline(patience);
  ErrorCode ignored;  // the client may have left first
  // Under TLS a half-closed socket would look like an attack that cut the answer short.
  if (!tls_) socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  Discard(max_bytes);
}

// The end in order: under TLS the other side is told, so that it can tell an end from a cut.
void Connection::SayGoodbye() {
  if (!tls_) {
    Close();
    return;
  }
  phase_ = Phase::kLeaving;
  SetDeadline(kDiscardTime);
  tls_->async_shutdown([self = shared_from_this()](ErrorCode) { self->Close(); });
}

void Connection::Discard(std::size_t left) {
  buffer_.consume(buffer_.size());
  ReadSome(buffer_.prepare(kReadChunk),
           [self = shared_from_this(), left](ErrorCode problem, std::size_t bytes) {
             if (problem || bytes >= left) {
               self->Close();
             } else {
               self->Discard(left - bytes);
             }
           });
}

void Connection::Close() {
  if (phase_ == Phase::kClosed && !socket_.is_open()) return;
  phase_ = Phase::kClosed;
  ErrorCode ignored;  // closing is all that is left to do
  socket_.close(ignored);
  deadline_timer_.cancel();
  pace_timer_.cancel();
  DropStream();
  if (worker_->connections.erase(shared_from_this()) > 0) {
    worker_->shared->admission.Leave(peer_, seat_);
  }
}

void Connection::CloseIfIdle() {
  if (phase_ == Phase::kHandshake || phase_ == Phase::kIdle || phase_ == Phase::kLeaving) Close();
}

void Connection::SetDeadline(milliseconds from_now) {
  deadline_ = std::chrono::steady_clock::now() + from_now;
  // One timer, moved lazily: a later deadline costs nothing, the armed wake-up looks again.
  if (!armed_ || *deadline_ < *armed_) WaitForDeadline();
}

void Connection::WaitForDeadline() {
  armed_ = deadline_;
  deadline_timer_.expires_at(*armed_);
  deadline_timer_.async_wait([self = shared_from_this()](ErrorCode cancelled) {
    if (cancelled) return;
    self->armed_.reset();
    if (self->phase_ == Phase::kClosed || !self->deadline_) return;
    if (std::chrono::steady_clock::now() >= *self->deadline_) {
      self->OnDeadline();
    } else {
      self->WaitForDeadline();
    }
  });
}

void Connection::OnDeadline() {
  if (phase_ == Phase::kHeader || phase_ == Phase::kBody) {
    ErrorCode ignored;  // the pending read ends with an error, which its handler ignores by phase
    socket_.cancel(ignored);
    Refuse(408, "the request did not arrive in time");
    return;
  }
  Close();
}

}  // namespace pcw::net::server
