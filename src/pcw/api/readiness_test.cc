#include "pcw/api/readiness.h"

#include <future>

#include <gmock/gmock.h>

#include "fakes/fake_time.h"

namespace pcw::api {
namespace {

/// Waits for its stop alone.
class EndlessSleeper final : public Sleeper {
 public:
  bool SleepFor(std::chrono::microseconds /*duration*/, std::stop_token stop) override {
    std::promise<void> stopped;
    const std::stop_callback on_stop(stop, [&] { stopped.set_value(); });
    stopped.get_future().wait();
    return false;
  }
};

TEST(ReadinessTest, AComponentThatHangsSaysNothingAboutTheOthers) {
  FakeClock clock;
  EndlessSleeper sleeper;
  std::promise<void> tried;
  const auto hang = [&](std::stop_token stop) -> Status {
    sleeper.SleepFor({}, std::move(stop));
    return Error(ErrorCode::kCancelled, "stopped");
  };
  const Readiness readiness({{"credentials", hang},
                             {"database",
                              [&](std::stop_token) -> Status {
                                tried.set_value();
                                return Ok{};
                              }}},
                            clock, sleeper);

  tried.get_future().wait();
  // The note is made right behind the try.
  while (!readiness.Report().components.at(1).second) std::this_thread::yield();
  const ReadinessReport report = readiness.Report();
  EXPECT_FALSE(report.is_ready);
  EXPECT_EQ(report.components.at(0), std::pair(std::string("credentials"), false));
  EXPECT_EQ(report.components.at(1), std::pair(std::string("database"), true));
}

}  // namespace
}  // namespace pcw::api
