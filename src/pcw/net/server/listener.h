// The HTTP/1.1 listener: bounded, strict, asynchronous; handlers get complete requests and answer
// when they can.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "pcw/base/result.h"
#include "pcw/net/server/message.h"

namespace pcw::net::server {

class PendingReply;

/// The means to answer one request, once, from any thread and at any later time.
///
/// Copyable; the first Send counts, later ones are ignored. If every copy is dropped unsent, the
/// client gets a 500. Sending after the client left or the listener stopped does nothing.
class Responder {
 public:
  explicit Responder(std::shared_ptr<PendingReply> pending) : pending_(std::move(pending)) {}

  /// Answers. Thread-safe; never blocks on the network.
  void Send(Reply reply) const;

 private:
  std::shared_ptr<PendingReply> pending_;
};

/// Called on an I/O thread, concurrently for different connections: must not block (no SQL, no
/// sleep); what takes time keeps the Responder and answers later. An exception becomes a 500.
using Handler = std::function<void(Request request, Responder responder)>;

/// Makes the answer to a request that the listener itself refuses. `why` is a fixed, safe phrase.
using RefusalRenderer = std::function<Response(int status, std::string_view why)>;

enum class RawReplies { kRefused, kAllowed };

/// Bounds of the listener (RELIABILITY 7). Deadlines are total times of a phase, not idle times, so
/// dripping bytes does not extend them.
struct ListenerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  ///< 0 = any free one; ask port()
  int threads = 1;
  std::size_t max_header_bytes = 8U << 10U;
  std::size_t max_body_bytes = 64U << 10U;
  std::size_t max_connections = 10'000;
  std::size_t max_connections_per_address = 10'000;
  std::chrono::milliseconds idle{60'000};    ///< between requests of one connection
  std::chrono::milliseconds header{10'000};  ///< first byte to end of header
  std::chrono::milliseconds body{10'000};
  std::chrono::milliseconds write{60'000};  ///< one whole answer
  RawReplies raw_replies = RawReplies::kRefused;
  RefusalRenderer refusal = nullptr;  ///< empty = problem+json
};

struct ListenerStats {
  std::uint64_t accepted = 0;     ///< connections taken
  std::uint64_t turned_away = 0;  ///< connections closed at once: over a cap, or no descriptor left
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
/// no longer be trusted. Does not route, authenticate, compress or speak TLS.
class Listener {
 public:
  /// Binds and starts the threads. kConfig if the address cannot be bound (the message says why).
  static Result<std::unique_ptr<Listener>> Start(ListenerOptions options, Handler handler);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// The port that is bound.
  std::uint16_t port() const;

  /// Stops accepting, closes idle connections, lets started requests finish for at most `grace`,
  /// then closes the rest and joins the threads. Idempotent; not from a handler.
  void Stop(std::chrono::milliseconds grace = std::chrono::milliseconds(0));

  ListenerStats stats() const;

 private:
  struct State;
  explicit Listener(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace pcw::net::server
