#include "pcw/serve/worker_pulse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/fake_time.h"
#include "fakes/result_matchers.h"

namespace pcw::serve {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

class WorkerPulseTest : public ::testing::Test {
 protected:
  FakeClock clock;
  WorkerPulse pulse{clock, minutes(10)};
};

TEST_F(WorkerPulseTest, AProcessWithoutWorkersHasNoneThatIsStuck) {
  EXPECT_THAT(pulse.Check(), Succeeds());
}

TEST_F(WorkerPulseTest, AnEndThatCannotBeStoredIsNotReadyAfterFifteenSeconds) {
  const std::size_t worker = pulse.Add();
  pulse.Sign(worker, WorkerPhase::kSettling);

  clock.Advance(seconds(15));
  EXPECT_THAT(pulse.Check(), Succeeds());
  clock.Advance(seconds(1));
  EXPECT_THAT(pulse.Check(), FailsWith(ErrorCode::kUnavailable));
}

TEST_F(WorkerPulseTest, ARunWithProgressIsReadyHoweverLongItTakes) {
  const std::size_t worker = pulse.Add();
  for (int i = 0; i < 10; ++i) {
    clock.Advance(minutes(15));
    pulse.Sign(worker, WorkerPhase::kRunning);
  }
  EXPECT_THAT(pulse.Check(), Succeeds());

  clock.Advance(minutes(21));
  EXPECT_THAT(pulse.Check(), FailsWith(ErrorCode::kUnavailable));
}

TEST_F(WorkerPulseTest, OneWorkerThatGetsSomewhereIsEnough) {
  const std::size_t stuck = pulse.Add();
  const std::size_t other = pulse.Add();
  pulse.Sign(stuck, WorkerPhase::kSettling);
  clock.Advance(minutes(5));
  pulse.Sign(other, WorkerPhase::kClaiming);

  EXPECT_THAT(pulse.Check(), Succeeds());
}

}  // namespace
}  // namespace pcw::serve
