#include "pcw/events/inbox_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/result_matchers.h"

namespace pcw::events {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

RecordedEvent Recorded(bool is_new) { return {.is_new = is_new, .entity = "", .record_key = ""}; }

MessageOutcome OutcomeWith(ErrorCode code) { return OutcomeOf(Error(code, "x")); }

std::vector<aws::sqs::Message> Messages(int count) {
  std::vector<aws::sqs::Message> messages(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i)
    messages[static_cast<std::size_t>(i)].receipt_handle = std::to_string(i);
  return messages;
}

TEST(MessageOutcomeTest, AnEventIsRecordedOnceAndKnownAfterThat) {
  EXPECT_EQ(OutcomeOf(Recorded(true)), MessageOutcome::kRecorded);
  EXPECT_EQ(OutcomeOf(Recorded(false)), MessageOutcome::kKnown);
}

TEST(MessageOutcomeTest, AMessageThatIsNotAnEventIsADeadLetterAndHoldsUpNobody) {
  EXPECT_EQ(OutcomeWith(ErrorCode::kSchemaMismatch), MessageOutcome::kDeadLetter);
}

TEST(MessageOutcomeTest, ADatabaseThatFailsMakesNoDeadLetter) {
  EXPECT_EQ(OutcomeWith(ErrorCode::kUnavailable), MessageOutcome::kFailed);
  EXPECT_EQ(OutcomeWith(ErrorCode::kConflict), MessageOutcome::kFailed);
}

TEST(InboxReportTest, EveryMessageIsReceived) {
  InboxReport report;
  Count(report, MessageOutcome::kRecorded, 2);
  Count(report, MessageOutcome::kKnown, 0);
  Count(report, MessageOutcome::kDeadLetter, 0);
  EXPECT_EQ(report.received, 3);
  EXPECT_EQ(report.duplicates, 1);
  EXPECT_EQ(report.malformed, 1);
  EXPECT_EQ(report.fetches, 2);
}

class RecordAgainTest : public ::testing::Test {
 protected:
  /// Records with the code, but the last of `tries`, which succeeds.
  Result<InboxReport> Record(ErrorCode code, int tries) {
    return RecordAgainAfterConflicts([&, tries]() -> Result<InboxReport> {
      if (++calls >= tries) return InboxReport{.received = 1};
      return Error(code, "x");
    });
  }
  int calls = 0;
};

TEST_F(RecordAgainTest, ABatchThatIsRecordedIsRecordedOnce) {
  EXPECT_THAT(Record(ErrorCode::kConflict, 1), Succeeds());
  EXPECT_EQ(calls, 1);
}

TEST_F(RecordAgainTest, AfterAConflictItIsRecordedAgain) {
  EXPECT_THAT(Record(ErrorCode::kConflict, 5), Succeeds());
  EXPECT_EQ(calls, 5);
}

TEST_F(RecordAgainTest, AfterFiveConflictsTheMessagesComeAgain) {
  EXPECT_THAT(Record(ErrorCode::kConflict, 6), FailsWith(ErrorCode::kConflict));
  EXPECT_EQ(calls, 5);
}

TEST_F(RecordAgainTest, AnyOtherFailureIsNotRepeated) {
  EXPECT_THAT(Record(ErrorCode::kUnavailable, 2), FailsWith(ErrorCode::kUnavailable));
  EXPECT_EQ(calls, 1);
}

TEST(HandleBatchesTest, NoMessagesMakeNoCall) { EXPECT_THAT(HandleBatches({}), IsEmpty()); }

TEST(HandleBatchesTest, TenGoIntoOneCall) {
  EXPECT_THAT(HandleBatches(Messages(10)), ElementsAre(SizeIs(10)));
}

TEST(HandleBatchesTest, TheEleventhGoesIntoTheNextCall) {
  const auto batches = HandleBatches(Messages(11));
  ASSERT_THAT(batches, ElementsAre(SizeIs(10), SizeIs(1)));
  EXPECT_EQ(batches[0].front(), "0");
  EXPECT_EQ(batches[1].front(), "10");
}

}  // namespace
}  // namespace pcw::events
