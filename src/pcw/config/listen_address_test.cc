#include "pcw/config/listen_address.h"

#include <gmock/gmock.h>

#include "fakes/result_matchers.h"

namespace pcw::config {
namespace {

using ::testing::HasSubstr;

Config Listening(const std::string& listen) {
  Config config;
  config.server.listen = listen;
  return config;
}

TEST(ListenAddressTest, LoopbackNeedsNoTls) {
  for (const char* listen : {"127.0.0.1:8080", "127.9.9.9:0", "[::1]:8080", "::1:8080"})
    EXPECT_THAT(ListenAddressOf(Listening(listen)), Succeeds()) << listen;
  EXPECT_EQ(ListenAddressOf(Listening("[::1]:8443"))->address, "::1");
  EXPECT_EQ(ListenAddressOf(Listening("127.0.0.1:8443"))->port, 8443);
}

TEST(ListenAddressTest, OtherAddressesNeedTlsOrTheNamedOption) {
  for (const char* listen : {"0.0.0.0:8080", "10.0.0.1:8080", "[::]:8080"}) {
    Config config = Listening(listen);
    const auto refused = ListenAddressOf(config);
    ASSERT_THAT(refused, FailsWith(ErrorCode::kConfig)) << listen;
    EXPECT_THAT(refused.error().message(), HasSubstr("server.insecure_listen"));
    config.server.insecure_listen = true;
    EXPECT_THAT(ListenAddressOf(config), Succeeds()) << listen;
    config.server.insecure_listen = false;
    config.server.tls_cert = "cert.pem";
    EXPECT_THAT(ListenAddressOf(config), Succeeds()) << listen;
  }
}

TEST(ListenAddressTest, WhatIsNoAddressAndPortIsRefused) {
  for (const char* listen : {"", "8080", ":8080", "localhost:8080", "127.0.0.1",
                             "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:80 "})
    EXPECT_THAT(ListenAddressOf(Listening(listen)), FailsWith(ErrorCode::kConfig)) << listen;
}

}  // namespace
}  // namespace pcw::config
