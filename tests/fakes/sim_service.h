// A simulated account without a socket, for unit tests: signed calls in, replies out.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "fakes/fake_time.h"
#include "fakes/result_matchers.h"
#include "fakes/sim_signer.h"
#include "pcw/base/json.h"
#include "pcw/sim/partner_central/service.h"

namespace pcw::sim {

constexpr auto kSellingTarget = "AWSPartnerCentralSelling.";

class ServiceTest : public ::testing::Test {
 protected:
  void Start(SimOptions options = {}) {
    auto created = Service::Create(options, clock);
    ASSERT_THAT(created, Succeeds());
    service = std::move(*created);
  }
  void SetUp() override { Start(); }

  SignedParts Parts(const std::string& operation, const std::string& body) const {
    SignedParts parts;
    parts.target = kSellingTarget + operation;
    parts.body = body;
    parts.at = clock.Now();
    return parts;
  }
  SignedParts StsParts(const std::string& form) const {
    SignedParts parts;
    parts.service = "sts";
    parts.content_type = "application/x-www-form-urlencoded; charset=utf-8";
    parts.body = form + "&Version=2011-06-15";
    parts.at = clock.Now();
    return parts;
  }
  net::server::Response Send(const SignedParts& parts) {
    return Plain(service->Handle(SignForSim(parts)));
  }
  net::server::Response Call(const std::string& operation, const std::string& body) {
    return Send(Parts(operation, body));
  }
  static net::server::Response Plain(net::server::Reply reply) {
    const auto* response = std::get_if<net::server::Response>(&reply);
    EXPECT_NE(response, nullptr) << "a raw reply";
    return response != nullptr ? *response : net::server::Response{};
  }
  static Json Body(const net::server::Response& response) {
    auto parsed = ParseJson(response.body);
    EXPECT_THAT(parsed, Succeeds()) << response.body;
    return parsed ? *parsed : Json();
  }
  std::string Id(std::uint64_t index) { return service->collection(Catalog::kAws).IdOf(index); }
  std::string GetBody(std::uint64_t index) {
    return Json{{"Catalog", "AWS"}, {"Identifier", Id(index)}}.dump();
  }
  void Faults(const std::string& rules) {
    auto plan = ParseFaults(R"({"rules":[)" + rules + "]}", "test");
    ASSERT_THAT(plan, Succeeds());
    service->faults().Replace(std::move(*plan));
  }
  CallRecord LastCall() {
    CallRecord last;
    service->ledger().ForEach([&](const CallRecord& call) { last = call; });
    return last;
  }

  FakeClock clock;
  std::unique_ptr<Service> service;
};

}  // namespace pcw::sim
