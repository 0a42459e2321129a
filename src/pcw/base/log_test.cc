#include "pcw/base/log.h"

#include <thread>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "pcw/base/json.h"

namespace pcw {
namespace {

constexpr std::string_view kTs = "2026-11-23T12:00:00Z";

TEST(FormatLogLineTest, TextIsTimeLevelMessageAndFieldsInOrder) {
  EXPECT_EQ(FormatLogLine(LogFormat::kText, LogLevel::kWarn, kTs, "part written",
                          {{"run_id", "r1"}, {"bytes", "12"}}),
            "2026-11-23T12:00:00Z WARN  part written run_id=r1 bytes=12");
}

TEST(FormatLogLineTest, ControlCharactersCannotForgeLinesOrTerminalSequences) {
  const std::string line = FormatLogLine(LogFormat::kText, LogLevel::kInfo, kTs, "a\nb",
                                         {{"name", "x\r\n\x1b[31m\x7f\t"},
                                          {"c1",
                                           "\xC2\x9B"
                                           "2J"}});

  EXPECT_EQ(line,
            "2026-11-23T12:00:00Z INFO  a\\x0ab name=x\\x0d\\x0a\\x1b[31m\\x7f\\x09 c1=\\x9b2J");
}

TEST(FormatLogLineTest, BytesThatAreNoTextAndTurnedTextAreShown) {
  EXPECT_EQ(FormatLogLine(LogFormat::kText, LogLevel::kInfo, "2026-11-23T12:00:00Z", "a",
                          {{"id", "r\xff\u202Efdp.exe\uffff"}}),
            "2026-11-23T12:00:00Z INFO  a id=r\\xff\\u{202E}fdp.exe\\u{FFFF}");
}

TEST(FormatLogLineTest, TextBeyondAsciiStaysReadable) {
  EXPECT_EQ(FormatLogLine(LogFormat::kText, LogLevel::kInfo, kTs, "saved",
                          {{"customer", "Caf\xC3\xA9 \xE2\x82\xAC \xC2\xA0"}}),
            "2026-11-23T12:00:00Z INFO  saved customer=Caf\xC3\xA9 \xE2\x82\xAC \xC2\xA0");
}

TEST(FormatLogLineTest, JsonIsOneObjectOnOneLine) {
  const std::string line = FormatLogLine(LogFormat::kJson, LogLevel::kError, kTs, "it \"failed\"\n",
                                         {{"code", "timeout"}, {"error", "a\nb\xff"}});

  EXPECT_EQ(line,
            "{\"ts\":\"2026-11-23T12:00:00Z\",\"level\":\"ERROR\",\"msg\":\"it \\\"failed\\\"\\n\","
            "\"code\":\"timeout\",\"error\":\"a\\nb\xEF\xBF\xBD\"}");
  EXPECT_EQ((*ParseJson(line))["code"], "timeout");
}

TEST(LogTest, LinesBelowTheLevelAreNotWritten) {
  ConfigureLog(LogLevel::kWarn, LogFormat::kText);
  testing::internal::CaptureStderr();

  Log(LogLevel::kInfo, "hidden");
  Log(LogLevel::kWarn, "shown");

  const std::string written = testing::internal::GetCapturedStderr();
  EXPECT_FALSE(LogEnabled(LogLevel::kInfo));
  EXPECT_TRUE(LogEnabled(LogLevel::kError));
  ConfigureLog(LogLevel::kInfo, LogFormat::kText);
  EXPECT_THAT(written, testing::EndsWith("WARN  shown\n"));
  EXPECT_THAT(written, testing::Not(testing::HasSubstr("hidden")));
}

TEST(LogTest, AScopeAddsItsFieldsToEveryLineOfItsThreadAndTakesThemAwayAgain) {
  testing::internal::CaptureStderr();
  {
    const LogScope run(LogFields{{"run_id", "r1"}});
    const LogScope entity(LogFields{{"entity", "leads"}});
    Log(LogLevel::kWarn, "inside", {{"n", "1"}});
    std::thread([fields = CurrentLogFields()] {
      const LogScope taken_over(fields);
      Log(LogLevel::kWarn, "elsewhere");
    }).join();
  }
  Log(LogLevel::kWarn, "outside");

  const std::string written = testing::internal::GetCapturedStderr();
  EXPECT_THAT(written, testing::HasSubstr("inside run_id=r1 entity=leads n=1\n"));
  EXPECT_THAT(written, testing::HasSubstr("elsewhere run_id=r1 entity=leads\n"));
  EXPECT_THAT(written, testing::EndsWith("outside\n"));
}

TEST(LogTest, AnErrorIsLoggedWithCodeContextAndPlace) {
  testing::internal::CaptureStderr();

  LogError("run failed", Error(ErrorCode::kThrottled, "rate exceeded").With("run_id", "r1"));

  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              testing::HasSubstr(
                  "ERROR run failed code=throttled error=rate exceeded run_id=r1 location="));
}

}  // namespace
}  // namespace pcw
