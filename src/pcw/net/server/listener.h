// The HTTP/1.1 listener: bounded, strict, asynchronous; handlers get complete requests and answer
// when they can.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "pcw/base/result.h"
#include "pcw/net/server/message.h"

namespace pcw::net::server {

class PendingReply;
struct StreamState;

/// An answer under way, sent piece by piece. Copyable; thread-safe. What is written and not yet
/// taken by the client is bounded: one who is too slow is cut off. Ends by itself with its last
/// copy.
class ResponseStream {
 public:
  explicit ResponseStream(std::shared_ptr<StreamState> state) : state_(std::move(state)) {}

  /// False if the client is gone, too slow, or the stream has ended; never blocks.
  bool Write(std::string_view bytes) const;
  /// Completes the answer. Idempotent.
  void End() const;
  /// False once nothing can be written any more: the client left, or was silent for 30 seconds
  /// about what it was sent.
  bool is_open() const;

 private:
  std::shared_ptr<StreamState> state_;
};

/// At most so many bytes wait for a client that reads a stream.
inline constexpr std::size_t kMaxStreamBytes = 64U << 10U;

/// The means to answer one request, once, from any thread and at any later time.
///
/// Copyable; the first Send counts, later ones are ignored. If every copy is dropped unsent, the
/// client gets a 500. Sending after the client left or the listener stopped does nothing.
class Responder {
 public:
  explicit Responder(std::shared_ptr<PendingReply> pending) : pending_(std::move(pending)) {}

  /// Answers. Thread-safe; never blocks on the network.
  void Send(Reply reply) const;

  /// Answers with a head now and a body that comes later. `head` has no body. If the request was
  /// answered already, the stream is closed from the start.
  ResponseStream Stream(Response head) const;

 private:
  std::shared_ptr<PendingReply> pending_;
};

/// Called on an I/O thread, concurrently for different connections: must not block (no SQL, no
/// sleep); what takes time keeps the Responder and answers later. An exception becomes a 500.
using Handler = std::function<void(Request request, Responder responder)>;

/// Makes the answer to a request that the listener itself refuses. `why` is a fixed, safe phrase.
using RefusalRenderer = std::function<Response(int status, std::string_view why)>;

/// Looks at a request whose body is still to come (`body_bytes` > 0): an answer refuses it before
/// the body is read, and the connection ends. On an I/O thread: must not block.
using HeadCheck =
    std::function<std::optional<Response>(const Request& head, std::uint64_t body_bytes)>;

enum class RawReplies { kRefused, kAllowed };

/// Bounds of the listener (I12). Deadlines are total times of a phase, not idle times, so
/// dripping bytes does not extend them.
struct ListenerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  ///< 0 = any free one; ask port()
  int threads = 1;
  std::size_t max_header_bytes = 8U << 10U;
  std::size_t max_body_bytes = 64U << 10U;
  std::size_t max_connections = 10'000;
  std::size_t max_connections_per_address = 10'000;
  /// Connections over a cap that are told so (503) at the same time; what comes beyond is closed.
  std::size_t max_turned_away = 256;
  std::chrono::milliseconds turned_away{2'000};  ///< for the request that is answered so
  /// True for an address that many clients share, a proxy's: only max_connections counts for it.
  std::function<bool(const std::string& peer)> is_shared_address = nullptr;
  std::size_t max_requests_per_connection = 0;  ///< 0 = as many as it likes
  std::chrono::milliseconds idle{60'000};       ///< between requests of one connection
  std::chrono::milliseconds header{10'000};     ///< first byte to end of header
  std::chrono::milliseconds body{10'000};
  std::chrono::milliseconds write{60'000};  ///< one whole answer
  RawReplies raw_replies = RawReplies::kRefused;
  RefusalRenderer refusal = nullptr;  ///< empty = problem+json
  HeadCheck head_check = nullptr;     ///< empty = every body within the bound is read
  /// PEM files; both or neither. TLS 1.2 or newer, forward secret suites, no renegotiation.
  std::string tls_cert = {};
  std::string tls_key = {};
};

struct ListenerStats {
  std::uint64_t accepted = 0;     ///< connections taken
  std::uint64_t turned_away = 0;  ///< connections over a cap, or for which no descriptor was left
  std::uint64_t requests = 0;     ///< handed to the handler
  std::uint64_t refused = 0;      ///< refused before the handler
  std::uint64_t open = 0;         ///< connections now
};

/// Listens until stopped or destroyed. Public members are thread-safe.
///
/// Refused before the handler is called: chunked or any other transfer coding (411), missing or
/// second Host, a second Authorization, Content-Type, Content-Length or Idempotency-Key, Upgrade,
/// Trailer, an Expect other than 100-continue, targets that are not an absolute path of visible
/// ASCII, and whatever exceeds a bound. After a refusal the connection is closed: its framing can
/// no longer be trusted. Does not route, authenticate or compress.
class Listener {
 public:
  /// Binds and starts the threads. kConfig if the address cannot be bound or certificate and key
  /// cannot be used (the message says why).
  static Result<std::unique_ptr<Listener>> Start(ListenerOptions options, Handler handler);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// The port that is bound.
  std::uint16_t port() const;

  /// Stops accepting, closes idle connections, lets started requests finish for at most `grace`,
  /// then closes the rest and joins the threads. Idempotent; not from a handler.
  void Stop(std::chrono::milliseconds grace = std::chrono::milliseconds(0));

  /// Takes certificate and key from the files again, for connections that come from now on. kConfig
  /// if they cannot be used; the ones in force stay. Nothing without TLS.
  Status ReloadTls();

  ListenerStats stats() const;

 private:
  struct State;
  explicit Listener(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace pcw::net::server
