#include "pcw/net/server/message.h"

#include <gmock/gmock.h>

namespace pcw::net::server {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(RenderResponseTest, WritesStatusHeadersLengthAndBody) {
  const std::string text =
      RenderResponse({404, {{"Content-Type", "text/plain"}}, "gone"}, KeepAlive::kYes, "today");

  EXPECT_EQ(text,
            "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nDate: today\r\n"
            "Content-Length: 4\r\n\r\ngone");
}

TEST(RenderResponseTest, AHandlersDateWins) {
  const std::string text =
      RenderResponse({200, {{"date", "yesterday"}}, ""}, KeepAlive::kNo, "today");

  EXPECT_THAT(text, HasSubstr("date: yesterday"));
  EXPECT_THAT(text, Not(HasSubstr("today")));
  EXPECT_THAT(text, HasSubstr("Connection: close"));
}

TEST(RenderResponseTest, AHeaderWithALineBreakIsLeftOut) {
  const std::string text =
      RenderResponse({200, {{"X-A", "1\r\nX-Evil: 2"}}, ""}, KeepAlive::kYes, "today");

  EXPECT_THAT(text, Not(HasSubstr("X-Evil")));
}

TEST(RenderResponseTest, HeadKeepsTheLengthAndDropsTheBody) {
  const std::string text = RenderResponse({200, {}, "body"}, KeepAlive::kYes, "d", WithBody::kNo);

  EXPECT_THAT(text, EndsWith("Content-Length: 4\r\n\r\n"));
}

TEST(FindHeaderTest, IgnoresCase) {
  EXPECT_EQ(FindHeader({{"X-Amz-Target", "t"}}, "x-amz-target"), "t");
  EXPECT_EQ(FindHeader({{"X-Amz-Target", "t"}}, "x-amz-targe"), std::nullopt);
}

}  // namespace
}  // namespace pcw::net::server
