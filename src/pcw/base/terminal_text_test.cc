#include "pcw/base/terminal_text.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace pcw {
namespace {

TEST(TerminalTextTest, LeavesWhatPeopleWrite) {
  for (const char* text : {"", "plain ~ text", "caf\u00e9", "\u65e5\u672c", "\U0001F600",
                           "\u0645\u06cc\u200c\u062e", "\U0001F468\u200D\U0001F469"})
    EXPECT_EQ(TerminalText(text), text);
}

TEST(TerminalTextTest, EscapesWhatMovesHidesOrTurnsText) {
  for (const auto& [text, shown] : std::vector<std::pair<std::string, std::string>>{
           {"a\tb\r\nc", "a b  c"},
           {"\x1b[31mred", "\\x1b[31mred"},
           {std::string("a\0b", 3), "a\\x00b"},
           {"\x7f", "\\x7f"},
           {"\u009b31m", "\\x9b31m"},
           {"invoice\u202Efdp.exe", "invoice\\u{202E}fdp.exe"},
           {"\u2066x\u2069", "\\u{2066}x\\u{2069}"},
           {"\u061C\u200E\u200F\u200B\u2028\uFEFF\u00AD",
            "\\u{061C}\\u{200E}\\u{200F}\\u{200B}\\u{2028}\\u{FEFF}\\u{00AD}"},
           {"\U000E0041", "\\u{E0041}"},
           {"\xff", "\\xff"},
           {"\xe2\x80", "\\xe2\\x80"},
           {"\xed\xa0\xbd", "\\xed\\xa0\\xbd"},
           {"\xc0\xaf", "\\xc0\\xaf"}}) {
    EXPECT_EQ(TerminalText(text), shown);
  }
}

}  // namespace
}  // namespace pcw
