#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pcw/diagnose/catalogue.h"
#include "pcw/diagnose/rules.h"

namespace pcw::diagnose {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

EntityRuns Fresh() {
  return {.entity = "opportunities",
          .run_id = "019a",
          .mode = "incremental",
          .status = "succeeded",
          .since_complete = minutes(4),
          .interval = minutes(5)};
}

std::vector<std::string> CodesOf(const std::vector<Finding>& findings) {
  std::vector<std::string> codes;
  for (const Finding& finding : findings) {
    EXPECT_FALSE(finding.next_steps.empty()) << finding.def->code;
    codes.emplace_back(finding.def->code);
  }
  return codes;
}

std::vector<std::string> CodesOf(const EntityRuns& runs) {
  Facts facts;
  facts.runs = RunFacts{.entities = {runs}};
  return CodesOf(JudgeRuns(facts));
}

TEST(RunRulesTest, NothingIsSaidWithoutADatabase) { EXPECT_THAT(JudgeRuns(Facts{}), IsEmpty()); }

TEST(RunRulesTest, FreshDataIsOneInformation) {
  EXPECT_THAT(CodesOf(Fresh()), ElementsAre("PCW2100"));
}

TEST(RunRulesTest, AnEntityWithoutARunWasNeverSynced) {
  EXPECT_THAT(CodesOf(EntityRuns{.entity = "leads"}), ElementsAre("PCW2105"));
}

TEST(RunRulesTest, EachEndOfTheNewestRunHasItsCode) {
  for (const auto& [status, code] : std::vector<std::pair<std::string, std::string>>{
           {"failed", "PCW2101"}, {"stalled", "PCW2102"}, {"partial", "PCW2110"}}) {
    EntityRuns runs = Fresh();
    runs.status = status;
    EXPECT_THAT(CodesOf(runs), ElementsAre(code, "PCW2100")) << status;
  }
}

TEST(RunRulesTest, DeadLettersOfARunAreTheirOwnSectionsAlarm) {
  EntityRuns runs = Fresh();
  runs.status = "partial";
  runs.dead_letters = 2;
  EXPECT_THAT(CodesOf(runs), ElementsAre("PCW2106", "PCW2100"));
  EXPECT_EQ(DefOf("PCW2106").level, Level::kInfo);
}

TEST(RunRulesTest, AListingThatShrankIsToldBesideItsDeadLetters) {
  Facts facts;
  EntityRuns runs = Fresh();
  runs.status = "partial";
  runs.dead_letters = 2;
  runs.reason = "listing_shrank";
  facts.runs = RunFacts{.entities = {runs}};

  const std::vector<Finding> findings = JudgeRuns(facts);

  EXPECT_THAT(CodesOf(findings), ElementsAre("PCW2106", "PCW2110", "PCW2100"));
  EXPECT_THAT(findings[1].next_steps.back(), ::testing::HasSubstr("--accept-shrink"));
}

TEST(RunRulesTest, AFailedRunIsResumedIfItCanBe) {
  Facts facts;
  EntityRuns runs = Fresh();
  runs.status = "failed";
  runs.is_resumable = true;
  facts.runs = RunFacts{.entities = {runs}};

  EXPECT_THAT(JudgeRuns(facts).front().next_steps,
              Contains("pcw sync run partner-central opportunities --resume"));
}

TEST(RunRulesTest, DataIsStaleAfterThreeIntervalsAndAQuarterOfAnHour) {
  EntityRuns runs = Fresh();
  runs.since_complete = minutes(30);
  EXPECT_THAT(CodesOf(runs), Not(Contains("PCW2103")));
  runs.since_complete = minutes(30) + std::chrono::seconds(1);
  EXPECT_THAT(CodesOf(runs), ElementsAre("PCW2103", "PCW2100"));
}

TEST(RunRulesTest, UnscheduledDataIsStaleAfterADay) {
  EntityRuns runs = Fresh();
  runs.interval.reset();
  runs.since_complete = hours(24);
  EXPECT_THAT(CodesOf(runs), Not(Contains("PCW2103")));
  runs.since_complete = hours(25);
  EXPECT_THAT(CodesOf(runs), Contains("PCW2103"));
}

TEST(RunRulesTest, WhatIsDueAndWaitsIsSaidInsteadOfStaleData) {
  EntityRuns runs = Fresh();
  runs.since_complete = hours(3);
  runs.overdue = hours(2);
  EXPECT_THAT(CodesOf(runs), ElementsAre("PCW2104", "PCW2100"));
  runs.overdue.reset();
  runs.queued = minutes(6);
  EXPECT_THAT(CodesOf(runs), ElementsAre("PCW2104", "PCW2100"));
}

TEST(RunRulesTest, RunsOfTheFutureAreSaidBesideWhateverElseIs) {
  EntityRuns runs = Fresh();
  runs.future_runs = 2;
  runs.future_run = "019b";
  runs.future_by = hours(24);
  EXPECT_THAT(CodesOf(runs), ElementsAre("PCW2111", "PCW2100"));
}

TEST(RunRulesTest, RecordsBehindADateHaveAWayOut) {
  EntityRuns runs = Fresh();
  runs.older_records = 1;
  runs.older_ids = {"O1"};
  Facts facts;
  facts.runs = RunFacts{.entities = {runs}};

  const std::vector<Finding> findings = JudgeRuns(facts);

  EXPECT_THAT(CodesOf(findings), ElementsAre("PCW2112", "PCW2100"));
  EXPECT_THAT(findings.front().next_steps,
              Contains("pcw sync refetch partner-central opportunities O1 --accept-older"));
}

TEST(RunRulesTest, TokensClockAndSessions) {
  Facts facts;
  facts.runs = RunFacts{.tokens = {{.name = "ci", .id = "abc", .expires_at = "2026-12-01"}},
                        .clock_ahead = std::chrono::milliseconds(-6'000),
                        .sessions = 90,
                        .most_sessions = 97};
  const std::vector<Finding> findings = JudgeRuns(facts);
  EXPECT_THAT(CodesOf(findings), ElementsAre("PCW2107", "PCW2108", "PCW2109"));
  EXPECT_THAT(findings[1].message, HasSubstr("behind"));
}

TEST(RunRulesTest, ALongTransactionIsTold) {
  Facts facts;
  facts.runs = RunFacts{.sessions = 1, .most_sessions = 97, .longest_transaction = hours(2)};
  EXPECT_THAT(CodesOf(JudgeRuns(facts)), ElementsAre("PCW2109"));
}

TEST(RunRulesTest, AFailedRunBesideItsReasonIsNoSecondAlarm) {
  Facts facts;
  facts.database_error = Error(ErrorCode::kUnavailable, "gone");
  EntityRuns runs = Fresh();
  runs.status = "failed";
  facts.runs = RunFacts{.entities = {runs}};

  const std::vector<std::string> codes = CodesOf(Judge(facts));

  EXPECT_THAT(codes, Contains("PCW1002"));
  EXPECT_THAT(codes, Not(Contains("PCW2101")));
  EXPECT_THAT(codes, Contains("PCW2100"));
}

}  // namespace
}  // namespace pcw::diagnose
