#include "pcw/cli/tree.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pcw/cli/cli.h"

namespace pcw::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A tree with one of everything that ReadTree tells apart.
struct SmallTree {
  CLI::App app{"tool does things.", "tool"};
  std::string text;
  std::vector<std::string> many;
  int number = 7;
  bool flag = false;

  SmallTree() {
    app.fallthrough();
    app.footer("Examples:\n  tool go fast\n\nA note.");
    app.add_option("--config", text, "configuration file")->type_name("FILE");
    CLI::App* go = app.add_subcommand("go", "Go somewhere");
    CLI::App* fast = go->add_subcommand("fast", "Go fast");
    fast->footer("Examples:\n  tool go fast home   # soon\n");
    fast->add_option("where", text, "a place")->required()->check(KnownValues({"home", "work"}));
    fast->add_option("more", many, "further places");
    fast->add_option("-m,--mode", text, "how")->check(CLI::IsMember({"car", "train"}));
    fast->add_option("--limit", number, "at most")->check(CLI::Range(1, 9))->capture_default_str();
    fast->add_option("--from", text, "start")->expected(0, 1);
    fast->add_option("--map", text, "map")->check(CLI::ExistingFile);
    fast->add_option("--into", text, "target")->check(CLI::ExistingDirectory);
    fast->add_flag("--quiet", flag, "say nothing");
    fast->add_flag("--secret", flag, "not shown")->group("");
    app.add_subcommand("hidden", "not shown")->group("");
  }
};

const OptionSpec& OptionOf(const CommandSpec& command, const std::string& name) {
  static const OptionSpec kNone;
  for (const OptionSpec& option : command.options) {
    if (option.names.back() == name) return option;
  }
  return kNone;
}

class ReadTreeTest : public ::testing::Test {
 protected:
  SmallTree tree;
  CommandSpec root = ReadTree(tree.app);
  const CommandSpec& fast() const { return root.commands.front().commands.front(); }
};

TEST_F(ReadTreeTest, CommandsHaveThePathThatLeadsToThem) {
  std::vector<std::string> paths;
  for (const CommandSpec* command : AllCommands(root)) paths.push_back(command->path);

  EXPECT_THAT(paths, ElementsAre("", "go", "go fast"));
}

TEST_F(ReadTreeTest, ListsComeFromIsMemberAndFromKnownValues) {
  EXPECT_EQ(OptionOf(fast(), "--mode").value.kind, ValueKind::kList);
  EXPECT_THAT(OptionOf(fast(), "--mode").value.choices, ElementsAre("car", "train"));
  EXPECT_THAT(OptionOf(fast(), "--mode").names, ElementsAre("-m", "--mode"));
  EXPECT_THAT(fast().positionals.front().value.choices, ElementsAre("home", "work"));
}

TEST_F(ReadTreeTest, KnownValuesRefuseNothing) {
  EXPECT_NO_THROW(tree.app.parse("go fast elsewhere"));
}

TEST_F(ReadTreeTest, FilesAndDirectoriesAreToldApart) {
  EXPECT_EQ(root.options.back().value.kind, ValueKind::kFile);
  EXPECT_EQ(OptionOf(fast(), "--map").value.kind, ValueKind::kFile);
  EXPECT_EQ(OptionOf(fast(), "--into").value.kind, ValueKind::kDirectory);
}

TEST_F(ReadTreeTest, ValuesMayBeAbsentOrMany) {
  EXPECT_EQ(OptionOf(fast(), "--quiet").value.kind, ValueKind::kNone);
  EXPECT_TRUE(OptionOf(fast(), "--from").value.is_optional);
  EXPECT_FALSE(OptionOf(fast(), "--mode").value.is_optional);
  EXPECT_TRUE(fast().positionals.back().value.is_repeatable);
  EXPECT_TRUE(fast().positionals.front().is_required);
  EXPECT_FALSE(fast().positionals.back().is_required);
}

TEST_F(ReadTreeTest, OtherChecksAreLimitsAndDefaultsAreKept) {
  const OptionSpec& limit = OptionOf(fast(), "--limit");

  EXPECT_EQ(limit.value.kind, ValueKind::kText);
  EXPECT_EQ(limit.value.type, "INT");
  EXPECT_EQ(limit.value.limits, "INT in [1 - 9]");
  EXPECT_EQ(limit.value.fallback, "7");
}

TEST_F(ReadTreeTest, OptionsOfTheParentMayStandBehindTheVerb) {
  ASSERT_EQ(fast().inherited.size(), 1U);
  EXPECT_THAT(fast().inherited.front().names, ElementsAre("--config"));
}

TEST_F(ReadTreeTest, WhatIsHiddenIsLeftOut) {
  EXPECT_EQ(OptionOf(fast(), "--secret").names.size(), 0U);
  EXPECT_EQ(root.commands.size(), 1U);
}

TEST_F(ReadTreeTest, FootersAreExamplesAndNotesAndAreNotInherited) {
  EXPECT_EQ(root.examples, "tool go fast\n");
  EXPECT_EQ(root.notes, "A note.\n");
  EXPECT_THAT(root.commands.front().examples, IsEmpty());
  EXPECT_EQ(fast().examples, "tool go fast home   # soon\n");
  EXPECT_THAT(fast().notes, IsEmpty());
}

TEST(ExitCodesTest, EveryExitCodeOfAnErrorIsListed) {
  for (const Reaction& reaction : kReactions) {
    EXPECT_TRUE(std::any_of(ExitCodes().begin(), ExitCodes().end(), [&](const ExitCode& row) {
      return row.code == reaction.exit_code;
    })) << reaction.name;
  }
}

TEST(ExitCodesTest, HelpHasOneSentenceInLinesThatFit) {
  EXPECT_THAT(FormatExitCodes(),
              ::testing::MatchesRegex("Exit codes: 0 ok, 1 failed or findings, .*130 "
                                      "interrupted\\."));
  for (const std::string& line : CLI::detail::split(FormatExitCodes(), '\n'))
    EXPECT_LE(line.size(), 110U);
}

}  // namespace
}  // namespace pcw::cli
