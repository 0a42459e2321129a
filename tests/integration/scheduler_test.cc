// Schedules, and the protection of tenants, against a real server.
#include "pcw/runs/scheduler.h"

#include <thread>

#include <gmock/gmock.h>

#include "fakes/result_matchers.h"
#include "pcw/pg/session.h"
#include "pcw/runs/run_request.h"
#include "pg_fixture.h"

namespace pcw {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

class SchedulerTest : public DatabaseTest {
 protected:
  SchedulerTest() : connection(OpenService()) {
    Ask("INSERT INTO connectors (tenant_id, kind, name, status) VALUES "
        "('00000000-0000-0000-0000-000000000001', 'partner_central', 'pc', 'enabled') RETURNING "
        "id");
    plan.connector_id = std::stoll(Ask("SELECT id FROM connectors"));
    plan.catalog = "AWS";
    plan.syncs.push_back(
        {.entity = "opportunities",
         .mode = connector::RunMode::kFull,
         .timing = runs::CronTiming{"0 */6 * * *", *runs::Cron::Parse("0 */6 * * *")}});
    plan.syncs.push_back({.entity = "opportunities",
                          .mode = connector::RunMode::kIncremental,
                          .timing = milliseconds(hours(1))});
  }

  Status Align() { return runs::AlignSchedules(connection, plan, kTenant, rng, {}); }
  std::vector<std::string> Tick() {
    auto ticked = runs::Tick(connection, plan, kTenant, rng, clock, {});
    PCW_ASSERT(ticked.has_value());
    return ticked->runs;
  }
  void EndRuns() {
    Ask("UPDATE ingestion_runs SET status = 'succeeded', ended_at = now() WHERE ended_at IS NULL "
        "RETURNING 1");
    Ask("UPDATE jobs SET state = 'done', ended_at = now() WHERE ended_at IS NULL RETURNING 1");
  }

  SystemClock clock;
  SystemRng rng;
  pg::Connection connection;
  runs::SchedulePlan plan;
};

TEST_F(SchedulerTest, ASweepThatNeverWasIsDueAtOnceAndOnce) {
  ASSERT_THAT(Align(), Succeeds());
  ASSERT_THAT(Align(), Succeeds());

  EXPECT_EQ(Tick().size(), 1U);
  EXPECT_EQ(Tick().size(), 0U);

  EXPECT_EQ(Ask("SELECT mode || ' ' || trigger || ' ' || requested_by FROM ingestion_runs"),
            "full schedule scheduler");
  EXPECT_EQ(Ask("SELECT min(next_due) > now() FROM schedules"), "t");
}

TEST_F(SchedulerTest, ManySchedulersAskOnce) {
  ASSERT_THAT(Align(), Succeeds());
  std::atomic<std::size_t> runs{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 6; ++i) {
      threads.emplace_back([&] {
        pg::Connection mine = OpenService();
        auto ticked = runs::Tick(mine, plan, kTenant, rng, clock, {});
        ASSERT_THAT(ticked, Succeeds());
        runs += ticked->runs.size();
      });
    }
  }
  EXPECT_EQ(runs, 1U);
}

TEST_F(SchedulerTest, WhatWasMissedForDaysIsMadeUpByOneRun) {
  ASSERT_THAT(Align(), Succeeds());
  Tick();
  EndRuns();
  Ask("UPDATE schedules SET next_due = now() - interval '5 days' WHERE mode = 'incremental' "
      "RETURNING 1");

  EXPECT_EQ(Tick().size(), 1U);
  EndRuns();
  EXPECT_EQ(Tick().size(), 0U);
}

TEST_F(SchedulerTest, ASweepThatFindsAPassOpenStaysDueAPassIsServedByASweep) {
  ASSERT_THAT(Align(), Succeeds());
  ASSERT_THAT(runs::RequestRun(connection, plan.connector_id, "AWS",
                               {.entity = "opportunities",
                                .mode = connector::RunMode::kIncremental,
                                .requested_by = "test",
                                .trigger = "api"},
                               rng, clock, {}),
              Succeeds());
  EXPECT_EQ(Tick().size(), 0U);
  EXPECT_EQ(Ask("SELECT next_due < now() + interval '6 seconds' AND last_due IS NULL FROM "
                "schedules WHERE mode = 'full'"),
            "t");
  EndRuns();
  Ask("UPDATE schedules SET next_due = now() RETURNING 1");

  EXPECT_EQ(Tick().size(), 1U) << "the sweep; the pass due at the same time is served by it";
  EXPECT_EQ(Ask("SELECT mode FROM ingestion_runs WHERE ended_at IS NULL"), "full");
  EXPECT_EQ(Ask("SELECT count(DISTINCT last_run) FROM schedules"), "1");
}

TEST_F(SchedulerTest, AChangedPlanHoldsFromNowOn) {
  ASSERT_THAT(Align(), Succeeds());
  plan.syncs[1].timing = milliseconds(1000);
  plan.syncs.erase(plan.syncs.begin());

  ASSERT_THAT(Align(), Succeeds());

  EXPECT_EQ(Ask("SELECT string_agg(mode || ' ' || spec, ',') FROM schedules"),
            "incremental every 1000 ms");
  EXPECT_EQ(Ask("SELECT next_due < now() + interval '2 seconds' FROM schedules"), "t");
}

TEST_F(DatabaseTest, ASessionIsRefusedWhileATableOfTenantsIsUnprotected) {
  EXPECT_EQ(Ask("SELECT string_agg(relation, ',') FROM pcw_unprotected()"), "");
  const auto expect_refused = [&](const char* name) {
    const auto session = pg::OpenService(Connect(), kTenant, pg::SuperuserLogin::kWarn);
    ASSERT_THAT(session, FailsWith(ErrorCode::kConfig)) << name;
    EXPECT_THAT(session.error().message(), HasSubstr(name));
  };
  pg::Connection superuser = OpenSuperuser(url);
  ASSERT_THAT(superuser.ExecScript("a", "CREATE TABLE careless (tenant_id uuid)"), Succeeds());
  expect_refused("careless lacks row level security");
  ASSERT_THAT(superuser.ExecScript("b", "ALTER TABLE careless ENABLE ROW LEVEL SECURITY"),
              Succeeds());
  expect_refused("careless lacks FORCE");
  ASSERT_THAT(superuser.ExecScript("c", "ALTER TABLE careless FORCE ROW LEVEL SECURITY"),
              Succeeds());
  expect_refused("careless lacks the policy");
  ASSERT_THAT(superuser.ExecScript("d",
                                   "DROP TABLE careless; CREATE VIEW peek AS SELECT * FROM "
                                   "ingestion_runs"),
              Succeeds());
  expect_refused("peek lacks security_invoker");
  ASSERT_THAT(superuser.ExecScript("e", "ALTER VIEW peek SET (security_invoker = true)"),
              Succeeds());
  EXPECT_THAT(pg::OpenService(Connect(), kTenant, pg::SuperuserLogin::kWarn), Succeeds());
}

TEST_F(DatabaseTest, WithoutATenantNoTableOfTenantsShowsARow) {
  pg::Connection nobody = OpenService("");
  pg::Connection superuser = OpenSuperuser(url);
  const auto tables =
      superuser.Exec({"tables",
                      "SELECT c.relname FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = "
                      "'public'::regnamespace AND c.relrowsecurity"});
  ASSERT_THAT(tables, Succeeds());
  EXPECT_GT(tables->size(), 15U);
  for (std::size_t row = 0; row < tables->size(); ++row) {
    const std::string name(tables->Text(row, 0));
    const std::string sql = "SELECT count(*) FROM " + name;
    const auto counted = nobody.Exec({name, sql});
    if (counted) {
      EXPECT_EQ(counted->Int(0, 0), 0) << name;
    } else {
      EXPECT_EQ(counted.error().code(), ErrorCode::kPermissionDenied) << name;
    }
  }
}

TEST_F(DatabaseTest, TheServiceCannotMakeTenantsNorSeeOthersThroughTheirTable) {
  pg::Connection service = OpenService();
  EXPECT_THAT(
      service.Exec({"put", "SELECT * FROM tenant_put('x', gen_random_uuid(), '', 'file:///x')"}),
      FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_THAT(
      service.Exec({"insert", "INSERT INTO tenants (id, name) VALUES (gen_random_uuid(), 'x')"}),
      FailsWith(ErrorCode::kPermissionDenied));
  Ask("SELECT is_new FROM tenant_put('acme', gen_random_uuid(), '', 'file:///x')");
  EXPECT_EQ(service.Exec({"see", "SELECT count(*) FROM tenants"})->Int(0, 0), 1);
}

}  // namespace
}  // namespace pcw
