// More clients than there is room for: who is told so, who is closed, who is not counted.
#include <optional>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>

#include "fakes/result_matchers.h"
#include "pcw/net/server/listener.h"

namespace pcw::net::server {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kRequest = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(io_) {
    socket_.connect({asio::ip::address_v4::loopback(), port});
  }
  void Send(const std::string& text) {
    boost::system::error_code left;
    asio::write(socket_, asio::buffer(text), left);
  }
  // What comes until the server ends the connection; the reason is in `problem`.
  std::string ReadAll() {
    std::string text;
    asio::read(socket_, asio::dynamic_buffer(text), problem);
    return text;
  }
  // Something of an answer, so that the connection is known to be counted.
  std::string ReadSome() {
    std::string text(4096, '\0');
    text.resize(socket_.read_some(asio::buffer(text), problem));
    return text;
  }
  void Close() { socket_.close(); }

  boost::system::error_code problem;

 private:
  asio::io_context io_;
  tcp::socket socket_;
};

std::unique_ptr<Listener> StartListener(ListenerOptions options) {
  auto started =
      Listener::Start(std::move(options), [](const Request&, const Responder& responder) {
        responder.Send(Response{200, {}, "ok"});
      });
  EXPECT_THAT(started, Succeeds());
  return std::move(*started);
}

TEST(ListenerCrowdTest, WhoeverFindsNoRoomIsToldAndComesInLater) {
  ListenerOptions options;
  options.max_connections = 1;
  const auto listener = StartListener(std::move(options));
  std::optional<Client> first(listener->port());
  first->Send(kRequest);
  EXPECT_THAT(first->ReadSome(), StartsWith("HTTP/1.1 200"));

  for (int i = 0; i < 20; ++i) {
    Client late(listener->port());
    late.Send(kRequest);
    const std::string answer = late.ReadAll();
    ASSERT_THAT(answer, StartsWith("HTTP/1.1 503"));
    ASSERT_THAT(answer, HasSubstr("Connection: close"));
    ASSERT_EQ(late.problem, asio::error::eof);
  }
  EXPECT_EQ(listener->stats().turned_away, 20U);

  first.reset();
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  std::string answer;
  do {
    Client next(listener->port());
    next.Send(kRequest);
    answer = next.ReadSome();
  } while (!answer.starts_with("HTTP/1.1 200") && std::chrono::steady_clock::now() < give_up);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
}

TEST(ListenerCrowdTest, ThoseWhoAreToldAreBoundedToo) {
  ListenerOptions options;
  options.max_connections = 1;
  options.max_turned_away = 2;
  const auto listener = StartListener(std::move(options));
  Client first(listener->port());
  first.Send(kRequest);
  first.ReadSome();
  // They ask for nothing, and so hold the two seats of those who are told.
  Client silent(listener->port()), quiet(listener->port());
  while (listener->stats().open < 3) std::this_thread::yield();

  Client beyond(listener->port());
  EXPECT_EQ(beyond.ReadAll(), "");
}

TEST(ListenerCrowdTest, AnAddressThatManyShareIsCountedInTotalOnly) {
  ListenerOptions options;
  options.max_connections = 4;
  options.max_connections_per_address = 1;
  options.is_shared_address = [](const std::string& peer) { return peer == "127.0.0.1"; };
  const auto listener = StartListener(std::move(options));
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(std::make_unique<Client>(listener->port()));
    clients.back()->Send(kRequest);
    ASSERT_THAT(clients.back()->ReadSome(), StartsWith("HTTP/1.1 200"));
  }
  Client late(listener->port());
  late.Send(kRequest);
  EXPECT_THAT(late.ReadAll(), StartsWith("HTTP/1.1 503"));
}

}  // namespace
}  // namespace pcw::net::server
