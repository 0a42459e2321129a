#include "pcw/aws/ini.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/result_matchers.h"

namespace pcw::aws {
namespace {

using ::testing::ElementsAre;

TEST(ParseIniTest, NamesFileAndLineAndNoValue) {
  struct {
    const char* text;
    const char* says;
  } const cases[] = {
      {"[default]\nbroken\n", "f:2: expected key = value"},
      {"x = 1\n", "f:1: a setting before the first [section]"},
      {"[a\n", "f:1: a section header without ]"},
      {"[]\n", "f:1: a section header without a name"},
      {"[a]\nx = s3cret\nX: s3cret\n", "f:3: x stands twice in this section"},
      {"[a]\n\n[a]\n", "f:3: [a] stands twice"},
      {"[a]\ns3 =\n  s3cret\n", "f:2: below s3: expected key = value on every line"},
      {"\xEF\xBB\xBF[a]\n",
       "f:1: begins with a byte order mark, which AWS's tools refuse; save it as plain UTF-8"},
      {"[a]\nx = \xE9\n", "f: expected UTF-8; AWS's tools refuse another encoding"},
  };
  for (const auto& [text, says] : cases) {
    const auto parsed = ParseIni(text, "f");
    ASSERT_THAT(parsed, FailsWith(ErrorCode::kConfig)) << text;
    EXPECT_EQ(parsed.error().message(), says);
  }
}

TEST(SplitShellWordsTest, SplitsAsPythonsShlexDoes) {
  EXPECT_THAT(*SplitShellWords("a  'b c' \"d \\\" e\" f\\ g $HOME ''"),
              ElementsAre("a", "b c", "d \" e", "f g", "$HOME", ""));
  EXPECT_THAT(*SplitShellWords("\"a\\n\\\\\""), ElementsAre("a\\n\\"));
  EXPECT_THAT(*SplitShellWords("a\t'b'c\n"), ElementsAre("a", "bc"));
  EXPECT_THAT(*SplitShellWords(" "), ElementsAre());
  EXPECT_THAT(SplitShellWords("a 'b"), FailsWith(ErrorCode::kConfig));
  EXPECT_THAT(SplitShellWords("a\\"), FailsWith(ErrorCode::kConfig));
}

}  // namespace
}  // namespace pcw::aws
