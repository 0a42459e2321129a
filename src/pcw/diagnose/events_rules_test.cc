#include <gmock/gmock.h>

#include "pcw/diagnose/rules.h"

namespace pcw::diagnose {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Facts Listening() {
  Facts facts;
  facts.credentials = std::make_shared<const aws::Credentials>();
  facts.events.emplace();
  facts.events->queue_url = "https://sqs.us-east-1.amazonaws.com/123456789012/pcw-events";
  facts.events->queue.emplace();
  facts.events->in.since_poll_seconds = 12;
  return facts;
}

std::vector<std::string> EventCodes(const Facts& facts) {
  std::vector<std::string> codes;
  for (const Finding& finding : JudgeEvents(facts)) codes.emplace_back(finding.def->code);
  return codes;
}

TEST(JudgeEventsTest, NothingIsSaidWhereAllIsWellOrNothingConfigured) {
  EXPECT_THAT(EventCodes(Listening()), IsEmpty());
  Facts off = Listening();
  off.events->queue_url.clear();
  off.events->in.since_poll_seconds = -1;
  EXPECT_THAT(EventCodes(off), IsEmpty());
  EXPECT_THAT(EventCodes(Facts{}), IsEmpty());
}

TEST(JudgeEventsTest, AQueueThatCannotBeUsedIsNamedByItsReasonAndNothingElseBesideIt) {
  for (const auto& [error, code] :
       {std::pair{ErrorCode::kNotFound, "PCW3401"},
        std::pair{ErrorCode::kPermissionDenied, "PCW3402"},
        std::pair{ErrorCode::kUnavailable, "PCW3403"}, std::pair{ErrorCode::kConfig, "PCW3403"}}) {
    Facts facts = Listening();
    facts.events->in.since_poll_seconds = -1;
    facts.events->queue_error = Error(error, "no");
    EXPECT_THAT(EventCodes(facts), ElementsAre(code));
  }
  Facts facts = Listening();
  facts.credentials = nullptr;
  facts.events->queue_error = Error(ErrorCode::kUnauthenticated, "who?");
  EXPECT_THAT(EventCodes(facts), IsEmpty()) << "said by the section auth";
}

TEST(JudgeEventsTest, NobodyListens) {
  Facts facts = Listening();
  facts.events->in.since_poll_seconds = 301;
  EXPECT_THAT(EventCodes(facts), ElementsAre("PCW3404"));
  facts.events->in.since_poll_seconds = -1;
  EXPECT_THAT(EventCodes(facts), ElementsAre("PCW3404"));
}

TEST(JudgeEventsTest, AShareOfMissedChangesCountsFromTwentyChangesOn) {
  Facts facts = Listening();
  facts.events->in.last_day = {.told = 10, .missed = 9};
  EXPECT_THAT(EventCodes(facts), IsEmpty());
  facts.events->in.last_day = {.told = 80, .missed = 20};
  EXPECT_THAT(EventCodes(facts), ElementsAre("PCW3405"));
  facts.events->in.last_day = {.told = 1000, .missed = 20};
  EXPECT_THAT(EventCodes(facts), IsEmpty());
  facts.events->in.last_day = {.told = 0, .missed = 20};
  EXPECT_THAT(EventCodes(facts), ElementsAre("PCW3407"));
}

TEST(JudgeEventsTest, ChangesThatAreLateOrGivenUpAreTold) {
  Facts facts = Listening();
  facts.events->out = {
      .pending = 3, .failed = 2, .oldest_at = "", .oldest_seconds = 601, .last_error = ""};
  EXPECT_THAT(EventCodes(facts), IsEmpty()) << "nothing goes out";
  facts.events->target = "https://hooks.example.com";
  EXPECT_THAT(EventCodes(facts), ElementsAre("PCW3408", "PCW3409"));
  facts.events->queue_url.clear();
  facts.events->out = {.pending = 3, .oldest_at = "", .oldest_seconds = 600, .last_error = ""};
  EXPECT_THAT(EventCodes(facts), IsEmpty());
}

TEST(JudgeEventsTest, EventsPileUp) {
  Facts facts = Listening();
  facts.events->in.waiting.records = 10'001;
  EXPECT_THAT(EventCodes(facts), ElementsAre("PCW3406"));
  facts.events->in.waiting.records = 0;
  facts.events->queue->messages = 10'001;
  EXPECT_THAT(EventCodes(facts), ElementsAre("PCW3406"));
}

}  // namespace
}  // namespace pcw::diagnose
