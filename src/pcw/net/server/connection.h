// One client connection: reads requests, hands them over, writes answers, enforces every deadline.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "pcw/net/server/message.h"
#include "pcw/net/server/worker.h"

namespace pcw::net::server {

/// What a stream and its connection share. `queued` counts bytes that are not sent yet.
struct StreamState {
  explicit StreamState(std::shared_ptr<Connection> connection_in)
      : connection(std::move(connection_in)) {}
  ~StreamState();
  StreamState(const StreamState&) = delete;
  StreamState& operator=(const StreamState&) = delete;

  const std::shared_ptr<Connection> connection;
  std::atomic<bool> is_open{true};
  std::atomic<bool> has_ended{false};
  std::atomic<std::size_t> queued{0};
};

/// A connection, owned by its worker's set and by whatever operation is under way. All members are
/// for the worker's thread, except Complete and the three of a stream.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  /// `seat` is kTaken, or kTurnedAway for one whose first request is answered with 503.
  Connection(std::shared_ptr<Worker> worker, boost::asio::ip::tcp::socket socket, std::string peer,
             Seat seat);

  /// Registers with the worker and begins to read.
  void Start();
  /// Answers the request under way. Any thread.
  void Complete(Reply reply);
  /// Answers with the head of a stream; its pieces; its end. Any thread.
  void BeginStream(const std::shared_ptr<StreamState>& stream, Response head);
  void StreamPiece(std::string bytes);
  void EndStream(bool is_cut);
  /// Closes at once and leaves the worker's set. Idempotent.
  void Close();
  /// Closes if no request has begun.
  void CloseIfIdle();

 private:
  using ErrorCode = boost::system::error_code;
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

  /// kRefusing answers what never reached the handler; kLeaving waits for the client to go.
  enum class Phase {
    kHandshake,
    kIdle,
    kHeader,
    kBody,
    kHandling,
    kWriting,
    kRefusing,
    kLeaving,
    kClosed
  };

  template <typename Buffers, typename Handler>
  void ReadSome(const Buffers& buffers, Handler handler);
  template <typename Handler>
  void WriteOut(Handler handler);

  void ShakeHands();
  void NextRequest();
  void Read();
  void Feed();
  void OnHead();
  void SendContinue();
  void Dispatch();
  void Refuse(int status, std::string_view why);
  void RefuseWith(Response answer);
  /// Notices a client that leaves while it is sent a stream.
  void WatchClient();
  void WatchOn();
  void PumpStream();
  void DropStream();
  void SayGoodbye();
  void Deliver(Reply reply);
  void WriteAll(AfterSend after);
  void WritePaced(RawReply reply, std::size_t sent);
  void Finish(AfterSend after);
  void Reset();
  /// Half-closes, then drops what still arrives, so that the answer is not lost to a reset.
  void Leave(std::chrono::milliseconds patience, std::size_t max_bytes);
  void Discard(std::size_t left);

  void SetDeadline(std::chrono::milliseconds from_now);
  void ClearDeadline() { deadline_.reset(); }
  void WaitForDeadline();
  void OnDeadline();

  const std::shared_ptr<Worker> worker_;  // first: the socket must not outlive the event loop
  boost::asio::ip::tcp::socket socket_;
  std::shared_ptr<boost::asio::ssl::context> tls_context_;  ///< the one in force when it came
  std::optional<boost::asio::ssl::stream<boost::asio::ip::tcp::socket&>> tls_;
  boost::asio::steady_timer deadline_timer_;
  boost::asio::steady_timer pace_timer_;
  const std::string peer_;
  const Seat seat_;
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  Phase phase_ = Phase::kClosed;
  bool line_seen_ = false;  ///< the request line was taken
  bool head_seen_ = false;
  bool keep_alive_ = false;
  WithBody with_body_ = WithBody::kYes;
  std::string out_;
  Request request_;  ///< the one being read
  std::size_t requests_seen_ = 0;
  Framing framing_ = Framing::kChunked;
  std::weak_ptr<StreamState> stream_;
  std::string stream_pending_;
  bool is_streaming_ = false, is_stream_writing_ = false, is_stream_over_ = false;
  std::optional<std::chrono::steady_clock::time_point> deadline_;
  std::optional<std::chrono::steady_clock::time_point> armed_;
};

}  // namespace pcw::net::server
