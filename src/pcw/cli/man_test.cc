#include "pcw/cli/man.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pcw::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class FormatManPageTest : public ::testing::Test {
 protected:
  CLI::App app{"tool does things.", "tool"};
  std::string text;
  int number = 7;

  FormatManPageTest() {
    app.fallthrough();
    app.footer("Examples:\n  tool go fast");
    CLI::App* go = app.add_subcommand("go", "Go somewhere");
    CLI::App* fast = go->add_subcommand("fast", "Go fast");
    fast->footer("Examples:\n  tool go fast 'a\\b'\n  .hidden ~/x\n\nSecond thoughts.");
    fast->add_option("where", text, "a place")->required();
    fast->add_option("-m,--mode", text, "how")->check(CLI::IsMember({"car", "train"}));
    fast->add_option("--limit", number, "at most")->check(CLI::Range(1, 9))->capture_default_str();
  }

  std::string Page() const { return FormatManPage(app, "1.2"); }
};

TEST_F(FormatManPageTest, SectionsStandInTheUsualOrder) {
  std::vector<std::string> sections;
  for (const std::string& line : CLI::detail::split(Page(), '\n')) {
    if (line.starts_with(".SH ")) sections.push_back(line.substr(4));
  }

  EXPECT_THAT(sections, ::testing::ElementsAre("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS",
                                               "COMMANDS", "EXIT STATUS", "ENVIRONMENT", "FILES",
                                               "EXAMPLES", "SEE ALSO"));
}

TEST_F(FormatManPageTest, NameIsTheDescriptionWithoutTheProgramsName) {
  EXPECT_THAT(Page(), HasSubstr(".TH TOOL 1 \"\" \"tool 1.2\" \"User Commands\"\n"));
  EXPECT_THAT(Page(), HasSubstr(".SH NAME\ntool \\- does things\n"));
}

TEST_F(FormatManPageTest, VerbsStandBelowTheirNounWithPositionalsAndOptions) {
  EXPECT_THAT(Page(), HasSubstr(".SS tool go\nGo somewhere.\n.TP\n\\fBtool go fast\\fR "
                                "\\fIwhere\\fR [\\fIoptions\\fR]\nGo fast.\n.RS\n"));
  EXPECT_THAT(Page(), HasSubstr(".TP\n\\fB\\-m\\fR, \\fB\\-\\-mode\\fR "
                                "\\fBcar\\fR|\\:\\fBtrain\\fR\nhow.\n"));
  EXPECT_THAT(Page(), HasSubstr("at most. INT in [1 \\- 9]. Default: 7.\n"));
  EXPECT_THAT(Page(), HasSubstr("Second thoughts.\n"));
}

TEST_F(FormatManPageTest, ExamplesAreShownAsTheyAreTyped) {
  EXPECT_THAT(Page(), HasSubstr("tool go fast \\(aqa\\eb\\(aq\n\\&.hidden \\(ti/x\n.fi\n"));
}

TEST_F(FormatManPageTest, HelpIsToldOnce) {
  const std::string page = Page();
  const std::string tag = "\\fB\\-\\-help\\fR";

  EXPECT_NE(page.find(tag), std::string::npos);
  EXPECT_EQ(page.find(tag), page.rfind(tag));
}

TEST_F(FormatManPageTest, ExitStatusIsTheListOfHelp) {
  EXPECT_THAT(Page(), HasSubstr(".TP\n\\fB130\\fR\ninterrupted. "));
}

TEST_F(FormatManPageTest, NoLineStartsLikeARequestThatIsNone) {
  for (const std::string& line : CLI::detail::split(Page(), '\n'))
    EXPECT_THAT(line, Not(::testing::StartsWith("'")));
}

}  // namespace
}  // namespace pcw::cli
