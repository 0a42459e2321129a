// HTTP as the listener's handlers see it: a complete request, the two kinds of answer, their wire
// form.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace pcw::net::server {

using Headers = std::vector<std::pair<std::string, std::string>>;

/// The first header of that name, case-insensitively.
std::optional<std::string_view> FindHeader(const Headers& headers, std::string_view name);

/// One complete request. Already checked: one Host, no transfer coding, no duplicate of a header
/// that decides anything, a target of visible ASCII that begins with '/'.
struct Request {
  std::string method;
  std::string target;
  Headers headers;  ///< in order of arrival, names as sent
  std::string body;
  std::string peer;  ///< the client's address, without port

  std::optional<std::string_view> Header(std::string_view name) const {
    return FindHeader(headers, name);
  }
};

/// An ordinary answer. The listener adds Content-Length, Date (unless present) and Connection.
struct Response {
  int status = 200;
  Headers headers;
  std::string body;
};

/// What becomes of the connection after a RawReply's bytes.
enum class AfterSend {
  kKeep,   ///< as after an ordinary answer: keep it if the client asked for that
  kClose,  ///< end it in order
  kReset,  ///< abort it, so that the client sees a reset and not an end
  kStall,  ///< send nothing more until the client leaves
};

/// Bytes exactly as given, and misbehaviour: for simulators of faulty servers only. Refused (500)
/// unless ListenerOptions::raw_replies allows it.
struct RawReply {
  std::string bytes;
  AfterSend after = AfterSend::kKeep;
  std::size_t bytes_per_second = 0;   ///< 0 = as fast as it goes
  std::chrono::microseconds hold{0};  ///< wait this long before the first byte
};

using Reply = std::variant<Response, RawReply>;

enum class KeepAlive { kYes, kNo };
enum class WithBody { kYes, kNo };

/// The wire form of `response`. Header names or values with control characters are left out, so
/// that no handler can split a response. `date` is used unless the response has its own.
std::string RenderResponse(const Response& response, KeepAlive keep_alive, std::string_view date,
                           WithBody with_body = WithBody::kYes);

/// The head of an answer whose body comes in pieces: chunked, or until the end of the connection
/// for clients that do not know chunks.
enum class Framing { kChunked, kUntilClose };
std::string RenderStreamHead(const Response& head, KeepAlive keep_alive, std::string_view date,
                             Framing framing);
/// One piece in its frame. An empty piece would end the body and is left out.
std::string RenderStreamPiece(std::string_view bytes, Framing framing);
/// What ends the body.
std::string_view StreamEnd(Framing framing);

/// The standard phrase of a status code; empty for codes without one here.
std::string_view ReasonPhrase(int status);

}  // namespace pcw::net::server
