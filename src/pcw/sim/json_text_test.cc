#include "pcw/sim/json_text.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "fakes/result_matchers.h"
#include "pcw/base/json.h"

namespace pcw::sim {
namespace {

TEST(JsonTextTest, PutsCommasWhereTheyBelong) {
  std::string out;

  JsonText(out)
      .Open('{')
      .Member("a", "1")
      .Key("b")
      .Open('[')
      .String("x")
      .String("y")
      .Close(']')
      .Key("c")
      .Open('{')
      .Close('}')
      .Close('}');

  EXPECT_EQ(out, R"({"a":"1","b":["x","y"],"c":{}})");
}

class JsonTextEscapingTest : public ::testing::TestWithParam<Escaping> {};

TEST_P(JsonTextEscapingTest, EveryTextComesBackAsItWas) {
  const std::string text = "q\" b\\ n\n t\t r\r \x01 é ł Ω 漢 \U0001F680 \u2028 end";
  std::string out;

  JsonText(out, GetParam()).String(text);

  const auto parsed = ParseJson(out);
  ASSERT_THAT(parsed, Succeeds());
  EXPECT_EQ(parsed->get<std::string>(), text);
}

INSTANTIATE_TEST_SUITE_P(Both, JsonTextEscapingTest,
                         ::testing::Values(Escaping::kUtf8, Escaping::kAscii));

}  // namespace
}  // namespace pcw::sim
