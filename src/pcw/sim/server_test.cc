#include "pcw/sim/server.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "fakes/result_matchers.h"
#include "pcw/base/json.h"

namespace pcw::sim {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class SimServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto started = SimServer::Start({.opportunities = 50});
    ASSERT_THAT(started, Succeeds());
    server = std::move(*started);
  }
  /// The whole answer to one request.
  std::string Ask(const std::string& method, const std::string& target,
                  const std::string& body = "", const std::string& header = "") {
    namespace asio = boost::asio;
    asio::io_context io;
    asio::ip::tcp::socket socket(io);
    socket.connect({asio::ip::address_v4::loopback(), server->port()});
    asio::write(socket,
                asio::buffer(method + " " + target +
                             " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n" + header +
                             "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body));
    std::string answer;
    boost::system::error_code end;
    asio::read(socket, asio::dynamic_buffer(answer), end);
    return answer;
  }
  Json AskJson(const std::string& method, const std::string& target, const std::string& body = "") {
    const std::string answer = Ask(method, target, body);
    auto parsed = ParseJson(answer.substr(answer.find("\r\n\r\n") + 4));
    EXPECT_THAT(parsed, Succeeds()) << answer;
    return parsed ? *parsed : Json();
  }

  std::unique_ptr<SimServer> server;
};

TEST_F(SimServerTest, IsHealthyWithoutASignature) {
  EXPECT_THAT(Ask("GET", "/"), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(server->url(), "http://127.0.0.1:" + std::to_string(server->port()));
}

TEST_F(SimServerTest, BooksAnUnsignedCall) {
  EXPECT_THAT(Ask("POST", "/", "{}",
                  "Content-Type: application/x-amz-json-1.0\r\n"
                  "X-Amz-Target: AWSPartnerCentralSelling.GetOpportunity\r\n"),
              HasSubstr("MissingAuthenticationTokenException"));

  const Json stats = AskJson("GET", "/_sim/stats");
  EXPECT_EQ(stats["operations"]["GetOpportunity"]["unauthenticated"], 1);
  EXPECT_EQ(stats["refused"], 0);
  EXPECT_EQ(AskJson("GET", "/_sim/calls")["outcome"], "unauthenticated");
  AskJson("POST", "/_sim/reset-calls");
  EXPECT_EQ(AskJson("GET", "/_sim/stats")["arrivals"], 0);
}

TEST_F(SimServerTest, ChangesRecordsOnDemandAndTellsTheTruth) {
  const auto lines = [&] {
    const std::string answer = Ask("GET", "/_sim/truth?catalog=AWS");
    return std::count(answer.begin(), answer.end(), '{');
  };

  EXPECT_EQ(AskJson("POST", "/_sim/insert", R"({"count":3})")["changed"], 3);
  EXPECT_EQ(AskJson("POST", "/_sim/remove", R"({"count":1})")["changed"], 1);
  EXPECT_EQ(AskJson("POST", "/_sim/modify", R"({"catalog":"Sandbox","count":5})")["changed"], 5);
  EXPECT_EQ(AskJson("POST", "/_sim/modify", R"({"ids":["O1"]})")["changed"], 0);

  EXPECT_EQ(lines(), 52);
}

TEST_F(SimServerTest, RefusesNonsenseOnTheControlPaths) {
  EXPECT_THAT(Ask("GET", "/_sim/nothing"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(Ask("GET", "/_sim/modify"), StartsWith("HTTP/1.1 405"));
  EXPECT_THAT(Ask("POST", "/_sim/modify", "["), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(Ask("POST", "/_sim/modify", "{}"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(Ask("POST", "/_sim/modify", R"({"count":"x"})"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(Ask("POST", "/_sim/modify", R"({"cuont":1})"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(Ask("GET", "/_sim/truth?catalog=X"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(Ask("POST", "/_sim/faults", R"({"rules":[{"kind":"x"}]})"),
              StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(Ask("GET", "/_sim/stats", "", "Origin: http://evil\r\n"), StartsWith("HTTP/1.1 403"));
}

TEST_F(SimServerTest, TakesNewFaultsWhileItRuns) {
  EXPECT_EQ(AskJson("POST", "/_sim/faults", R"({"rules":[{"kind":"reset"}]})")["rules"], 1);

  EXPECT_EQ(Ask("POST", "/", "{}"), "");
}

TEST_F(SimServerTest, TellsAndReplacesTheStateOfTheAccount) {
  const Json fresh = AskJson("GET", "/_sim/account");
  const Json set = AskJson("POST", "/_sim/account", R"({"linked":false})");

  EXPECT_EQ(DumpJson(fresh),
            R"({"denied_actions":[],"keys":[],"linked":true,"revoked_keys":[],"roles":[]})");
  EXPECT_EQ(set["linked"], false);
  EXPECT_EQ(AskJson("GET", "/_sim/account"), set);
}

TEST_F(SimServerTest, ARefusedStateOfTheAccountChangesNothing) {
  AskJson("POST", "/_sim/account", R"({"linked":false})");

  const std::string refused = Ask("POST", "/_sim/account", R"({"linked":true,"key":[]})");

  EXPECT_THAT(refused, StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(refused, HasSubstr(R"(unknown key \"key\"; did you mean \"keys\"?)"));
  EXPECT_THAT(Ask("POST", "/_sim/account"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(Ask("PUT", "/_sim/account", "{}"), HasSubstr("use GET or POST"));
  EXPECT_EQ(AskJson("GET", "/_sim/account")["linked"], false);
}

TEST_F(SimServerTest, OnlyS3TakesLargeBodies) {
  const std::string body((1U << 20U) + 1, 'x');

  EXPECT_THAT(Ask("POST", "/", body), StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(Ask("PUT", "/pcw-lake-dev/key", body), HasSubstr("<Code>AccessDenied</Code>"));
}

TEST_F(SimServerTest, ControlReachesS3) {
  EXPECT_EQ(AskJson("POST", "/_sim/account", R"({"denied_actions":["s3:PutObject"]})")["linked"],
            true);
  EXPECT_THAT(Ask("GET", "/_sim/s3?bucket=pcw-lake-dev"), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(AskJson("POST", "/_sim/s3/delete-bucket?bucket=pcw-lake-dev")["deleted"],
            "pcw-lake-dev");
}

TEST_F(SimServerTest, OptionsOutOfBoundsAreConfigErrors) {
  EXPECT_THAT(SimServer::Start({.opportunities = 10'000'001}), FailsWith(ErrorCode::kConfig));
  EXPECT_THAT(SimServer::Start({.limits = {.reads_per_second = 0}}), FailsWith(ErrorCode::kConfig));
  EXPECT_THAT(SimServer::Start({.port = server->port()}), FailsWith(ErrorCode::kConfig));
}

}  // namespace
}  // namespace pcw::sim
