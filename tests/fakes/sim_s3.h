// The simulated S3 without a socket, for unit tests: signed requests in, replies out.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <variant>

#include <gtest/gtest.h>

#include "fakes/fake_time.h"
#include "fakes/result_matchers.h"
#include "fakes/s3_signer.h"
#include "pcw/sim/partner_central/service.h"
#include "pcw/sim/s3/service.h"

namespace pcw::sim {

class S3Test : public ::testing::Test {
 protected:
  void Start(SimOptions options = {}) {
    s3.reset();
    auto created = Service::Create(options, clock);
    ASSERT_THAT(created, Succeeds());
    service = std::move(*created);
    s3 = std::make_unique<S3Service>(options, clock, *service);
  }
  void SetUp() override { Start(); }

  S3Parts Parts(const std::string& method, const std::string& path, const std::string& query = "",
                const std::string& body = "", net::server::Headers headers = {}) const {
    S3Parts parts;
    parts.method = method;
    parts.path = path;
    parts.query = query;
    parts.body = body;
    parts.headers = std::move(headers);
    parts.at = clock.Now();
    return parts;
  }
  net::server::Response Send(const S3Parts& parts) { return Send(SignForS3(parts).request); }
  net::server::Response Send(const net::server::Request& request) {
    EXPECT_TRUE(IsS3(request)) << request.method << ' ' << request.target;
    net::server::Reply reply = s3->Handle(request);
    if (const auto* response = std::get_if<net::server::Response>(&reply)) return *response;
    return Parsed(std::get<net::server::RawReply>(reply).bytes);
  }
  /// The response that raw bytes are: faults are sent so.
  static net::server::Response Parsed(const std::string& bytes) {
    net::server::Response out;
    const std::size_t end = bytes.find("\r\n\r\n");
    EXPECT_NE(end, std::string::npos) << "not a whole response: " << bytes;
    if (end == std::string::npos) return out;
    out.status = std::stoi(bytes.substr(bytes.find(' ') + 1, 3));
    out.body = bytes.substr(end + 4);
    for (std::size_t at = bytes.find("\r\n"); at < end; at = bytes.find("\r\n", at)) {
      at += 2;
      const std::size_t colon = bytes.find(": ", at);
      out.headers.emplace_back(bytes.substr(at, colon - at),
                               bytes.substr(colon + 2, bytes.find("\r\n", at) - colon - 2));
    }
    return out;
  }
  net::server::Response Put(const std::string& path, const std::string& body,
                            net::server::Headers headers = {}) {
    return Send(Parts("PUT", path, "", body, std::move(headers)));
  }
  net::server::Response Get(const std::string& path, net::server::Headers headers = {}) {
    return Send(Parts("GET", path, "", "", std::move(headers)));
  }
  net::server::Response List(const std::string& query) {
    return Send(Parts("GET", "/pcw-lake-dev", query));
  }
  /// The text of the first element of that name; "(none)" if there is none.
  static std::string Xml(const net::server::Response& response, const std::string& name) {
    const std::size_t begin = response.body.find("<" + name + ">");
    if (begin == std::string::npos) return "(none)";
    const std::size_t from = begin + name.size() + 2;
    return response.body.substr(from, response.body.find("</" + name + ">", from) - from);
  }
  /// Status and code of an error, "404 NoSuchKey"; "200" for success.
  static std::string Verdict(const net::server::Response& response) {
    const std::string code = Xml(response, "Code");
    return std::to_string(response.status) + (code == "(none)" ? "" : " " + code);
  }
  static std::string HeaderOf(const net::server::Response& response, std::string_view name) {
    return std::string(net::server::FindHeader(response.headers, name).value_or("(none)"));
  }
  void Faults(const std::string& rules) {
    auto plan = ParseFaults(R"({"rules":[)" + rules + "]}", "test");
    ASSERT_THAT(plan, Succeeds());
    service->faults().Replace(std::move(*plan));
  }
  void SetAccount(const std::string& json) {
    auto state = ParseAccountState(json, S3Actions());
    ASSERT_THAT(state, Succeeds());
    service->account().Replace(std::move(*state));
  }
  CallRecord LastCall() {
    CallRecord last;
    service->ledger().ForEach([&](const CallRecord& call) { last = call; });
    return last;
  }

  FakeClock clock;
  std::unique_ptr<Service> service;
  std::unique_ptr<S3Service> s3;
};

}  // namespace pcw::sim
