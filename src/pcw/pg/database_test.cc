#include "pcw/pg/database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/fake_time.h"
#include "fakes/result_matchers.h"

namespace pcw::pg {
namespace {

using std::chrono::milliseconds;
using ::testing::Each;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A server that no session can be opened to: what is decided then needs no server.
class UnreachableServerTest : public ::testing::Test {
 protected:
  Result<Connection> Open(std::stop_token) {
    ++opens;
    return Error(code, "no session");
  }
  FakeClock clock;
  FakeSleeper sleeper{clock};
  ErrorCode code = ErrorCode::kUnavailable;
  int opens = 0;
  Database database{[this](std::stop_token stop) { return Open(std::move(stop)); }, sleeper, clock,
                    milliseconds(300)};
};

TEST_F(UnreachableServerTest, IsWaitedForUntilPatienceEnds) {
  EXPECT_THAT(database.Get({}), FailsWith(ErrorCode::kUnavailable));
  EXPECT_EQ(opens, 4) << "at 0, 100, 200 and 300 ms";
  EXPECT_THAT(sleeper.slept, Each(milliseconds(100)));
}

TEST_F(UnreachableServerTest, WithoutPatienceItIsAskedOnce) {
  Database impatient([this](std::stop_token stop) { return Open(std::move(stop)); }, sleeper, clock,
                     milliseconds(0));
  EXPECT_THAT(impatient.Get({}), FailsWith(ErrorCode::kUnavailable));
  EXPECT_EQ(opens, 1);
}

TEST_F(UnreachableServerTest, ARefusedLoginIsNotWaitedFor) {
  code = ErrorCode::kUnauthenticated;
  EXPECT_THAT(database.Get({}), FailsWith(ErrorCode::kUnauthenticated));
  EXPECT_THAT(sleeper.slept, IsEmpty());
}

TEST_F(UnreachableServerTest, ASchemaOfAnotherVersionIsNotWaitedFor) {
  code = ErrorCode::kConfig;
  EXPECT_THAT(database.Get({}), FailsWith(ErrorCode::kConfig));
  EXPECT_EQ(opens, 1);
}

TEST_F(UnreachableServerTest, AStopEndsTheWait) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THAT(database.Get(stop.get_token()), FailsWith(ErrorCode::kCancelled));
  EXPECT_EQ(opens, 1);
}

TEST_F(UnreachableServerTest, WorkDoesNotBeginWithoutASession) {
  bool has_begun = false;
  EXPECT_THAT(database.Run<Ok>({},
                               [&](Connection&) -> Result<Ok> {
                                 has_begun = true;
                                 return Ok{};
                               }),
              FailsWith(ErrorCode::kUnavailable));
  EXPECT_FALSE(has_begun);
}

TEST_F(UnreachableServerTest, EachStatementHasPatienceOfItsOwn) {
  EXPECT_THAT(database.Exec({"one", "SELECT 1"}, {}, {}), FailsWith(ErrorCode::kUnavailable));
  EXPECT_THAT(database.Exec({"two", "SELECT 2"}, {}, {}), FailsWith(ErrorCode::kUnavailable));
  EXPECT_THAT(sleeper.slept, SizeIs(6));
}

}  // namespace
}  // namespace pcw::pg
