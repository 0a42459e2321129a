// The client against a server that says exactly the bytes it is told to, on a loopback socket.
#include "pcw/net/curl_http_client.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fakes/result_matchers.h"

namespace pcw::net {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

/// What to do with one request: bytes to say, and how to end.
struct Script {
  enum class End { kKeep, kClose, kReset, kStall };
  std::string bytes;
  End end = End::kKeep;
};

/// Serves one connection at a time; every request takes the next script.
class RawServer {
 public:
  explicit RawServer(std::deque<Script> scripts) : scripts_(std::move(scripts)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listener_, generic, size), 0);
    EXPECT_EQ(::listen(listener_, 8), 0);
    EXPECT_EQ(::getsockname(listener_, generic, &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this] { Serve(); });
  }

  ~RawServer() {
    ::shutdown(listener_, SHUT_RDWR);
    {
      const std::lock_guard lock(mutex_);
      if (peer_ >= 0) ::shutdown(peer_, SHUT_RDWR);
    }
    thread_.join();
    ::close(listener_);
  }

  std::string url() const { return fmt::format("http://127.0.0.1:{}/", port_); }
  std::string authority() const { return fmt::format("127.0.0.1:{}", port_); }
  int connections() const { return connections_; }

  /// The requests so far, as they came.
  std::vector<std::string> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  void WaitForRequest() {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [this] { return !requests_.empty(); });
  }

 private:
  void Serve() {
    for (;;) {
      const int peer = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (peer < 0) return;
      ++connections_;
      {
        const std::lock_guard lock(mutex_);
        peer_ = peer;
      }
      while (Answer(peer)) {
      }
      const std::lock_guard lock(mutex_);
      peer_ = -1;
      ::close(peer);
    }
  }

  bool Answer(int peer) {
    std::string request;
    if (scripts_.empty() || !ReadRequest(peer, request)) return false;
    const Script script = std::move(scripts_.front());
    scripts_.pop_front();
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(std::move(request));
    }
    arrived_.notify_all();
    (void)!::send(peer, script.bytes.data(), script.bytes.size(), MSG_NOSIGNAL);
    if (script.end == Script::End::kReset) {
      const linger now{.l_onoff = 1, .l_linger = 0};
      ::setsockopt(peer, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    if (script.end == Script::End::kStall) {
      char byte = 0;
      while (::recv(peer, &byte, 1, 0) > 0) {
      }
    }
    return script.end == Script::End::kKeep;
  }

  static bool ReadRequest(int peer, std::string& request) {
    std::size_t wanted = std::string::npos;
    while (wanted == std::string::npos || request.size() < wanted) {
      char buffer[4096];
      const ssize_t got = ::recv(peer, buffer, sizeof buffer, 0);
      if (got <= 0) return false;
      request.append(buffer, static_cast<std::size_t>(got));
      const auto head = request.find("\r\n\r\n");
      if (head == std::string::npos) continue;
      const auto length = request.find("Content-Length: ");
      wanted = head + 4 + (length < head ? std::stoul(request.substr(length + 16)) : 0);
    }
    return true;
  }

  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  std::mutex mutex_;
  std::condition_variable arrived_;
  int peer_ = -1;                      // guarded by mutex_
  std::vector<std::string> requests_;  // guarded by mutex_
  std::deque<Script> scripts_;         // used by the thread only
  std::jthread thread_;
};

std::string Ok(std::string_view body) {
  return fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", body.size(), body);
}

Result<HttpResponse> Post(CurlHttpClient& client, const std::string& url, HttpLimits limits = {},
                          std::stop_token stop = {}) {
  const HttpRequest request{
      .method = "POST", .url = url, .headers = {{"X-Amz-Target", "A.B"}}, .body = "{}"};
  return client.Send(request, limits, stop);
}

testing::Matcher<const Result<HttpResponse>&> BrokeAt(NetStep step) {
  return testing::ResultOf(
      [](const Result<HttpResponse>& result) {
        return result ? std::nullopt : result.error().net_step();
      },
      testing::Eq(step));
}

TEST(CurlHttpClientTest, SendsWhatItIsGivenAndReturnsWhatWasSaid) {
  RawServer server(
      {{"HTTP/1.1 404 Not Found\r\nx-amzn-RequestId:  r-1 \r\nContent-Length: 3\r\n\r\nabc"}});
  CurlHttpClient client;

  const auto response = Post(client, server.url());

  ASSERT_THAT(response, Succeeds());
  EXPECT_EQ(response->status, 404);
  EXPECT_EQ(response->body, "abc");
  EXPECT_EQ(response->Header("X-AMZN-REQUESTID"), "r-1");
  const std::string request = server.requests().front();
  EXPECT_THAT(request, testing::StartsWith("POST / HTTP/1.1\r\n"));
  EXPECT_THAT(request, HasSubstr("Host: " + server.authority() + "\r\n"));
  EXPECT_THAT(request, HasSubstr("X-Amz-Target: A.B\r\n"));
  EXPECT_THAT(request, testing::EndsWith("\r\n\r\n{}"));
  EXPECT_THAT(request, testing::Not(HasSubstr("Expect:")));
}

TEST(CurlHttpClientTest, KeepsTheConnection) {
  RawServer server({{Ok("1")}, {Ok("2")}, {Ok("3")}});
  CurlHttpClient client;

  for (const char* expected : {"1", "2", "3"})
    EXPECT_EQ(Post(client, server.url())->body, expected);

  EXPECT_EQ(server.connections(), 1);
}

TEST(CurlHttpClientTest, TrailersAreNotHeaders) {
  RawServer server(
      {{"HTTP/1.1 200 OK\r\nx-amzn-RequestId: r-1\r\nTransfer-Encoding: chunked\r\nTrailer: "
        "Date\r\n"
        "\r\n3\r\nabc\r\n0\r\nDate: Mon, 23 Nov 2099 12:00:00 GMT\r\nx-evil: 1\r\n\r\n"},
       {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nx-evil: 2\r\n\r\n"}});
  CurlHttpClient client;

  const auto response = Post(client, server.url());
  const auto empty = Post(client, server.url());

  ASSERT_THAT(response, Succeeds());
  EXPECT_EQ(response->body, "abc");
  EXPECT_EQ(response->Header("x-amzn-requestid"), "r-1");
  EXPECT_EQ(response->Header("date"), std::nullopt);
  EXPECT_EQ(response->Header("x-evil"), std::nullopt);
  ASSERT_THAT(empty, Succeeds());
  EXPECT_EQ(empty->Header("x-evil"), std::nullopt);
}

TEST(CurlHttpClientTest, ARedirectIsAnAnswerAndNotFollowed) {
  RawServer server(
      {{"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"}});
  CurlHttpClient client;

  const auto response = Post(client, server.url());

  ASSERT_THAT(response, Succeeds());
  EXPECT_EQ(response->status, 302);
}

TEST(CurlHttpClientTest, ThePathIsSentAsItStands) {
  RawServer server({{Ok("")}});
  CurlHttpClient client;

  const HttpRequest request{.method = "GET",
                            .url = server.url() + "a/./b/../c//d%20e/%2B%C3%A4?list-type=2&x",
                            .headers = {},
                            .body = ""};
  ASSERT_THAT(client.Send(request, {}, {}), Succeeds());

  EXPECT_THAT(server.requests().front(),
              testing::StartsWith("GET /a/./b/../c//d%20e/%2B%C3%A4?list-type=2&x HTTP/1.1\r\n"));
}

TEST(CurlHttpClientTest, EveryMethodOnOneConnection) {
  // A HEAD's Content-Length is of a body that does not come, and makes no room for one.
  RawServer server({{"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n"},
                    {Ok("got")},
                    {"HTTP/1.1 204 No Content\r\n\r\n"},
                    {Ok("put")},
                    {Ok("posted")}});
  CurlHttpClient client;
  const std::string bytes("\0\r\n\xff", 4);
  const auto send = [&](const char* method, std::string_view body) {
    HttpRequest request{.method = method, .url = server.url(), .headers = {}, .body = ""};
    request.borrowed_body = body;
    return client.Send(request, {}, {});
  };

  const auto head = send("HEAD", "");
  EXPECT_EQ(head->status, 200);
  EXPECT_EQ(head->Header("content-length"), "999999999999");
  EXPECT_LT(head->body.capacity(), 1000U);
  EXPECT_EQ(send("GET", "")->body, "got");
  EXPECT_EQ(send("DELETE", "")->status, 204);
  EXPECT_EQ(send("PUT", bytes)->body, "put");
  EXPECT_EQ(send("POST", "")->body, "posted");

  EXPECT_EQ(server.connections(), 1);
  const auto requests = server.requests();
  EXPECT_THAT(requests[0], testing::StartsWith("HEAD / HTTP/1.1\r\n"));
  EXPECT_THAT(requests[2], testing::StartsWith("DELETE / HTTP/1.1\r\n"));
  EXPECT_THAT(requests[2], testing::Not(HasSubstr("Content-Length")));
  EXPECT_THAT(requests[3], testing::StartsWith("PUT / HTTP/1.1\r\n"));
  EXPECT_THAT(requests[3], testing::EndsWith("\r\n\r\n" + bytes));
  EXPECT_THAT(requests[3], testing::Not(HasSubstr("Expect:")));
  EXPECT_THAT(requests[4], HasSubstr("Content-Length: 0\r\n"));
}

TEST(CurlHttpClientTest, AnInterimAnswerDoesNotCount) {
  RawServer server({{"HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n" + Ok("x")}});
  CurlHttpClient client;

  const auto response = Post(client, server.url());

  ASSERT_THAT(response, Succeeds());
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->Header("X-Early"), std::nullopt);
}

TEST(CurlHttpClientTest, ACutAnswerIsTruncated) {
  using enum Script::End;
  RawServer server({{"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", kClose},
                    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", kClose},
                    {"", kClose}});
  CurlHttpClient client;

  EXPECT_THAT(Post(client, server.url()), BrokeAt(NetStep::kTruncated));
  EXPECT_THAT(Post(client, server.url()), BrokeAt(NetStep::kTruncated));
  EXPECT_THAT(Post(client, server.url()), BrokeAt(NetStep::kTruncated));
}

TEST(CurlHttpClientTest, AResetIsAFailureToReceive) {
  RawServer server({{"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", Script::End::kReset}});
  CurlHttpClient client;

  EXPECT_THAT(Post(client, server.url()), BrokeAt(NetStep::kReceive));
}

TEST(CurlHttpClientTest, AnAnswerOverTheCapsIsNotReadToItsEnd) {
  using enum Script::End;
  RawServer server({{Ok(std::string(2000, 'x')), kClose},
                    {"HTTP/1.1 200 OK\r\nX-Long: " + std::string(5000, 'x') + "\r\n\r\n", kClose}});
  CurlHttpClient client;
  HttpLimits limits;
  limits.max_body_bytes = 1999;
  limits.max_header_bytes = 1000;

  EXPECT_THAT(Post(client, server.url(), limits), BrokeAt(NetStep::kTooLarge));
  EXPECT_THAT(Post(client, server.url(), limits), BrokeAt(NetStep::kTooLarge));
}

TEST(CurlHttpClientTest, TheDeadlineIsATotalOne) {
  RawServer server({{"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", Script::End::kStall}});
  CurlHttpClient client;
  HttpLimits limits;
  limits.total = milliseconds(30);

  const auto response = Post(client, server.url(), limits);

  EXPECT_THAT(response, FailsWith(ErrorCode::kTimeout));
}

TEST(CurlHttpClientTest, AServerThatAcceptsAndSaysNothingIsNotWaitedForToTheEnd) {
  RawServer server({{"", Script::End::kStall}});
  CurlHttpClient client;
  HttpLimits limits;
  limits.first_byte = milliseconds(30);

  EXPECT_THAT(Post(client, server.url(), limits), FailsWith(ErrorCode::kTimeout));
}

TEST(CurlHttpClientTest, AClosedPortIsNamed) {
  std::string url;
  {
    RawServer server({});
    url = server.url();
  }
  CurlHttpClient client;

  const auto response = Post(client, url);

  EXPECT_THAT(response, BrokeAt(NetStep::kConnect));
  EXPECT_THAT(response.error().message(), HasSubstr("127.0.0.1:"));
}

TEST(CurlHttpClientTest, PlainHttpIsForThisMachineOnly) {
  CurlHttpClient client;

  EXPECT_THAT(Post(client, "http://192.0.2.1/"), FailsWith(ErrorCode::kConfig));
  EXPECT_THAT(Post(client, "file:///etc/passwd"), FailsWith(ErrorCode::kConfig));
}

TEST(CurlHttpClientTest, AHeaderThatWouldEndItsLineIsRefusedBeforeSending) {
  RawServer server({});
  CurlHttpClient client;
  const struct {
    std::string name, value;
  } cases[] = {{"X-Amz-Security-Token", "s3cret\r\nX-Evil: 1"},
               {"X-Amz-Security-Token", "s3cret\nbody"},
               {"X-Amz-Security-Token", std::string("s3cret\0", 7)},
               {"X-Bad\r\nX-Evil", "1"},
               {"", "1"}};
  for (const auto& [name, value] : cases) {
    const auto sent = client.Send(
        {.method = "POST", .url = server.url(), .headers = {{name, value}}, .body = "x"}, {}, {});

    ASSERT_THAT(sent, FailsWith(ErrorCode::kConfig));
    EXPECT_EQ(sent.error().message().find("s3cret"), std::string::npos);
  }
  EXPECT_EQ(server.connections(), 0);
}

TEST(CurlHttpClientTest, AStopEndsAnExchangeInFlight) {
  RawServer server({{"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", Script::End::kStall}});
  CurlHttpClient client;
  std::stop_source stop;
  const std::jthread stopper([&] {
    server.WaitForRequest();
    stop.request_stop();
  });

  EXPECT_THAT(Post(client, server.url(), {}, stop.get_token()), FailsWith(ErrorCode::kCancelled));
}

}  // namespace
}  // namespace pcw::net
