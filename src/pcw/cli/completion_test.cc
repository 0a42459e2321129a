#include "pcw/cli/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pcw::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class FormatCompletionTest : public ::testing::Test {
 protected:
  CLI::App app{"tool does things", "tool"};
  std::string text;

  FormatCompletionTest() {
    app.fallthrough();
    app.set_help_flag();
    app.add_option("--config", text, "configuration file")->type_name("FILE");
    CLI::App* go = app.add_subcommand("go", "Go where it's [far]: away");
    CLI::App* fast = go->add_subcommand("fast", "Go fast");
    fast->add_option("where", text, "a place")->check(CLI::IsMember({"home", "work"}));
    fast->add_option("-m,--mode", text, "how [it's]: done")->check(CLI::IsMember({"car", "train"}));
    fast->add_option("--from", text, "start")->expected(0, 1);
  }
};

TEST_F(FormatCompletionTest, BashHasEveryCommandItsOptionsAndTheirValues) {
  const std::string script = FormatBashCompletion(app);

  EXPECT_THAT(script, HasSubstr("    '')\n      commands=('go') options=('--config')\n"));
  EXPECT_THAT(script, HasSubstr("    'go fast')\n      commands=() "
                                "options=('-m' '--mode' '--from' '--config')\n"));
  EXPECT_THAT(script, HasSubstr("'-m' | '--mode') kind='list' values=('car' 'train') ;;"));
  EXPECT_THAT(script, HasSubstr("'--from') kind='text' may_be_absent=1 ;;"));
  EXPECT_THAT(script, HasSubstr("'--config') kind='file' ;;"));
  EXPECT_THAT(script, HasSubstr("        1) kind='list' values=('home' 'work') ;;"));
  EXPECT_THAT(script, HasSubstr("complete -F _tool tool\n"));
}

TEST_F(FormatCompletionTest, ZshHasAFunctionForEachCommandWithDescriptions) {
  const std::string script = FormatZshCompletion(app);

  EXPECT_THAT(script, ::testing::StartsWith("#compdef tool\n"));
  EXPECT_THAT(script, HasSubstr(R"('go:Go where it'\''s [far]: away')"));
  EXPECT_THAT(script, HasSubstr("'fast') _tool_go_fast && ret=0 ;;"));
  EXPECT_THAT(script, HasSubstr("'--config=[configuration file]:config:_files'"));
  EXPECT_THAT(script,
              HasSubstr(R"('(-m --mode)--mode=[how \[it'\''s\]\: done]:mode:(car train)')"));
  EXPECT_THAT(script, HasSubstr("'--from=[start]::from: '"));
  EXPECT_THAT(script, HasSubstr("'1::where:(home work)'"));
}

TEST_F(FormatCompletionTest, FishHasALineForEachCommandOptionAndPositional) {
  const std::string script = FormatFishCompletion(app);

  EXPECT_THAT(script, HasSubstr(R"(-n '__tool_at \'\' command' -a go -d 'Go where it\'s [far]: )"));
  EXPECT_THAT(script, HasSubstr("complete -c tool -l config -r -F -d 'configuration file'\n"));
  EXPECT_THAT(script, HasSubstr(R"(-n '__tool_in \'go fast\'' -s m -l mode -x -a 'car train')"));
  EXPECT_THAT(script, HasSubstr(R"(-n '__tool_at \'go fast\' 1' -a 'home work' -d 'a place')"));
  EXPECT_THAT(script, HasSubstr("            'go fast --mode'"));
  EXPECT_THAT(script, Not(HasSubstr("            'go fast --from'")));
}

TEST_F(FormatCompletionTest, NoPlaceholderIsLeft) {
  for (const std::string& script :
       {FormatBashCompletion(app), FormatZshCompletion(app), FormatFishCompletion(app)})
    EXPECT_THAT(script, Not(HasSubstr("PROGRAM")));
}

}  // namespace
}  // namespace pcw::cli
