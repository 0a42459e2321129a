#include "pcw/runs/run_page_sql.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pcw::runs {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(SelectRunPageTest, WithoutAFilterOnlyTheLimitIsAParameter) {
  EXPECT_THAT(SelectRunPage({.limit = 20}).params, ElementsAre("20"));
}

TEST(SelectRunPageTest, EveryPageIsOfTheSessionsTenant) {
  EXPECT_THAT(SelectRunPage({}).text, HasSubstr("WHERE tenant_id = pcw_tenant()"));
  EXPECT_THAT(SelectRunPage({.status = "stalled"}).text,
              HasSubstr("WHERE tenant_id = pcw_tenant()"));
}

TEST(SelectRunPageTest, ComesInTheOrderOfMakingWhichNeverChanges) {
  EXPECT_THAT(SelectRunPage({}).text, EndsWith("ORDER BY r.id DESC"));
}

TEST(SelectRunPageTest, ScansComeInTheOrderOfTheirStart) {
  EXPECT_THAT(SelectRunPage({.is_of_scans = true}).text, EndsWith("ORDER BY r.started_at DESC"));
}

TEST(SelectRunPageTest, ScansOfTheFutureDoNotCount) {
  EXPECT_THAT(SelectRunPage({.is_of_scans = true}).text,
              HasSubstr("mode IN ('full', 'incremental') AND started_at <= pcw_now() + "));
}

TEST(SelectRunPageTest, RunsOfAllModesAreListedOtherwise) {
  EXPECT_THAT(SelectRunPage({}).text, Not(HasSubstr("mode IN")));
}

TEST(SelectRunPageTest, APageGoesOnBehindTheLastOfTheOneBefore) {
  const RunPageSql select = SelectRunPage({.before_id = "7f", .limit = 5});
  EXPECT_THAT(select.text, HasSubstr("AND id < $1::uuid"));
  EXPECT_THAT(select.params, ElementsAre("7f", "5"));
}

TEST(SelectRunPageTest, ValuesAreParametersAndNeverText) {
  const RunPageSql select = SelectRunPage({.entity = "x' OR true --", .status = "y' OR true --"});
  EXPECT_THAT(select.text, Not(HasSubstr("OR true")));
}

TEST(SelectRunPageTest, EveryFilterHasAParameterOfItsOwn) {
  const RunPageSql select =
      SelectRunPage({.entity = "leads", .status = "failed", .before_id = "7f", .limit = 5});
  EXPECT_THAT(select.params, ElementsAre("leads", "7f", "5", "failed"));
  EXPECT_THAT(select.text, HasSubstr("entity = $1 AND id < $2::uuid AND status = $4"));
}

TEST(SelectRunPageTest, TheStatusOfAnEndedRunIsTheRowsOwn) {
  EXPECT_THAT(SelectRunPage({.status = "failed"}).text,
              HasSubstr("FROM ingestion_runs WHERE tenant_id = pcw_tenant() AND status = $2"));
}

TEST(SelectRunPageTest, StalledIsWhatARunningRunsLeaseAndJobSay) {
  const RunPageSql select = SelectRunPage({.status = "stalled"});
  EXPECT_THAT(select.text, HasSubstr("status = 'running' AND ended_at IS NULL) r"));
  EXPECT_THAT(select.text, HasSubstr(") runs WHERE status = $2"));
  EXPECT_THAT(select.params, ElementsAre("20", "stalled"));
}

TEST(SelectRunPageTest, RunningIsWhatIsNotStalled) {
  EXPECT_THAT(SelectRunPage({.status = "running"}).text, HasSubstr(") runs WHERE status = $2"));
}

TEST(SelectRunPageTest, TheServerKnowsTheMostRowsWhenItPlans) {
  EXPECT_THAT(SelectRunPage({}).text, HasSubstr("LIMIT 1000) newest LIMIT $1::int"));
}

TEST(SelectRunByIdTest, IsOfTheSessionsTenant) {
  EXPECT_THAT(SelectRunById(), EndsWith("WHERE r.tenant_id = pcw_tenant() AND r.id = $1::uuid"));
}

}  // namespace
}  // namespace pcw::runs
