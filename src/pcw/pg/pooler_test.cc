#include "pcw/pg/pooler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/fake_pooler.h"
#include "fakes/result_matchers.h"

namespace pcw::pg {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kClaimed = 7;  // what the login said, which a pooler makes up

class TransactionPoolerTest : public ::testing::Test {
 protected:
  Status Judge() { return RefuseTransactionPooler(sessions, kClaimed); }
  FakeServerSessions sessions;
};

TEST_F(TransactionPoolerTest, AServerThatAnswersItselfIsTakenWithOneQuestion) {
  sessions.pids = {kClaimed};
  EXPECT_THAT(Judge(), Succeeds());
  EXPECT_EQ(sessions.asked, 1);
}

TEST_F(TransactionPoolerTest, APoolerThatKeepsTheSessionIsTaken) {
  sessions.pids = {100};
  sessions.other = 200;
  EXPECT_THAT(Judge(), Succeeds());
}

TEST_F(TransactionPoolerTest, APoolerThatHandsOutAnotherServerEachTimeIsRefused) {
  sessions.pids = {100, 200};
  EXPECT_THAT(Judge(), FailsWith(ErrorCode::kConfig));
}

TEST_F(TransactionPoolerTest, APoolerThatGivesTheSameServerToTwoIsRefused) {
  sessions.pids = {100};
  sessions.other = 100;
  EXPECT_THAT(Judge(), FailsWith(ErrorCode::kConfig));
}

TEST_F(TransactionPoolerTest, AServerThatKnowsTheOthersStatementIsSharedAndRefused) {
  sessions.pids = {100};
  sessions.other = Error(ErrorCode::kConfig, "prepared statement exists");
  EXPECT_THAT(Judge(), FailsWith(ErrorCode::kConfig));
}

TEST_F(TransactionPoolerTest, AServerThatIsExchangedOnceTheSecondHasOneIsRefused) {
  sessions.pids = {100, 100, 200};
  sessions.other = 300;
  EXPECT_THAT(Judge(), FailsWith(ErrorCode::kConfig));
}

TEST_F(TransactionPoolerTest, APoolThatIsFullJustNowIsOneInSessionMode) {
  sessions.pids = {100};
  sessions.has_other = false;
  EXPECT_THAT(Judge(), Succeeds());
}

TEST_F(TransactionPoolerTest, ASecondSessionThatBreaksProvesNothing) {
  sessions.pids = {100};
  sessions.other = Error(ErrorCode::kUnavailable, "reset");
  EXPECT_THAT(Judge(), Succeeds());
}

TEST_F(TransactionPoolerTest, ASessionThatIsLostIsToldAsThat) {
  sessions.pids = {Error(ErrorCode::kUnavailable, "reset")};
  EXPECT_THAT(Judge(), FailsWith(ErrorCode::kUnavailable));
}

TEST_F(TransactionPoolerTest, TheRefusalSaysWhatToDo) {
  sessions.pids = {100, 200};
  EXPECT_THAT(Judge().error().message(), HasSubstr("pool_mode = session"));
}

}  // namespace
}  // namespace pcw::pg
