#include "pcw/base/subprocess.h"

#include <thread>

#include <gtest/gtest.h>

#include "fakes/result_matchers.h"

namespace pcw {
namespace {

const std::map<std::string, std::string> kVariables{{"PATH", "/usr/bin:/bin"}, {"GIVEN", "yes"}};

TEST(RunProgramTest, GivesBothStreamsAndTheExitCode) {
  const auto ran = RunProgram({"sh", "-c", "echo out; echo err >&2; exit 7"}, kVariables,
                              std::chrono::seconds(10), {});

  ASSERT_THAT(ran, Succeeds());
  EXPECT_EQ(ran->out, "out\n");
  EXPECT_EQ(ran->err, "err\n");
  EXPECT_EQ(ran->exit_code, 7);
}

TEST(RunProgramTest, ReadsOnPastWhatItKeeps) {
  const auto ran =
      RunProgram({"sh", "-c", "yes | head -c 1000000"}, kVariables, std::chrono::seconds(10), {});

  ASSERT_THAT(ran, Succeeds());
  EXPECT_EQ(ran->exit_code, 0);
  EXPECT_LE(ran->out.size(), 128U << 10U);
}

TEST(RunProgramTest, EndsTheProgramAndItsChildrenAtTheDeadline) {
  EXPECT_THAT(RunProgram({"sh", "-c", "sleep 60 & sleep 60"}, kVariables,
                         std::chrono::milliseconds(20), {}),
              FailsWith(ErrorCode::kTimeout));
}

TEST(RunProgramTest, AStopEndsItAtOnce) {
  std::stop_source stop;
  const std::jthread stopper([&stop] { stop.request_stop(); });

  EXPECT_THAT(RunProgram({"sleep", "60"}, kVariables, std::chrono::seconds(60), stop.get_token()),
              FailsWith(ErrorCode::kCancelled));
}

TEST(RunProgramTest, HasTheGivenEnvironmentAndNoOther) {
  const auto ran = RunProgram({"env"}, kVariables, std::chrono::seconds(10), {});

  EXPECT_EQ(ran->out, "GIVEN=yes\nPATH=/usr/bin:/bin\n");
}

TEST(RunProgramTest, EndsWithTheProgramThoughAnotherHoldsItsStreams) {
  const auto ran =
      RunProgram({"sh", "-c", "sleep 60 & echo done"}, kVariables, std::chrono::seconds(20), {});

  ASSERT_THAT(ran, Succeeds());
  EXPECT_EQ(ran->out, "done\n");
}

TEST(RunProgramTest, IsBoundedThoughTheProgramClosesItsStreams) {
  EXPECT_THAT(RunProgram({"sh", "-c", "exec >&- 2>&-; sleep 60"}, kVariables,
                         std::chrono::milliseconds(30), {}),
              FailsWith(ErrorCode::kTimeout));
}

TEST(RunProgramTest, AProgramThatIsNotThereIsNotFound) {
  EXPECT_THAT(RunProgram({"pcw-no-such-program"}, kVariables, std::chrono::seconds(1), {}),
              FailsWith(ErrorCode::kNotFound));
}

}  // namespace
}  // namespace pcw
