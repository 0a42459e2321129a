// A request of the REST interface from its first byte: the parser and the rules of the listener,
// then the route, its query and its body.
#include <string>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <nlohmann/json.hpp>

#include "fuzz/target.h"
#include "pcw/api/bodies.h"
#include "pcw/api/router.h"
#include "pcw/base/assert.h"
#include "pcw/net/server/address_set.h"
#include "pcw/net/server/head_rules.h"

static void FuzzRequest(const pcw::net::server::Request& request) {
  using namespace pcw;
  static const auto trusted = *net::server::AddressSet::Parse({"127.0.0.0/8"});
  PCW_ASSERT(!net::server::ClientOf(request, trusted).empty());
  static_cast<void>(api::CheckMediaType(request));
  static_cast<void>(api::BearerOf(request));
  const auto match = api::FindRoute(api::Routes(), request.method, api::PathOf(request.target));
  if (!match) return;
  std::vector<std::string_view> query, body;
  for (const api::ParameterDef& known : match->route->query) query.push_back(known.name);
  for (const api::ParameterDef& known : match->route->body) body.push_back(known.name);
  static_cast<void>(api::ReadQuery(request.target, query));
  if (const auto object = api::ReadJsonObject(request.body, body))
    PCW_ASSERT(object->is_object() && object->size() <= body.size());
}

PCW_FUZZ_TARGET(http_request) {
  namespace http = boost::beast::http;
  http::request_parser<http::string_body> parser;
  parser.header_limit(8U << 10U);
  parser.body_limit(64U << 10U);
  parser.eager(true);
  boost::system::error_code problem;
  std::string_view rest = input;
  while (!rest.empty() && !parser.is_done()) {
    const std::size_t used = parser.put(boost::asio::buffer(rest.data(), rest.size()), problem);
    if (problem || used == 0) return;
    rest.remove_prefix(used);
  }
  if (!parser.is_done() || pcw::net::server::CheckHead(parser.get())) return;
  pcw::net::server::Request request{.method = std::string(parser.get().method_string()),
                                    .target = std::string(parser.get().target()),
                                    .headers = {},
                                    .body = parser.get().body(),
                                    .peer = "127.0.0.1"};
  for (const auto& field : parser.get())
    request.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
  FuzzRequest(request);
}
