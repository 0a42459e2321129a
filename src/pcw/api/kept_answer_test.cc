#include "pcw/api/kept_answer.h"

#include <atomic>
#include <future>
#include <stdexcept>

#include <gmock/gmock.h>

#include "fakes/fake_time.h"
#include "fakes/result_matchers.h"

namespace pcw::api {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr KeptFor kShort{
    .fresh = minutes(10), .patience = milliseconds(20), .after_failure = seconds(5)};
constexpr KeptFor kPatient{
    .fresh = minutes(10), .patience = minutes(1), .after_failure = seconds(5)};

// As AWS when it says nothing: answers only to a stop.
Result<int> Hang(std::stop_token stop) {
  std::promise<void> stopped;
  const std::stop_callback on_stop(stop, [&] { stopped.set_value(); });
  stopped.get_future().wait();
  return Error(ErrorCode::kCancelled, "stopped");
}

TEST(KeptAnswerTest, AnAnswerIsKeptAndTellsItsAge) {
  FakeClock clock;
  int asked = 0;
  KeptAnswer<int> kept([&](std::stop_token) -> Result<int> { return ++asked; }, kPatient, clock);

  EXPECT_EQ(kept.Get()->value, 1);
  clock.Advance(seconds(90));
  EXPECT_EQ(kept.Get()->value, 1);
  EXPECT_EQ(kept.Get()->age, seconds(90));
  clock.Advance(minutes(10));
  EXPECT_EQ(kept.Get()->value, 2);
  EXPECT_EQ(kept.Get()->age, seconds(0));
}

TEST(KeptAnswerTest, WhoIsSilentIsAskedOnceAndNobodyWaitsLonger) {
  FakeClock clock;
  std::atomic<int> asked = 0;
  KeptAnswer<int> kept(
      [&](std::stop_token stop) {
        ++asked;
        return Hang(std::move(stop));
      },
      kShort, clock);

  for (int i = 0; i < 3; ++i) EXPECT_THAT(kept.Get(), FailsWith(ErrorCode::kTimeout));
  EXPECT_EQ(asked, 1);
}

TEST(KeptAnswerTest, TheAnswerOfBeforeIsGivenWhileTheNextIsAwaited) {
  FakeClock clock;
  KeptAnswer<int> kept(Hang, kShort, clock);
  kept.Put(7);

  clock.Advance(minutes(30));
  const auto got = kept.Get();
  ASSERT_THAT(got, Succeeds());
  EXPECT_EQ(got->value, 7);
  EXPECT_EQ(got->age, minutes(30));
}

TEST(KeptAnswerTest, AnOutageKeepsTheOldAnswerARefusalDoesNot) {
  FakeClock clock;
  ErrorCode code = ErrorCode::kUnavailable;
  KeptAnswer<int> kept([&](std::stop_token) -> Result<int> { return Error(code, "away"); },
                       kPatient, clock);
  kept.Put(7);
  clock.Advance(minutes(11));
  EXPECT_EQ(kept.Get()->value, 7);

  code = ErrorCode::kPermissionDenied;
  clock.Advance(seconds(6));
  EXPECT_THAT(kept.Get(), FailsWith(ErrorCode::kPermissionDenied));
}

TEST(KeptAnswerTest, AFailureIsRememberedForAWhile) {
  FakeClock clock;
  int asked = 0;
  KeptAnswer<int> kept(
      [&](std::stop_token) -> Result<int> {
        ++asked;
        return Error(ErrorCode::kUnavailable, "away");
      },
      kPatient, clock);

  for (int i = 0; i < 3; ++i) EXPECT_THAT(kept.Get(), FailsWith(ErrorCode::kUnavailable));
  EXPECT_EQ(asked, 1);
  clock.Advance(seconds(5));
  EXPECT_THAT(kept.Get(), FailsWith(ErrorCode::kUnavailable));
  EXPECT_EQ(asked, 2);
}

TEST(KeptAnswerTest, AQuestionThatThrowsIsAFailureAndTheNextOneIsAsked) {
  FakeClock clock;
  int asked = 0;
  KeptAnswer<int> kept(
      [&](std::stop_token) -> Result<int> {
        if (++asked == 1) throw std::runtime_error("broken");
        return asked;
      },
      kPatient, clock);

  EXPECT_THAT(kept.Get(), FailsWith(ErrorCode::kInternal));
  clock.Advance(seconds(5));
  EXPECT_EQ(kept.Get()->value, 2);
}

}  // namespace
}  // namespace pcw::api
