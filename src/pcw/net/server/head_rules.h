// Which request heads are refused before anything else looks at them.
#pragma once

#include <optional>
#include <string_view>

#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>

namespace pcw::net::server {

/// A refusal: status and a fixed phrase that is safe to show.
struct Refusal {
  int status;
  std::string_view why;
};

using RequestHead = boost::beast::http::header<true, boost::beast::http::fields>;

/// The first rule that `head` breaks, if any.
std::optional<Refusal> CheckHead(const RequestHead& head);

/// True if the client waits for "100 Continue" before it sends the body.
bool ExpectsContinue(const RequestHead& head);

}  // namespace pcw::net::server
