#include "pcw/base/json.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "fakes/result_matchers.h"

namespace pcw {
namespace {

std::string Nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(ParseJsonTest, ReadsEveryKindOfValue) {
  const auto parsed = ParseJson(R"( {"s":"\u00e9","n":null,"t":true,"i":-7,"a":[1,{}],"o":{}} )");

  ASSERT_THAT(parsed, Succeeds());
  EXPECT_EQ((*parsed)["s"], "\xC3\xA9");
  EXPECT_TRUE((*parsed)["n"].is_null());
  EXPECT_EQ((*parsed)["t"], true);
  EXPECT_EQ((*parsed)["i"], -7);
  EXPECT_EQ((*parsed)["a"].size(), 2U);
  EXPECT_TRUE((*parsed)["o"].is_object());
}

TEST(ParseJsonTest, ReadsAScalarAsTheWholeDocument) {
  EXPECT_EQ(*ParseJson("42"), 42);
  EXPECT_EQ(*ParseJson("\"x\""), "x");
}

TEST(ParseJsonTest, KeepsAmountsAndBigIntegersAsTheirExactText) {
  const auto parsed =
      ParseJson(R"([1.10,0.1,1e5,-2.5E-3,18446744073709551616,-9223372036854775809,1.0])");

  ASSERT_THAT(parsed, Succeeds());
  EXPECT_EQ(
      parsed->dump(),
      R"(["1.10","0.1","1e5","-2.5E-3","18446744073709551616","-9223372036854775809","1.0"])");
}

TEST(ParseJsonTest, KeepsIntegersOf64BitsAsNumbers) {
  const auto parsed = ParseJson("[9223372036854775807,-9223372036854775808,18446744073709551615]");

  ASSERT_THAT(parsed, Succeeds());
  EXPECT_EQ(parsed->dump(), "[9223372036854775807,-9223372036854775808,18446744073709551615]");
}

TEST(ParseJsonTest, RefusesWhatIsNotOneValue) {
  for (const std::string_view text : {"",
                                      " ",
                                      "{",
                                      "[1,]",
                                      "{\"a\":1,}",
                                      "{a:1}",
                                      "{'a':1}",
                                      "nul",
                                      "01",
                                      "+1",
                                      ".5",
                                      "1.",
                                      "NaN",
                                      "Infinity",
                                      "\"a",
                                      "\"\x01\"",
                                      "\"\\x\"",
                                      "\"\\ud800\"",
                                      "[1] [2]",
                                      "{} x",
                                      "1,2",
                                      "// comment\n1",
                                      "\xEF\xBB\xBF{}",
                                      "1e400"}) {
    EXPECT_THAT(ParseJson(text), FailsWith(ErrorCode::kInvalidRequest)) << text;
  }
  EXPECT_THAT(ParseJson(std::string_view("{}\0", 3)), FailsWith(ErrorCode::kInvalidRequest));
}

TEST(ParseJsonTest, RefusesInvalidUtf8) {
  for (const std::string_view text :
       {"\"\xff\"", "\"\xc3\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\""}) {
    EXPECT_THAT(ParseJson(text), FailsWith(ErrorCode::kInvalidRequest));
  }
}

TEST(ParseJsonTest, NamesTheByteWhereReadingStopped) {
  EXPECT_THAT(ParseJson("[1,x]").error().message(), testing::HasSubstr("byte 4"));
}

TEST(ParseJsonTest, RefusesADuplicateKeyAndNamesIt) {
  const auto parsed = ParseJson(R"({"a":{"id":1,"x":2,"id":3}})");

  ASSERT_THAT(parsed, FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_THAT(parsed.error().message(), testing::HasSubstr("\"id\""));
}

TEST(ParseJsonTest, SameKeyInSiblingObjectsIsFine) {
  EXPECT_THAT(ParseJson(R"([{"id":1},{"id":2}])"), Succeeds());
}

TEST(ParseJsonTest, AcceptsTheDeepestAllowedAndRefusesOneMore) {
  EXPECT_THAT(ParseJson(Nested(64)), Succeeds());
  EXPECT_THAT(ParseJson(Nested(65)), FailsWith(ErrorCode::kInvalidRequest));
}

TEST(ParseJsonTest, HostileDepthIsRefusedWithoutACrash) {
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += R"({"a":)";

  EXPECT_THAT(ParseJson(Nested(100'000)), FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_THAT(ParseJson(objects), FailsWith(ErrorCode::kInvalidRequest));
}

TEST(ParseJsonTest, RefusesTooManyBytesAndTooManyValues) {
  EXPECT_THAT(ParseJson("[1,2]", {.max_bytes = 5}), Succeeds());
  EXPECT_THAT(ParseJson("[1,2]", {.max_bytes = 4}), FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_THAT(ParseJson("[1,2]", {.max_values = 3}), Succeeds());
  EXPECT_THAT(ParseJson("[1,2]", {.max_values = 2}), FailsWith(ErrorCode::kInvalidRequest));
}

TEST(ParseJsonTest, ErrorTextOfHostileInputCanBeDumped) {
  // The quoted key is cut, and between two characters.
  const std::string key = std::string(63, 'k') + "\xC3\xA9";
  const auto parsed = ParseJson("{\"" + key + "\":1,\"" + key + "\":2}");

  ASSERT_THAT(parsed, FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_THAT(DumpJson(Json(parsed.error().message())),
              testing::AllOf(testing::HasSubstr(std::string(63, 'k')),
                             testing::Not(testing::HasSubstr("\xEF\xBF\xBD"))));
}

TEST(DumpJsonTest, ReplacesInvalidUtf8InsteadOfThrowing) {
  EXPECT_EQ(DumpJson(Json("a\xff")), "\"a\xEF\xBF\xBD\"");
  EXPECT_EQ(DumpJson(OrderedJson{{"z", 1}, {"a", "\xff"}}), "{\"z\":1,\"a\":\"\xEF\xBF\xBD\"}");
}

TEST(DumpJsonTest, PrettyTextIsIndentedAndEndsWithALineEnd) {
  EXPECT_EQ(DumpJsonPretty(OrderedJson{{"z", 1}, {"a", 2}}), "{\n  \"z\": 1,\n  \"a\": 2\n}\n");
}

}  // namespace
}  // namespace pcw
