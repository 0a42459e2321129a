// Limits per route and connection, streams and TLS of the listener, over raw sockets.
#include <filesystem>
#include <future>
#include <thread>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include "fakes/result_matchers.h"
#include "pcw/net/server/listener.h"

namespace pcw::net::server {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// A plain client: sends what it is told, reads to a mark or to the end.
class PlainClient {
 public:
  explicit PlainClient(std::uint16_t port) : socket_(io_) {
    socket_.connect({asio::ip::address_v4::loopback(), port});
  }
  void Send(const std::string& text) {
    boost::system::error_code left;  // a refusing server may have closed already
    asio::write(socket_, asio::buffer(text), left);
  }
  std::string ReadUntil(const std::string& mark) {
    const std::size_t end = asio::read_until(socket_, asio::dynamic_buffer(text_), mark, problem);
    std::string got = text_.substr(0, end);
    text_.erase(0, end);
    return got;
  }
  std::string ReadAll() {
    asio::read(socket_, asio::dynamic_buffer(text_), problem);
    return std::exchange(text_, {});
  }
  void Close() { socket_.close(); }

  boost::system::error_code problem;

 private:
  asio::io_context io_;
  tcp::socket socket_;
  std::string text_;
};

std::unique_ptr<Listener> StartListener(ListenerOptions options, Handler handler) {
  auto started = Listener::Start(std::move(options), std::move(handler));
  EXPECT_THAT(started, Succeeds());
  return std::move(*started);
}

void AnswerOk(const Request& request, const Responder& responder) {
  responder.Send(Response{200, {}, "got " + std::to_string(request.body.size())});
}

TEST(ListenerLimitsTest, TheHeadCheckRefusesBeforeTheBodyArrives) {
  ListenerOptions options;
  options.head_check = [](const Request& head,
                          std::uint64_t body_bytes) -> std::optional<Response> {
    const std::uint64_t most = head.target == "/small" ? 4 : 8;
    if (body_bytes <= most) return std::nullopt;
    return Response{413, {}, "too large"};
  };
  const auto listener = StartListener(std::move(options), AnswerOk);
  const auto ask = [&](const std::string& target, int bytes) {
    PlainClient client(listener->port());
    client.Send("POST " + target +
                " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(bytes) + "\r\n\r\n");
    // The refused body is never sent, and the answer comes all the same.
    if ((target == "/small" && bytes <= 4) || (target != "/small" && bytes <= 8))
      client.Send(std::string(static_cast<std::size_t>(bytes), 'x'));
    return client.ReadUntil("\r\n\r\n");
  };

  EXPECT_THAT(ask("/small", 4), StartsWith("HTTP/1.1 200"));
  const std::string refused = ask("/small", 5);
  EXPECT_THAT(refused, StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(refused, HasSubstr("Connection: close"));
  EXPECT_THAT(ask("/large", 8), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(ask("/large", 9), StartsWith("HTTP/1.1 413"));
}

TEST(ListenerLimitsTest, TheLastRequestOfAConnectionSaysSo) {
  ListenerOptions options;
  options.max_requests_per_connection = 3;
  const auto listener = StartListener(std::move(options), AnswerOk);
  PlainClient client(listener->port());

  for (int i = 0; i < 2; ++i) {
    client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_THAT(client.ReadUntil("got 0"), Not(HasSubstr("Connection: close")));
  }
  client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");

  EXPECT_THAT(client.ReadAll(), HasSubstr("Connection: close"));
  EXPECT_EQ(client.problem, asio::error::eof);
}

TEST(ListenerLimitsTest, ConnectionsOfOneAddressAreCounted) {
  ListenerOptions options;
  options.max_connections_per_address = 2;
  const auto listener = StartListener(std::move(options), AnswerOk);
  PlainClient first(listener->port()), second(listener->port());
  for (PlainClient* client : {&first, &second}) {
    client->Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_THAT(client->ReadUntil("got 0"), StartsWith("HTTP/1.1 200"));
  }

  PlainClient third(listener->port());
  third.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");

  EXPECT_THAT(third.ReadAll(), StartsWith("HTTP/1.1 503")) << "told, not reset";
  EXPECT_EQ(third.problem, asio::error::eof);
}

TEST(ListenerStreamTest, PiecesArriveAsTheyAreWrittenAndTheConnectionEnds) {
  std::promise<ResponseStream> made;
  const auto listener = StartListener({}, [&](const Request&, const Responder& responder) {
    made.set_value(responder.Stream({200, {{"Content-Type", "text/event-stream"}}, ""}));
  });
  PlainClient client(listener->port());
  client.Send("GET /events HTTP/1.1\r\nHost: h\r\n\r\n");
  std::optional<ResponseStream> stream = made.get_future().get();

  EXPECT_THAT(client.ReadUntil("\r\n\r\n"), HasSubstr("Transfer-Encoding: chunked"));
  EXPECT_TRUE(stream->Write("one"));
  EXPECT_EQ(client.ReadUntil("one\r\n"), "3\r\none\r\n");
  EXPECT_TRUE(stream->Write("seventeen letters"));
  EXPECT_EQ(client.ReadUntil("letters\r\n"), "11\r\nseventeen letters\r\n");
  stream->End();
  EXPECT_EQ(client.ReadUntil("0\r\n\r\n"), "0\r\n\r\n");
  EXPECT_FALSE(stream->Write("late"));
  EXPECT_EQ(client.ReadAll(), "");
  EXPECT_EQ(client.problem, asio::error::eof);
}

TEST(ListenerStreamTest, AnOldClientGetsTheBareBytesAndTheEnd) {
  const auto listener = StartListener({}, [&](const Request&, const Responder& responder) {
    const ResponseStream stream = responder.Stream({200, {}, ""});
    stream.Write("bare");  // and the last copy ends it
  });
  PlainClient client(listener->port());
  client.Send("GET / HTTP/1.0\r\n\r\n");

  const std::string answer = client.ReadAll();

  EXPECT_THAT(answer, ::testing::EndsWith("\r\n\r\nbare"));
  EXPECT_THAT(answer, Not(HasSubstr("chunked")));
}

TEST(ListenerStreamTest, AReaderThatDoesNotReadIsCutOff) {
  std::promise<ResponseStream> made;
  const auto listener = StartListener({}, [&](const Request&, const Responder& responder) {
    made.set_value(responder.Stream({200, {}, ""}));
  });
  PlainClient client(listener->port());
  client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  const ResponseStream stream = made.get_future().get();

  // The kernel's buffers take a few megabytes before anything waits here.
  const std::string piece(16U << 10U, 'x');
  bool was_cut = false;
  for (int i = 0; i < 100'000 && !was_cut; ++i) was_cut = !stream.Write(piece);

  EXPECT_TRUE(was_cut);
  EXPECT_FALSE(stream.is_open());
}

TEST(ListenerStreamTest, AClientThatLeavesIsNoticedWithoutAWrite) {
  std::promise<ResponseStream> made;
  const auto listener = StartListener({}, [&](const Request&, const Responder& responder) {
    made.set_value(responder.Stream({200, {}, ""}));
  });
  PlainClient client(listener->port());
  client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  const ResponseStream stream = made.get_future().get();
  client.ReadUntil("\r\n\r\n");
  client.Close();

  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (stream.is_open() && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();

  EXPECT_FALSE(stream.is_open());
  EXPECT_EQ(listener->stats().open, 0U);
}

TEST(ListenerStreamTest, StopEndsAStreamThatGoesOn) {
  std::promise<ResponseStream> made;
  const auto listener = StartListener({}, [&](const Request&, const Responder& responder) {
    made.set_value(responder.Stream({200, {}, ""}));
  });
  PlainClient client(listener->port());
  client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  const ResponseStream stream = made.get_future().get();

  listener->Stop(milliseconds(10));

  EXPECT_FALSE(stream.is_open());
}

/// A key and a certificate that it signed itself, in files.
class TlsFiles {
 public:
  TlsFiles() {
    EVP_PKEY* const key = EVP_EC_gen("P-256");
    X509* const cert = X509_new();
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -60);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    X509_NAME* const name = X509_get_subject_name(cert);
    const unsigned char text[] = "localhost";
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0);
    X509_set_issuer_name(cert, name);
    X509_sign(cert, key, EVP_sha256());
    const std::string base =
        ::testing::TempDir() + "pcw-tls-" + std::to_string(reinterpret_cast<std::uintptr_t>(this));
    cert_file = base + ".pem";
    key_file = base + ".key";
    std::FILE* file = std::fopen(cert_file.c_str(), "w");
    PEM_write_X509(file, cert);
    std::fclose(file);
    file = std::fopen(key_file.c_str(), "w");
    PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    ::chmod(key_file.c_str(), S_IRUSR | S_IWUSR);
    X509_free(cert);
    EVP_PKEY_free(key);
  }
  ~TlsFiles() {
    std::remove(cert_file.c_str());
    std::remove(key_file.c_str());
  }
  TlsFiles(const TlsFiles&) = delete;
  TlsFiles& operator=(const TlsFiles&) = delete;

  std::string cert_file, key_file;
};

class ListenerTlsTest : public ::testing::Test {
 protected:
  std::unique_ptr<Listener> Serve(Handler handler, milliseconds header = milliseconds(10'000)) {
    ListenerOptions options;
    options.tls_cert = files.cert_file;
    options.tls_key = files.key_file;
    options.header = header;
    return StartListener(std::move(options), std::move(handler));
  }
  TlsFiles files;
};

TEST_F(ListenerTlsTest, AnswersOverTlsAndEndsInOrder) {
  const auto listener = Serve(AnswerOk);
  asio::io_context io;
  asio::ssl::context context(asio::ssl::context::tls_client);
  asio::ssl::stream<tcp::socket> client(io, context);
  client.next_layer().connect({asio::ip::address_v4::loopback(), listener->port()});
  client.handshake(asio::ssl::stream_base::client);
  EXPECT_THAT(SSL_get_version(client.native_handle()), StartsWith("TLSv1.3"));

  asio::write(client, asio::buffer(std::string(
                          "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nConnection: "
                          "close\r\n\r\nabc")));
  std::string answer;
  boost::system::error_code end;
  asio::read(client, asio::dynamic_buffer(answer), end);

  EXPECT_THAT(answer, HasSubstr("got 3"));
  EXPECT_EQ(end, asio::error::eof) << "an end, and not a cut: " << end.message();
}

TEST_F(ListenerTlsTest, OldVersionsAndPlainTextAreRefused) {
  const auto listener = Serve(AnswerOk);
  asio::io_context io;
  asio::ssl::context context(asio::ssl::context::tls_client);
  SSL_CTX_set_max_proto_version(context.native_handle(), TLS1_1_VERSION);
  SSL_CTX_set_security_level(context.native_handle(), 0);
  asio::ssl::stream<tcp::socket> old(io, context);
  old.next_layer().connect({asio::ip::address_v4::loopback(), listener->port()});
  boost::system::error_code problem;
  old.handshake(asio::ssl::stream_base::client, problem);
  EXPECT_TRUE(problem) << "TLS 1.1 was accepted";

  PlainClient plain(listener->port());
  plain.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(plain.ReadAll(), Not(HasSubstr("HTTP/1.1")));
  EXPECT_EQ(listener->stats().requests, 0U);
}

TEST_F(ListenerTlsTest, AHandshakeThatNeverEndsIsCut) {
  const auto listener = Serve(AnswerOk, milliseconds(50));
  PlainClient client(listener->port());
  client.Send("\x16\x03\x01");

  EXPECT_EQ(client.ReadAll(), "");
}

TEST_F(ListenerTlsTest, AKeyOfAnotherCertificateIsAConfigError) {
  const TlsFiles others;
  ListenerOptions options;
  options.tls_cert = files.cert_file;
  options.tls_key = others.key_file;

  const auto started = Listener::Start(std::move(options), AnswerOk);

  ASSERT_THAT(started, FailsWith(ErrorCode::kConfig));
  EXPECT_THAT(started.error().message(), HasSubstr("server.tls_key"));
}

TEST_F(ListenerTlsTest, AKeyThatEverybodyCanReadIsAConfigError) {
  ::chmod(files.key_file.c_str(), S_IRUSR | S_IWUSR | S_IROTH);
  ListenerOptions options;
  options.tls_cert = files.cert_file;
  options.tls_key = files.key_file;

  const auto started = Listener::Start(std::move(options), AnswerOk);

  ASSERT_THAT(started, FailsWith(ErrorCode::kConfig));
  EXPECT_THAT(started.error().message(), HasSubstr("chmod 600 " + files.key_file));
}

TEST_F(ListenerTlsTest, ACertificateIsReadAgainAndABrokenOneIsNotTaken) {
  const auto listener = Serve(AnswerOk);
  const auto served = [&] {
    asio::io_context io;
    asio::ssl::context context(asio::ssl::context::tls_client);
    asio::ssl::stream<tcp::socket> client(io, context);
    client.next_layer().connect({asio::ip::address_v4::loopback(), listener->port()});
    client.handshake(asio::ssl::stream_base::client);
    X509* const cert = SSL_get1_peer_certificate(client.native_handle());
    std::vector<unsigned char> key(256);
    unsigned char* end = key.data();
    key.resize(static_cast<std::size_t>(i2d_PUBKEY(X509_get0_pubkey(cert), &end)));
    X509_free(cert);
    return key;
  };
  const auto first = served();
  const TlsFiles next;
  std::filesystem::copy_file(next.cert_file, files.cert_file,
                             std::filesystem::copy_options::overwrite_existing);

  EXPECT_THAT(listener->ReloadTls(), FailsWith(ErrorCode::kConfig)) << "the key is of the old one";
  EXPECT_EQ(served(), first);
  std::filesystem::copy_file(next.key_file, files.key_file,
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_THAT(listener->ReloadTls(), Succeeds());
  EXPECT_NE(served(), first);
}

TEST_F(ListenerTlsTest, AMissingCertificateIsAConfigError) {
  ListenerOptions options;
  options.tls_cert = files.cert_file + ".absent";
  options.tls_key = files.key_file;

  const auto started = Listener::Start(std::move(options), AnswerOk);

  ASSERT_THAT(started, FailsWith(ErrorCode::kConfig));
  EXPECT_THAT(started.error().message(), HasSubstr("server.tls_cert"));
}

}  // namespace
}  // namespace pcw::net::server
