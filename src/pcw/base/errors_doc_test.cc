// docs/errors.md is where exit codes and log lines send people: every code must be there.
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "fakes/result_matchers.h"
#include "pcw/base/error.h"
#include "pcw/base/file.h"

namespace pcw {
namespace {

TEST(ErrorsDocTest, EveryCodeHasAHeadingThatStatesItsExitCode) {
  const auto text = ReadFile(std::filesystem::path(PCW_SOURCE_DIR) / "docs/errors.md", 1U << 20U);
  ASSERT_THAT(text, Succeeds());

  for (const Reaction& reaction : kReactions) {
    const std::string heading = "\n## " + std::string(reaction.name) + "\n";
    const std::size_t start = text->find(heading);
    ASSERT_NE(start, std::string::npos) << reaction.name;
    const std::string section = text->substr(start, text->find("\n## ", start + 1) - start);
    EXPECT_NE(section.find("Exit " + std::to_string(reaction.exit_code) + "."), std::string::npos)
        << reaction.name;
  }
}

}  // namespace
}  // namespace pcw
