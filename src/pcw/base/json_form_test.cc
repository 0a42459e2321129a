#include "pcw/base/json_form.h"

#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace pcw {
namespace {

using namespace std::string_literals;

std::string DeepArray(int depth) {
  return std::string(static_cast<std::size_t>(depth), '[') +
         std::string(static_cast<std::size_t>(depth), ']');
}

std::vector<std::pair<std::string, std::string>> MembersOf(std::string_view text) {
  RawMembers members(text);
  std::vector<std::pair<std::string, std::string>> out;
  for (RawMember member; members.Next(member);)
    out.emplace_back(std::string(member.name), std::string(member.value));
  return out;
}

bool IsWhole(std::string_view text) {
  RawMembers members(text);
  for (RawMember member; members.Next(member);) {
  }
  return members.is_whole();
}

TEST(WhyMalformedTest, TakesWhatRfc8259Takes) {
  for (const std::string& text :
       {"null"s, " {} "s, "[]"s, R"({"a":[1,-0,0.5,1e400,-1.25E-7],"b":{"c":true}})"s,
        "18446744073709551616"s, std::string(200, '9'), R"("\ud83d\ude00 \u0000 \/\"")"s,
        "\"caf\xc3\xa9 \xf0\x9f\x98\x80 \xef\xbf\xbf\x7f\""s, R"({"a":1,"a":2})"s,
        DeepArray(kDeepestJson), "\t[\n1\r,\n2 ]\n"s}) {
    EXPECT_EQ(WhyMalformed(text), "") << text.substr(0, 60);
  }
}

TEST(WhyMalformedTest, SaysWhatIsWrongAndWhere) {
  for (const auto& [text, why] : std::vector<std::pair<std::string, std::string>>{
           {R"("Caf\ud83d")", "a lone surrogate at byte 4"},
           {R"("\udc00")", "a lone surrogate at byte 1"},
           {R"("\ud83dA")", "a lone surrogate at byte 1"},
           {R"("\ud83d\ud83d")", "a lone surrogate at byte 1"},
           {"\"\xff\"", "not UTF-8 at byte 1"},
           {"\"\xc0\xaf\"", "not UTF-8 at byte 1"},
           {"\"\xed\xa0\xbd\"", "not UTF-8 at byte 1"},
           {"\"\xe2\x82\"", "not UTF-8 at byte 1"},
           {"\xEF\xBB\xBF{}", "a byte order mark at its beginning"},
           {DeepArray(kDeepestJson + 1), "nested deeper than 200 at byte 200"},
           {DeepArray(100'000), "nested deeper than 200 at byte 200"},
           {"\"a\tb\"", "a raw control character in a string at byte 2"},
           {"", "cut off at byte 0"},
           {"{\"a\":", "cut off at byte 5"},
           {"{\"a\"", "cut off at byte 4"},
           {"[1,2", "cut off at byte 4"},
           {"\"abc", "cut off at byte 4"},
           {"[1,]", "not JSON at byte 3"},
           {"{,}", "not JSON at byte 1"},
           {"{\"a\":1,}", "not JSON at byte 7"},
           {"{\"a\" 1}", "not JSON at byte 5"},
           {"[01]", "not JSON at byte 2"},
           {"[1.]", "not JSON at byte 3"},
           {"[+1]", "not JSON at byte 1"},
           {"[1e]", "not JSON at byte 3"},
           {"[NaN]", "not JSON at byte 1"},
           {"[1}", "not JSON at byte 2"},
           {"{} {}", "not JSON at byte 3"},
           {"{}\0"s, "not JSON at byte 2"},
           {"[\xEF\xBB\xBF{}]", "not JSON at byte 1"},
           {R"("\x41")", "not JSON at byte 1"},
           {R"("\u12g4")", "not JSON at byte 1"}}) {
    EXPECT_EQ(WhyMalformed(text), why) << text.substr(0, 60);
  }
}

TEST(RawMembersTest, SlicesMembersWhateverTheirValuesAre) {
  using Members = std::vector<std::pair<std::string, std::string>>;

  EXPECT_EQ(MembersOf(" {\"a\" : [1, {\"b\":\"]\"}] ,\"c\":\"x,\\\"}\", \"d\":nonsense } "),
            (Members{{"a", "[1, {\"b\":\"]\"}]"}, {"c", "\"x,\\\"}\""}, {"d", "nonsense"}}));
  EXPECT_EQ(MembersOf("[{\"t\":\"\xff\"} , \xEF\xBB\xBF{}, 1e400]"),
            (Members{{"", "{\"t\":\"\xff\"}"}, {"", "\xEF\xBB\xBF{}"}, {"", "1e400"}}));
  EXPECT_EQ(MembersOf("\xEF\xBB\xBF{\"a\":1}"), (Members{{"a", "1"}}));
  EXPECT_EQ(MembersOf("[" + DeepArray(100'000) + ",2]").size(), 2U);
  EXPECT_TRUE(MembersOf("{}").empty());
}

TEST(RawMembersTest, KnowsEveryCutOfATextFromTheWholeOne) {
  const std::string text = R"({"a":[{"b":"x\"}"},2],"c":"y\\","d":{"e":null}})";

  EXPECT_TRUE(IsWhole(text));
  EXPECT_TRUE(IsWhole(text + " \n"));
  for (std::size_t size = 0; size < text.size(); ++size)
    EXPECT_FALSE(IsWhole(std::string_view(text).substr(0, size))) << size;
}

TEST(RawMembersTest, KnowsWhatIsNoObjectAndNoArray) {
  for (const std::string_view text : {"", "null", "\"x\"", "<html>", "{1:2}", "{\"a\"}"}) {
    EXPECT_TRUE(MembersOf(text).empty()) << text;
    EXPECT_FALSE(IsWhole(text)) << text;
  }
  EXPECT_TRUE(RawMembers("{}").is_object());
  EXPECT_TRUE(RawMembers("[]").is_array());
}

// A large text takes another way, which must say the same.
TEST(WhyMalformedTest, SaysOfALargeTextWhatItSaysOfASmallOne) {
  const std::string room(1'000, ' ');
  for (const std::string& text : {R"({"a":1})"s,
                                  R"("x")"s,
                                  "1e400"s,
                                  "18446744073709551616"s,
                                  std::string(200, '9'),
                                  DeepArray(200),
                                  DeepArray(201),
                                  R"({"a":1,"a":2})"s,
                                  R"("\ud83d")"s,
                                  "\"\xff\""s,
                                  "\xEF\xBB\xBF{}"s,
                                  "{\"a\":1"s,
                                  "[1,]"s,
                                  "{} {}"s,
                                  "\"a\nb\""s,
                                  "nul"s,
                                  "\"\\u0000\""s,
                                  "\"\xED\xA0\x80\""s,
                                  "01"s,
                                  "-"s,
                                  "[\"\x01\"]"s}) {
    EXPECT_EQ(WhyMalformed(text + room).empty(), WhyMalformed(text).empty()) << text;
  }
}

TEST(ObjectHasTest, SaysWhetherAWellFormedObjectHasAMember) {
  EXPECT_EQ(ObjectHas(R"({"a":{"Id":1},"b":null})", "b"), true);
  EXPECT_EQ(ObjectHas(R"({"a":{"Id":1},"b":null})", "Id"), false);
  EXPECT_EQ(ObjectHas("{}", "a"), false);
}

// A parser keeps many times the size of what it has read, in every thread that fetches.
TEST(ObjectHasTest, SaysNothingOfALongText) {
  const std::string text = R"({"a":")" + std::string(1U << 20U, 'x') + "\"}";

  EXPECT_EQ(ObjectHas(text, "a"), std::nullopt);
  EXPECT_EQ(WhyMalformed(text), "");
}

TEST(ObjectHasTest, SaysNothingOfWhatItCannotRead) {
  for (const std::string& text :
       {"[1]"s, "null"s, ""s, "{\"a\":1"s, R"({"a":1e400})"s, R"({"a":"\ud83d"})"s,
        "{\"a\":\"\xff\"}"s, "\xEF\xBB\xBF{\"a\":1}"s, "{\"a\":" + DeepArray(200) + "}"}) {
    EXPECT_EQ(ObjectHas(text, "a"), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace pcw
