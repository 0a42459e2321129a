#include "pcw/net/server/listener.h"

#include <future>
#include <stdexcept>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>

#include "fakes/result_matchers.h"

namespace pcw::net::server {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// A client that says exactly what it is told and shows exactly what comes back.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : socket_(io_) {
    socket_.connect({asio::ip::address_v4::loopback(), port});
  }
  void Send(const std::string& text) {
    boost::system::error_code left;  // a refusing server may have closed already
    asio::write(socket_, asio::buffer(text), left);
  }
  /// Everything until the server ends the connection; the error is why it ended.
  std::string ReadAll() {
    std::string text;
    asio::read(socket_, asio::dynamic_buffer(text), end);
    return text;
  }
  /// One answer without further bytes: the header and `body_bytes`.
  std::string ReadAnswer(std::size_t body_bytes) {
    std::string text;
    const std::size_t head = asio::read_until(socket_, asio::dynamic_buffer(text), "\r\n\r\n", end);
    if (text.size() < head + body_bytes) {
      asio::read(socket_, asio::dynamic_buffer(text),
                 asio::transfer_exactly(head + body_bytes - text.size()), end);
    }
    return text;
  }
  void FinishSending() { socket_.shutdown(tcp::socket::shutdown_send); }

  boost::system::error_code end;

 private:
  asio::io_context io_;
  tcp::socket socket_;
};

void Echo(const Request& request, const Responder& responder) {
  responder.Send(Response{200, {}, request.method + " " + request.target + " " + request.body});
}

class ListenerTest : public ::testing::Test {
 protected:
  std::unique_ptr<Listener> Start(Handler handler, ListenerOptions options = {}) {
    auto started = Listener::Start(std::move(options), std::move(handler));
    EXPECT_THAT(started, Succeeds());
    return std::move(*started);
  }
  std::string Ask(const std::string& text, ListenerOptions options = {}) {
    const auto listener = Start(Echo, std::move(options));
    RawClient client(listener->port());
    client.Send(text);
    client.FinishSending();
    return client.ReadAll();
  }
};

TEST_F(ListenerTest, AnswersARequestWithItsBody) {
  EXPECT_THAT(Ask("POST /a?b=c HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nxyz"),
              HasSubstr("POST /a?b=c xyz"));
}

TEST_F(ListenerTest, KeepsTheConnectionForTheNextRequest) {
  const auto listener = Start(Echo);
  RawClient client(listener->port());

  client.Send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(client.ReadAnswer(7), HasSubstr("GET /1"));
  client.Send("GET /2 HTTP/1.1\r\nHost: h\r\n\r\n");

  EXPECT_THAT(client.ReadAnswer(7), HasSubstr("GET /2"));
  EXPECT_EQ(listener->stats().accepted, 1U);
  EXPECT_EQ(listener->stats().requests, 2U);
}

TEST_F(ListenerTest, AnswersPipelinedRequestsInOrder) {
  const std::string text = Ask(
      "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");

  EXPECT_LT(text.find("GET /1"), text.find("GET /2"));
  EXPECT_NE(text.find("GET /2"), std::string::npos);
}

TEST_F(ListenerTest, RequestsInPiecesArePutTogether) {
  const auto listener = Start(Echo);
  RawClient client(listener->port());

  for (const char c : std::string("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nok")) {
    client.Send(std::string(1, c));
  }

  EXPECT_THAT(client.ReadAnswer(9), HasSubstr("POST / ok"));
}

TEST_F(ListenerTest, ExpectContinueIsAnsweredBeforeTheBody) {
  const auto listener = Start(Echo);
  RawClient client(listener->port());

  client.Send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_THAT(client.ReadAnswer(0), StartsWith("HTTP/1.1 100 Continue"));
  client.Send("ok");

  EXPECT_THAT(client.ReadAnswer(9), HasSubstr("POST / ok"));
}

struct Refused {
  std::string name;
  std::string request;
  int status;
};

class ListenerRefusalTest : public ListenerTest, public ::testing::WithParamInterface<Refused> {};

TEST_P(ListenerRefusalTest, AnswersAndCloses) {
  EXPECT_THAT(Ask(GetParam().request),
              StartsWith("HTTP/1.1 " + std::to_string(GetParam().status) + " "));
}

INSTANTIATE_TEST_SUITE_P(
    Rules, ListenerRefusalTest,
    ::testing::Values(
        Refused{"Chunked",
                "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411},
        Refused{"XChunked", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n",
                411},
        Refused{"ChunkedAndLength",
                "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: "
                "chunked\r\n\r\n",
                400},
        Refused{"TwoLengths",
                "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabc",
                400},
        Refused{"TwoEqualLengths",
                "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
                400},
        Refused{"EqualLengthsInAList",
                "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3, 3\r\n\r\nabc", 400},
        Refused{"NegativeLength", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n", 400},
        Refused{"HugeLength", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10000000000\r\n\r\n",
                413},
        Refused{"NoHost", "GET / HTTP/1.1\r\n\r\n", 400},
        Refused{"TwoHosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
        Refused{"TwoAuthorizations",
                "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n", 400},
        Refused{"UnknownVerb", "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
        Refused{"AbsoluteTarget", "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        Refused{"Upgrade", "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n\r\n", 400},
        Refused{"OtherExpectation", "GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n", 417},
        Refused{"SpaceBeforeColon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
        Refused{"BareLineFeed", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", 400},
        Refused{"NulInHeader", std::string("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", 30), 400},
        Refused{"Http2Preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
        Refused{"LongTarget", "GET /" + std::string(9'000, 'x') + " HTTP/1.1\r\nHost: h\r\n\r\n",
                414},
        Refused{"LongNonsense", std::string(9'000, 'x'), 431},
        Refused{"LongHeader",
                "GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(9'000, 'x') + "\r\n\r\n", 431}),
    [](const auto& test) { return test.param.name; });

TEST_F(ListenerTest, ABodyOverTheLimitIsRefusedWithoutReadingIt) {
  EXPECT_THAT(
      Ask("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nabcde", {.max_body_bytes = 4}),
      StartsWith("HTTP/1.1 413"));
}

TEST_F(ListenerTest, ADrippedHeaderEndsAtItsDeadline) {
  const auto listener = Start(Echo, {.header = milliseconds(20)});
  RawClient client(listener->port());

  client.Send("GET / HT");

  EXPECT_THAT(client.ReadAll(), StartsWith("HTTP/1.1 408"));
}

TEST_F(ListenerTest, AnUnfinishedBodyEndsAtItsDeadline) {
  const auto listener = Start(Echo, {.body = milliseconds(20)});
  RawClient client(listener->port());

  client.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab");

  EXPECT_THAT(client.ReadAll(), StartsWith("HTTP/1.1 408"));
}

TEST_F(ListenerTest, AnIdleConnectionIsClosedSilently) {
  const auto listener = Start(Echo, {.idle = milliseconds(20)});
  RawClient client(listener->port());

  EXPECT_EQ(client.ReadAll(), "");
}

TEST_F(ListenerTest, AThrowingHandlerBecomesA500WithoutItsText) {
  const auto listener =
      Start([](const Request&, const Responder&) { throw std::runtime_error("secret"); });
  RawClient client(listener->port());

  client.Send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");

  const std::string text = client.ReadAll();
  EXPECT_THAT(text, StartsWith("HTTP/1.1 500"));
  EXPECT_THAT(text, Not(HasSubstr("secret")));
}

TEST_F(ListenerTest, ADroppedResponderBecomesA500) {
  const auto listener = Start([](const Request&, const Responder&) {});
  RawClient client(listener->port());

  client.Send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");

  EXPECT_THAT(client.ReadAll(), StartsWith("HTTP/1.1 500"));
}

TEST_F(ListenerTest, AnAnswerMayComeLaterFromAnotherThread) {
  std::promise<Responder> waiting;
  const auto listener =
      Start([&](const Request&, Responder responder) { waiting.set_value(std::move(responder)); });
  RawClient client(listener->port());
  client.Send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");

  waiting.get_future().get().Send(Response{202, {}, "later"});

  EXPECT_THAT(client.ReadAll(), StartsWith("HTTP/1.1 202"));
}

TEST_F(ListenerTest, OnlyTheFirstAnswerCounts) {
  const auto listener = Start([](const Request&, const Responder& responder) {
    responder.Send(Response{200, {}, "first"});
    responder.Send(Response{500, {}, "second"});
  });
  RawClient client(listener->port());

  client.Send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");

  EXPECT_THAT(client.ReadAll(), HasSubstr("first"));
}

TEST_F(ListenerTest, SendingAfterStopDoesNothing) {
  std::promise<Responder> waiting;
  const auto listener =
      Start([&](const Request&, Responder responder) { waiting.set_value(std::move(responder)); });
  RawClient client(listener->port());
  client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  const Responder responder = waiting.get_future().get();

  listener->Stop();
  responder.Send(Response{});

  EXPECT_EQ(client.ReadAll(), "");
}

TEST_F(ListenerTest, StopWithGraceLetsAStartedRequestFinish) {
  std::promise<Responder> waiting;
  const auto listener =
      Start([&](const Request&, Responder responder) { waiting.set_value(std::move(responder)); });
  RawClient client(listener->port());
  client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  const Responder responder = waiting.get_future().get();

  std::jthread stopping([&] { listener->Stop(milliseconds(5'000)); });
  responder.Send(Response{200, {}, "done"});

  EXPECT_THAT(client.ReadAll(), HasSubstr("done"));
}

TEST_F(ListenerTest, RawRepliesAreRefusedUnlessAllowed) {
  const auto listener = Start([](const Request&, const Responder& responder) {
    responder.Send(RawReply{.bytes = "nonsense", .after = AfterSend::kReset});
  });
  RawClient client(listener->port());

  client.Send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");

  EXPECT_THAT(client.ReadAll(), StartsWith("HTTP/1.1 500"));
}

TEST_F(ListenerTest, ARawReplyCanResetAfterItsBytes) {
  const auto listener = Start(
      [](const Request&, const Responder& responder) {
        responder.Send(RawReply{.bytes = "", .after = AfterSend::kReset});
      },
      {.raw_replies = RawReplies::kAllowed});
  RawClient client(listener->port());

  client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");

  EXPECT_EQ(client.ReadAll(), "");
  EXPECT_EQ(client.end, boost::asio::error::connection_reset);
}

TEST_F(ListenerTest, ARawReplyCanDripItsBytes) {
  const auto listener = Start(
      [](const Request&, const Responder& responder) {
        responder.Send(
            RawReply{.bytes = "abcdef", .after = AfterSend::kClose, .bytes_per_second = 400});
      },
      {.raw_replies = RawReplies::kAllowed});
  RawClient client(listener->port());

  client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");

  EXPECT_EQ(client.ReadAll(), "abcdef");
}

TEST_F(ListenerTest, AStalledReplyEndsWhenTheClientLeaves) {
  const auto listener = Start(
      [](const Request&, const Responder& responder) {
        responder.Send(RawReply{.bytes = "x", .after = AfterSend::kStall});
      },
      {.raw_replies = RawReplies::kAllowed});
  RawClient client(listener->port());

  client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  client.FinishSending();

  EXPECT_EQ(client.ReadAll(), "x");
}

TEST_F(ListenerTest, AnAddressThatIsNotOursIsAConfigError) {
  EXPECT_THAT(Listener::Start({.address = "192.0.2.1"}, Echo), FailsWith(ErrorCode::kConfig));
}

}  // namespace
}  // namespace pcw::net::server
