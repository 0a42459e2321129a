#include "pcw/aws/credentials/process_credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/result_matchers.h"

namespace pcw::aws {
namespace {

using ::testing::ElementsAre;

TEST(SplitCommandTest, SplitsAsAShellDoesAndExpandsNothing) {
  EXPECT_THAT(*SplitCommand("a  'b c' \"d \\\" e\" f\\ g $HOME ''"),
              ElementsAre("a", "b c", "d \" e", "f g", "$HOME", ""));
  EXPECT_THAT(SplitCommand("a 'b"), FailsWith(ErrorCode::kConfig));
  EXPECT_THAT(SplitCommand("  "), FailsWith(ErrorCode::kConfig));
}

}  // namespace
}  // namespace pcw::aws
