#include "pcw/base/storable_text.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "pcw/base/json.h"

namespace pcw {
namespace {

using std::string_view_literals::operator""sv;

struct TextCase {
  std::string_view what, text, storable;
};

constexpr TextCase kTexts[] = {
    {"empty", "", ""},
    {"ASCII", "a plain message: 100% (x=y)", "a plain message: 100% (x=y)"},
    {"two bytes", "Caf\xc3\xa9", "Caf\xc3\xa9"},
    {"three bytes", "\xe2\x82\xac", "\xe2\x82\xac"},
    {"four bytes", "\xf0\x9f\x9a\x80", "\xf0\x9f\x9a\x80"},
    {"a backslash of its own", "C:\\x00", "C:\\x00"},
    {"NUL", "a\0b"sv, "a\\x00b"},
    {"control character", "a\x1b[31mb", "a\\x1b[31mb"},
    {"DEL", "a\x7f", "a\\x7f"},
    {"C1 control", "a\xc2\x9b", "a\\x9b"},
    {"line breaks", "a\tb\r\nc", "a\\x09b\\x0d\\x0ac"},
    {"U+FFFE", "\xef\xbf\xbe", "\\u{FFFE}"},
    {"U+FFFF", "\xef\xbf\xbf", "\\u{FFFF}"},
    {"U+FDD0", "\xef\xb7\x90", "\\u{FDD0}"},
    {"U+1FFFF", "\xf0\x9f\xbf\xbf", "\\u{1FFFF}"},
    {"the replacement character", "\xef\xbf\xbd", "\xef\xbf\xbd"},
    {"first byte alone", "a\xc3", "a\\xc3"},
    {"cut inside four bytes", "\xf0\x9f\x9a", "\\xf0\\x9f\\x9a"},
    {"following byte alone", "\xa9z", "\\xa9z"},
    {"0xff", "r\xff", "r\\xff"},
    {"overlong slash", "\xc0\xaf", "\\xc0\\xaf"},
    {"overlong NUL of three bytes", "\xe0\x80\x80", "\\xe0\\x80\\x80"},
    {"overlong of four bytes", "\xf0\x80\x80\x80", "\\xf0\\x80\\x80\\x80"},
    {"a surrogate as bytes", "\xed\xa0\xbd", "\\xed\\xa0\\xbd"},
    {"above U+10FFFF", "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
    {"a bad byte before a good character", "\xe2\xc3\xa9", "\\xe2\xc3\xa9"},
};

TEST(StorableTextTest, EscapesWhatSomebodyRefuses) {
  for (const TextCase& c : kTexts) EXPECT_EQ(StorableText(c.text), c.storable) << c.what;
}

TEST(StorableTextTest, DoingItTwiceIsDoingItOnce) {
  for (const TextCase& c : kTexts) {
    EXPECT_EQ(StorableText(c.storable), c.storable) << c.what;
    EXPECT_TRUE(IsStorableText(c.storable)) << c.what;
    EXPECT_EQ(IsStorableText(c.text), c.text == c.storable) << c.what;
  }
}

TEST(StorableTextTest, LineBreaksStayWhereTheyAreWanted) {
  EXPECT_EQ(StorableText("{\n\t\"a\":\x01 1\r\n}", kUnlimited, LineBreaks::kKeep),
            "{\n\t\"a\":\\x01 1\r\n}");
}

TEST(StorableTextTest, IsCutAtCharactersAndNeverInsideAnEscape) {
  EXPECT_EQ(StorableText("abcdef", 6), "abcdef");
  EXPECT_EQ(StorableText("abcdefg", 6), "abc...");
  EXPECT_EQ(StorableText("ab\xe2\x82\xac\xe2\x82\xac", 7), "ab...");
  EXPECT_EQ(StorableText("ab\xe2\x82\xac\xe2\x82\xac", 8), "ab\xe2\x82\xac\xe2\x82\xac");
  EXPECT_EQ(StorableText("a\0\0\0"sv, 12), "a\\x00\\x00...");
  EXPECT_EQ(StorableText("abc", 2), "..");
  EXPECT_EQ(StorableText("abc", 0), "");
}

TEST(StorableTextTest, EveryLimitOfEveryTextHolds) {
  const std::string text =
      "Gr\xc3\xbc\xc3\x9f\x65 \xe2\x82\xac\xf0\x9f\x9a\x80 \xff \xef\xbf\xbf \x01";
  for (std::size_t most = 0; most <= 64; ++most) {
    const std::string cut = StorableText(text, most);
    EXPECT_LE(cut.size(), most);
    EXPECT_TRUE(IsStorableText(cut)) << most;
    EXPECT_LE(AsciiText(text, most).size(), most);
  }
}

TEST(CutAtCharacterTest, EndsBetweenTwoCharacters) {
  struct Case {
    std::string_view text;
    std::size_t most;
    std::string_view cut;
  };
  constexpr Case kCases[] = {
      {"abc", 3, "abc"},
      {"abc", 2, "ab"},
      {"abc", 0, ""},
      {"a\xc3\xa9z", 2, "a"},
      {"a\xc3\xa9z", 3, "a\xc3\xa9"},
      {"\xe2\x82\xac", 2, ""},
      {"\xf0\x9f\x9a\x80x", 3, ""},
      {"\xf0\x9f\x9a\x80x", 4, "\xf0\x9f\x9a\x80"},
      {"\xa9\xa9\xa9\xa9\xa9", 3, "\xa9\xa9\xa9"},  // no characters: bytes
      {"\xc3\xc3\xa9z", 1, "\xc3"},
  };
  for (const Case& c : kCases) EXPECT_EQ(CutAtCharacter(c.text, c.most), c.cut) << c.most;
}

TEST(AsciiTextTest, EscapesEveryOtherByte) {
  EXPECT_EQ(AsciiText("0c8b4a1e-1b2c"), "0c8b4a1e-1b2c");
  EXPECT_EQ(AsciiText("r\xff"), "r\\xff");
  EXPECT_EQ(AsciiText("Caf\xc3\xa9\n\0"sv), "Caf\\xc3\\xa9\\x0a\\x00");
  EXPECT_EQ(AsciiText("aaaaaaaaaa", 6), "aaa...");
}

struct JsonCase {
  std::string_view what, json, storable;
};

constexpr JsonCase kDocuments[] = {
    {"nothing to do", R"({"a":["\u00e9","\n\"\\",1e400]})", R"({"a":["\u00e9","\n\"\\",1e400]})"},
    {"a pair of surrogates", R"(["\ud83d\uDE80"])", R"(["\ud83d\uDE80"])"},
    {"a lone high surrogate", R"(["Caf\ud83d"])", R"(["Caf\\ud83d"])"},
    {"a lone low surrogate", R"(["\uDE80x"])", R"(["\\uDE80x"])"},
    {"two high surrogates", R"(["\ud83d\ud83d\ude80"])", R"(["\\ud83d\ud83d\ude80"])"},
    {"U+0000 escaped", R"(["a\u0000b"])", R"(["a\\u0000b"])"},
    {"U+0000 in a name", R"({"a\u0000":1})", R"({"a\\u0000":1})"},
    {"a backslash before u0000", R"(["a\\u0000"])", R"(["a\\u0000"])"},
    {"three backslashes", R"(["\\\u0000"])", R"(["\\\\u0000"])"},
    {"a raw NUL", "[\"a\0b\"]"sv, R"(["a\\u0000b"])"},
    {"a raw line break", "[\"a\nb\"]", R"(["a\u000ab"])"},
    {"line breaks between tokens", "[\n1\t]", "[\n1\t]"},
    {"bytes that are not UTF-8", "[\"a\xff\"]", R"(["a\\xff"])"},
    {"a BOM", "\xef\xbb\xbf[1]", "[1]"},
    {"a backslash before a bad byte", "[\"\\\xff\"]", "[\"\\\\\\xff\"]"},
    {"an open string", R"(["a\)", R"(["a\)"},
    {"a short escape", R"(["\u12"])", R"(["\u12"])"},
};

TEST(StorableJsonTest, ChangesStringsAlone) {
  for (const JsonCase& c : kDocuments) EXPECT_EQ(StorableJson(c.json), c.storable) << c.what;
}

TEST(StorableJsonTest, DoingItTwiceIsDoingItOnce) {
  for (const JsonCase& c : kDocuments) EXPECT_EQ(StorableJson(c.storable), c.storable) << c.what;
}

TEST(StorableJsonTest, ErrorBodiesCanBeParsedAndReadAfterIt) {
  const Result<Json> json = ParseJson(StorableJson("{\"message\":\"caf\\ud83d \xff \\u0000\"}"));

  ASSERT_TRUE(json) << json.error().ToString();
  EXPECT_EQ(json->at("message"), "caf\\ud83d \\xff \\u0000");
}

}  // namespace
}  // namespace pcw
