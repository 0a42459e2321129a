#include "pcw/dlq/queue_look.h"

#include <vector>

#include <gtest/gtest.h>

namespace pcw::dlq {
namespace {

aws::sqs::Message Named(std::string id, std::string handle = "") {
  aws::sqs::Message message;
  message.message_id = std::move(id);
  message.receipt_handle = std::move(handle);
  return message;
}

class QueueLookTest : public ::testing::Test {
 protected:
  void Receive(const std::vector<std::string>& ids) {
    std::vector<aws::sqs::Message> messages;
    for (const std::string& id : ids) messages.push_back(Named(id));
    look.Note(messages);
  }
  QueueLook look{50};
};

TEST(IsLookNeededTest, AQueueThatHoldsWhatIsKnownAndOpenIsLeftAlone) {
  EXPECT_FALSE(IsLookNeeded({.ended = 0, .known = 5, .visible = 5, .in_flight = 0}));
}

TEST(IsLookNeededTest, AnEmptyQueueIsLeftAlone) { EXPECT_FALSE(IsLookNeeded({})); }

TEST(IsLookNeededTest, AMessageWhoseDeadLetterHasEndedIsLookedFor) {
  EXPECT_TRUE(IsLookNeeded({.ended = 1, .known = 5, .visible = 5, .in_flight = 0}));
}

TEST(IsLookNeededTest, AMessageThatNobodyKnowsIsLookedFor) {
  EXPECT_TRUE(IsLookNeeded({.ended = 0, .known = 5, .visible = 6, .in_flight = 0}));
}

TEST(IsLookNeededTest, MessagesInFlightCountAsThere) {
  EXPECT_FALSE(IsLookNeeded({.ended = 0, .known = 5, .visible = 2, .in_flight = 3}));
  EXPECT_TRUE(IsLookNeeded({.ended = 0, .known = 5, .visible = 2, .in_flight = 4}));
}

TEST(IsLookNeededTest, FewerMessagesThanAreKnownAreNoReason) {
  EXPECT_FALSE(IsLookNeeded({.ended = 0, .known = 5, .visible = 1, .in_flight = 0}));
}

TEST_F(QueueLookTest, BeginsWhateverComes) { EXPECT_FALSE(look.is_over()); }

TEST_F(QueueLookTest, OneEmptyAnswerDoesNotMeanThatNothingIsThere) {
  Receive({});
  EXPECT_FALSE(look.is_over());
}

TEST_F(QueueLookTest, TwoEmptyAnswersInARowEndIt) {
  Receive({});
  Receive({});
  EXPECT_TRUE(look.is_over());
}

TEST_F(QueueLookTest, AMessageBetweenTwoEmptyAnswersGoesOn) {
  Receive({});
  Receive({"a"});
  Receive({});
  EXPECT_FALSE(look.is_over());
}

TEST_F(QueueLookTest, TwentyAnswersWithoutANewMessageEndIt) {
  Receive({"a"});
  for (int i = 0; i < 19; ++i) Receive({"a"});
  EXPECT_FALSE(look.is_over());
  Receive({"a"});
  EXPECT_TRUE(look.is_over());
}

TEST_F(QueueLookTest, ANewMessageAmongKnownOnesIsProgress) {
  Receive({"a"});
  for (int i = 0; i < 19; ++i) Receive({"a"});
  Receive({"a", "b"});
  EXPECT_FALSE(look.is_over());
}

TEST_F(QueueLookTest, APassTakesSoManyMessagesAndNoMore) {
  std::vector<std::string> ids;
  for (int i = 0; i < 49; ++i) ids.push_back("m" + std::to_string(i));
  Receive(ids);
  EXPECT_FALSE(look.is_over());
  Receive({"m49"});
  EXPECT_TRUE(look.is_over());
}

TEST_F(QueueLookTest, MessagesThatComeAgainCountAsReceived) {
  for (int i = 0; i < 10; ++i) Receive({"a", "b", "c", "d", "e"});
  EXPECT_TRUE(look.is_over());
}

TEST(SurplusMessagesTest, TheOnlyMessageOfADeadLetterStays) {
  SurplusMessages surplus;
  EXPECT_EQ(surplus.Add("L1", Named("m1", "h1")), "");
}

TEST(SurplusMessagesTest, OfTwoMessagesTheLargerIdGoes) {
  SurplusMessages surplus;
  (void)surplus.Add("L1", Named("m1", "h1"));
  EXPECT_EQ(surplus.Add("L1", Named("m2", "h2")), "h2");
}

TEST(SurplusMessagesTest, WhicheverOfThemComesFirst) {
  SurplusMessages surplus;
  (void)surplus.Add("L1", Named("m2", "h2"));
  EXPECT_EQ(surplus.Add("L1", Named("m1", "h1")), "h2");
}

TEST(SurplusMessagesTest, TheSameMessageUnderANewHandleIsNoSurplus) {
  SurplusMessages surplus;
  (void)surplus.Add("L1", Named("m1", "old"));
  EXPECT_EQ(surplus.Add("L1", Named("m1", "new")), "");
}

TEST(SurplusMessagesTest, TheLatestHandleOfAMessageIsTheOneThatDeletesIt) {
  SurplusMessages surplus;
  (void)surplus.Add("L1", Named("m2", "old"));
  (void)surplus.Add("L1", Named("m2", "new"));
  EXPECT_EQ(surplus.Add("L1", Named("m1", "h1")), "new");
}

TEST(SurplusMessagesTest, MessagesOfOtherDeadLettersHaveNothingToDoWithEachOther) {
  SurplusMessages surplus;
  (void)surplus.Add("L1", Named("m1", "h1"));
  EXPECT_EQ(surplus.Add("L2", Named("m2", "h2")), "");
}

TEST(SurplusMessagesTest, OfThreeMessagesOneStays) {
  SurplusMessages surplus;
  (void)surplus.Add("L1", Named("m2", "h2"));
  EXPECT_EQ(surplus.Add("L1", Named("m3", "h3")), "h3");
  EXPECT_EQ(surplus.Add("L1", Named("m1", "h1")), "h2");
}

}  // namespace
}  // namespace pcw::dlq
