// docs/errors.md is where exit codes and log lines send people: every code must be there.
#include <filesystem>
#include <string>
#include <string_view>

#include <fmt/format.h>
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

std::string_view InWords(CallReaction reaction) {
  switch (reaction) {
    case CallReaction::kFail:
      return "fail";
    case CallReaction::kRefreshOnce:
      return "refresh once";
    case CallReaction::kRetry:
      return "retry";
    case CallReaction::kRetryIfIdempotent:
      return "retry if idempotent";
    case CallReaction::kRetryTransaction:
      return "begin the transaction anew";
    case CallReaction::kStop:
      return "stop";
  }
  return "";
}

std::string_view InWords(RecordReaction reaction) {
  switch (reaction) {
    case RecordReaction::kNone:
      return "as the run";
    case RecordReaction::kAskAgain:
      return "ask again";
    case RecordReaction::kDeadLetter:
      return "dead letter";
    case RecordReaction::kWeighDenial:
      return "dead letter if others succeed, else as the run";
    case RecordReaction::kDeferThenDeadLetter:
      return "once more at the end, then dead letter";
  }
  return "";
}

std::string_view InWords(RunReaction reaction) {
  switch (reaction) {
    case RunReaction::kGoOn:
      return "go on";
    case RunReaction::kPause:
      return "pause";
    case RunReaction::kStopResumable:
      return "stop, another attempt may do better";
    case RunReaction::kStop:
      return "stop";
    case RunReaction::kNeverStarts:
      return "never start";
    case RunReaction::kStopForGood:
      return "stop for good";
  }
  return "";
}

TEST(ErrorsDocTest, TheTableIsTheOneThatIsExecuted) {
  const auto text = ReadFile(std::filesystem::path(PCW_SOURCE_DIR) / "docs/errors.md", 1U << 20U);
  ASSERT_THAT(text, Succeeds());
  for (const Reaction& reaction : kReactions) {
    const std::string row =
        fmt::format("\n| `{}` | {} | {} | {} | {} / {} | {} |\n", reaction.name,
                    InWords(reaction.call), InWords(reaction.record), InWords(reaction.run),
                    reaction.rest_own_fault, reaction.rest_aws_fault, reaction.exit_code);
    EXPECT_NE(text->find(row), std::string::npos) << "docs/errors.md lacks:" << row;
  }
}

}  // namespace
}  // namespace pcw
