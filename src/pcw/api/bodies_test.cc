#include "pcw/api/bodies.h"

#include <array>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "fakes/result_matchers.h"

namespace pcw::api {
namespace {

using net::server::Request;

constexpr std::array<std::string_view, 2> kFields{"entity", "mode"};

std::string CodeOf(const Error& error) { return std::string(error.Find("api_code").value_or("")); }

struct BadBody {
  std::string name, body, code;
};
class BadBodyTest : public ::testing::TestWithParam<BadBody> {};

TEST_P(BadBodyTest, IsRefusedWithItsCode) {
  const auto read = ReadJsonObject(GetParam().body, kFields);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(CodeOf(read.error()), GetParam().code);
}

std::string Nested(int depth) {
  std::string text = "{\"entity\":";
  for (int i = 0; i < depth; ++i) text += "[";
  for (int i = 0; i < depth; ++i) text += "]";
  return text + "}";
}
std::string ManyKeys(int count) {
  std::string text = "{\"entity\":[0";
  for (int i = 0; i < count; ++i) text += ",0";
  return text + "]}";
}

INSTANTIATE_TEST_SUITE_P(
    Bodies, BadBodyTest,
    ::testing::Values(
        BadBody{"Empty", "", "invalid_json"}, BadBody{"NotJson", "entity=x", "invalid_json"},
        BadBody{"TwoValues", "{}{}", "invalid_json"}, BadBody{"Trailing", "{} x", "invalid_json"},
        BadBody{"Array", "[]", "invalid_json"}, BadBody{"Null", "null", "invalid_json"},
        BadBody{"Text", "\"x\"", "invalid_json"}, BadBody{"Bom", "\xEF\xBB\xBF{}", "invalid_json"},
        BadBody{"BadUtf8", "{\"entity\":\"\xff\"}", "invalid_json"},
        BadBody{"LoneSurrogate", "{\"entity\":\"\\ud800\"}", "invalid_json"},
        BadBody{"Nul", std::string("{}\0", 3), "invalid_json"},
        BadBody{"Deep", Nested(40), "json_too_deep"},
        BadBody{"Duplicate", R"({"mode":"full","mode":"x"})", "duplicate_key"},
        BadBody{"Many", ManyKeys(1'001), "invalid_json"},
        BadBody{"Unknown", R"({"entty":"x"})", "unknown_field"},
        BadBody{"NulInAText", R"({"entity":"\u0000ffff"})", "invalid_field"},
        BadBody{"NulInside", R"({"entity":["x",{"y":"a\u0000"}]})", "invalid_field"},
        BadBody{"LongText", "{\"entity\":\"" + std::string(8'193, 'x') + "\"}", "invalid_field"}),
    [](const auto& row) { return row.param.name; });

TEST(BodiesTest, AChoiceIsExactlyOneOfItsValues) {
  const std::vector<std::string> values{"full", "incremental"};
  for (const char* body : {R"({"mode":""})", R"({"mode":"Full"})", R"({"mode":"full "})",
                           R"({"mode":1})", R"({"mode":null})"}) {
    const auto object = ReadJsonObject(body, kFields);
    ASSERT_THAT(object, Succeeds());
    EXPECT_FALSE(ReadChoice(*object, "mode", values, "full", "invalid_field").has_value()) << body;
  }
  EXPECT_EQ(*ReadChoice(Json::object(), "mode", values, "full", "invalid_field"), "full");
  EXPECT_FALSE(ReadChoice(Json::object(), "mode", values, "", "invalid_field").has_value());
}

TEST(BodiesTest, MediaTypesOfJsonPass) {
  for (const char* type :
       {"application/json", "application/json; charset=utf-8", "Application/JSON;charset=\"UTF-8\"",
        "application/x-ndjson", "application/x-www-form-urlencoded"}) {
    EXPECT_THAT(CheckMediaType(Request{"POST", "/", {{"Content-Type", type}}, "", ""}), Succeeds())
        << type;
  }
  EXPECT_THAT(CheckMediaType(Request{"POST", "/", {}, "", ""}), Succeeds());
  for (const char* type : {"text/plain", "application/xml", "application/json; charset=latin1",
                           "multipart/form-data; boundary=x", ""}) {
    EXPECT_FALSE(CheckMediaType(Request{"POST", "/", {{"Content-Type", type}}, "", ""}).has_value())
        << type;
  }
  EXPECT_FALSE(
      CheckMediaType(Request{"POST", "/", {{"Content-Encoding", "gzip"}}, "", ""}).has_value());
}

TEST(BodiesTest, QueriesAreReadStrictly) {
  constexpr std::array<std::string_view, 2> kKnown{"entity", "limit"};
  const auto good = ReadQuery("/v1/runs?entity=aws%5Fsummaries&limit=5", kKnown);
  ASSERT_THAT(good, Succeeds());
  EXPECT_EQ(good->at("entity"), "aws_summaries");
  EXPECT_EQ(ReadQuery("/v1/runs", kKnown)->size(), 0U);
  for (const char* target : {"/?token=x", "/?limit=1&limit=2", "/?entity=%00", "/?entity=%2",
                             "/?entity=%zz", "/?entity=%c3%a4", "/?=x", "/?&"}) {
    EXPECT_FALSE(ReadQuery(target, kKnown).has_value()) << target;
  }
}

TEST(BodiesTest, OnlyABearerWithOneSpaceIsOne) {
  const auto bearer = [](const char* value) {
    const Request request{"GET", "/", {{"Authorization", value}}, "", ""};
    return BearerOf(request).has_value();
  };
  EXPECT_TRUE(bearer("Bearer x"));
  EXPECT_TRUE(bearer("bearer x"));
  for (const char* value : {"", "Bearer", "Bearer ", "bearer\tx", "Basic x", "Bearerx"})
    EXPECT_FALSE(bearer(value)) << value;
  EXPECT_FALSE(BearerOf(Request{"GET", "/", {}, "", ""}).has_value());
}

}  // namespace
}  // namespace pcw::api
