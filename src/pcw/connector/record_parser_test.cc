#include "pcw/connector/record_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/result_matchers.h"

namespace pcw::connector {
namespace {

using simdjson::dom::element_type;

simdjson::dom::element At(const simdjson::dom::element& document, std::string_view pointer) {
  simdjson::dom::element value;
  EXPECT_EQ(document.at_pointer(pointer).get(value), simdjson::SUCCESS) << pointer;
  return value;
}

TEST(RecordParserTest, NumbersThatSimdjsonRefusesAreExactTexts) {
  RecordParser parser;
  const std::string long_number(200, '7');
  const auto document =
      parser.Parse(R"({"a":18446744073709551616,"b":[1e400,-5],"c":)" + long_number +
                   R"(,"d":100.50,"e":"100.50","f":-9223372036854775808})");

  ASSERT_TRUE(document.has_value());
  EXPECT_EQ(ExactNumber(At(*document, "/a")), "18446744073709551616");
  EXPECT_EQ(ExactNumber(At(*document, "/b/0")), "1e400");
  EXPECT_EQ(ExactNumber(At(*document, "/c")), long_number);
  EXPECT_EQ(ExactNumber(At(*document, "/d")), "100.50");
  EXPECT_EQ(ExactNumber(At(*document, "/e")), std::nullopt);
  EXPECT_EQ(TypeOf(At(*document, "/a")), element_type::DOUBLE);
  EXPECT_EQ(TypeOf(At(*document, "/e")), element_type::STRING);
  EXPECT_EQ(At(*document, "/f").type(), element_type::INT64);
  EXPECT_EQ(JsonTextOf(*document), R"({"a":18446744073709551616,"b":[1e400,-5],"c":)" +
                                       long_number +
                                       R"(,"d":100.50,"e":"100.50","f":-9223372036854775808})");
}

TEST(RecordParserTest, OfTwoMembersOfOneNameTheLastCountsAtEveryDepth) {
  RecordParser parser;
  const auto document =
      parser.Parse(R"({"a":1,"b":{"x":"old","y":[{"z":1,"\u007a":2}],"x":"new"},"a":3})");

  ASSERT_TRUE(document.has_value());
  EXPECT_EQ(JsonTextOf(*document), R"({"b":{"y":[{"z":2}],"x":"new"},"a":3})");
}

TEST(RecordParserTest, RefusesWhatIsMalformedAndWhatPostgresCannotStore) {
  RecordParser parser;
  const std::string deep = "{\"a\":" + std::string(200, '[') + std::string(200, ']') + "}";
  for (const std::string& text :
       {std::string(R"({"a":"\ud83d"})"), std::string("{\"a\":\"\xff\"}"),
        std::string("\xEF\xBB\xBF{}"), deep, std::string("{\"a\":1"), std::string()}) {
    const auto document = parser.Parse(text);
    ASSERT_THAT(document, FailsWith(ErrorCode::kSchemaMismatch)) << text.substr(0, 40);
    EXPECT_TRUE(document.error().Find("malformed").has_value());
  }
  EXPECT_THAT(parser.Parse(R"({"a":"x\u0000"})"), FailsWith(ErrorCode::kSchemaMismatch));
  EXPECT_THAT(parser.Parse(R"({"a":"\u00001e400","b":1e400})"),
              FailsWith(ErrorCode::kSchemaMismatch));
  EXPECT_THAT(parser.Parse("[1e400]"), FailsWith(ErrorCode::kSchemaMismatch));
  EXPECT_TRUE(parser.Parse(R"({"a":"\\u0000"})").has_value());
}

TEST(RecordParserTest, LongRecordsFollowShortOnesAndTheDepthStays) {
  RecordParser parser;
  ASSERT_TRUE(parser.Parse("{}").has_value());
  const std::string big = R"({"a":")" + std::string(1U << 20U, 'x') + R"("})";
  ASSERT_TRUE(parser.Parse(big).has_value());
  const std::string deep = "{\"a\":" + std::string(200, '[') + std::string(200, ']') + "}";
  EXPECT_THAT(parser.Parse(deep), FailsWith(ErrorCode::kSchemaMismatch));
}

}  // namespace
}  // namespace pcw::connector
