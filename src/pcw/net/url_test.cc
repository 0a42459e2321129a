#include "pcw/net/url.h"

#include <gtest/gtest.h>

#include "fakes/result_matchers.h"

namespace pcw::net {
namespace {

TEST(ParseUrlTest, SplitsAsLibcurlDoes) {
  const struct {
    const char* text;
    const char* host;
    const char* authority;
    const char* path;
  } cases[] = {
      {"https://example.com", "example.com", "example.com", "/"},
      {"https://example.com:443/a?b=c", "example.com", "example.com", "/a?b=c"},
      {"http://[::1]:8000/x/../y", "::1", "[::1]:8000", "/x/../y"},
      {"HTTPS://SQS.US-east-1.amazonaws.com/1/Q", "sqs.us-east-1.amazonaws.com",
       "sqs.us-east-1.amazonaws.com", "/1/Q"},
      {"https://example.com?x=1", "example.com", "example.com", "/?x=1"},
      // Another way to write an address is that address: plain http is judged by where it leads.
      {"http://2130706433/", "127.0.0.1", "127.0.0.1", "/"},
  };
  for (const auto& [text, host, authority, path] : cases) {
    const auto url = ParseUrl(text);
    ASSERT_THAT(url, Succeeds()) << text;
    EXPECT_EQ(url->host, host) << text;
    EXPECT_EQ(url->authority, authority) << text;
    EXPECT_EQ(url->path, path) << text;
  }
}

TEST(ParseUrlTest, RefusesWhatReadersDisagreeAboutWithoutRepeatingIt) {
  for (const char* text :
       {"http://[::1]x25001", "http://[::1", "https://user:s3cret@h", "https://s3cret@h", "s3cret",
        "ftp://s3cret", "https://", "https:///s3cret", "https://h:0/s3cret",
        "https://h:65536/s3cret", "https://h:1x/s3cret", "https://h/ s3cret",
        "https://h/s3cret\r\nX: y", "https://h/#s3cret", "file:///s3cret", "https://h\\s3cret"}) {
    const auto url = ParseUrl(text);
    ASSERT_THAT(url, FailsWith(ErrorCode::kConfig)) << text;
    EXPECT_EQ(url.error().message().find("s3cret"), std::string::npos) << url.error().message();
  }
}

TEST(ShownUrlTest, HidesPathsAndWhatIsNoUrl) {
  EXPECT_EQ(ShownUrl("https://hooks.example.com:8443/services/T0/secret?x=1"),
            "https://hooks.example.com:8443/****");
  EXPECT_EQ(ShownUrl("https://example.com"), "https://example.com");
  EXPECT_EQ(ShownUrl("https://u:p@example.com/"), "****");
  EXPECT_EQ(ShownUrl("wJalrXUtnFEMI"), "****");
}

}  // namespace
}  // namespace pcw::net
