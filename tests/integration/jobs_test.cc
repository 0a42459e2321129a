// The queue: requests, claims, takeovers, cancels, and what becomes of runs, against a real server.
#include <set>
#include <thread>

#include <gmock/gmock.h>

#include "fakes/fake_time.h"
#include "fakes/result_matchers.h"
#include "pcw/base/time.h"
#include "pcw/jobs/job_keeper.h"
#include "pcw/jobs/job_queue.h"
#include "pcw/pg/session.h"
#include "pcw/runs/run_page.h"
#include "pcw/runs/run_request.h"
#include "pcw/runs/run_settle.h"
#include "pg_fixture.h"

namespace pcw {
namespace {

using jobs::Job;
using jobs::Look;
using std::chrono::milliseconds;
using std::chrono::seconds;

class JobsTest : public DatabaseTest {
 protected:
  JobsTest() : connection(OpenService()) {
    Ask("INSERT INTO connectors (tenant_id, kind, name, status) VALUES "
        "('00000000-0000-0000-0000-000000000001', 'partner_central', 'pc', 'enabled') RETURNING "
        "id");
    connector = std::stoll(Ask("SELECT id FROM connectors"));
  }

  Result<runs::RequestedRun> Request(const std::string& entity = "opportunities",
                                     const std::string& trigger = "api") {
    return runs::RequestRun(connection, connector, "AWS",
                            {.entity = entity,
                             .mode = connector::RunMode::kFull,
                             .requested_by = "test",
                             .trigger = trigger},
                            rng, clock, {});
  }
  Job Claim(seconds lease = seconds(30)) {
    auto job = jobs::ClaimJob(connection, "me", {.lease = lease}, Look::kThorough, {});
    PCW_ASSERT(job.has_value() && job->has_value());
    return std::move(**job);
  }
  bool HasClaim() {
    return jobs::ClaimJob(connection, "other", {}, Look::kThorough, {})->has_value();
  }
  std::string RunStatusOf(const std::string& id) const {
    return Ask("SELECT status FROM ingestion_runs WHERE id = '" + id + "'");
  }
  void EndRun(const std::string& id, const std::string& status, const std::string& code = "",
              const std::string& reason = "") {
    connection
        .Exec({"test_end",
               "UPDATE ingestion_runs SET status = $2, ended_at = now(), error_code = nullif($3, "
               "''), stats_json = stats_json || jsonb_build_object('reason', $4::text, "
               "'resumable', true) WHERE tenant_id = pcw_tenant() AND id = $1::uuid"},
              {id, status, code, reason})
        .value();
  }
  Result<runs::JobOutcome> Settle(const Job& job, std::optional<Error> error = std::nullopt) {
    return runs::SettleJob(connection, job, error, rng, {});
  }

  SystemClock clock;
  SystemSleeper sleeper;
  SystemRng rng;
  pg::Connection connection;
  std::int64_t connector = 0;
};

TEST_F(JobsTest, ManyIdenticalRequestsMakeOneRun) {
  constexpr int kThreads = 16;
  std::array<std::set<std::string>, kThreads> ids;
  std::atomic<int> made{0};
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        pg::Connection mine = OpenService();
        for (int again = 0; again < 8; ++again) {
          const auto requested = runs::RequestRun(mine, connector, "AWS",
                                                  {.entity = "opportunities",
                                                   .mode = connector::RunMode::kFull,
                                                   .requested_by = "test",
                                                   .trigger = "api"},
                                                  rng, clock, {});
          ASSERT_THAT(requested, Succeeds());
          ids[i].insert(requested->run.id);
          made += requested->is_new ? 1 : 0;
        }
      });
    }
  }

  EXPECT_EQ(made, 1);
  for (const auto& seen : ids) EXPECT_EQ(seen, ids.front());
  EXPECT_EQ(ids.front().size(), 1U);
  EXPECT_EQ(Ask("SELECT count(*) FROM jobs"), "1");
}

TEST_F(JobsTest, EachJobIsClaimedOnceHoweverManyClaim) {
  std::set<std::string> wanted;
  for (const char* entity : {"a", "b", "c", "d", "e", "f", "g", "h"})
    wanted.insert(Request(entity)->run.id);

  std::mutex mutex;
  std::multiset<std::string> claimed;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        pg::Connection mine = OpenService();
        for (;;) {
          auto job = jobs::ClaimJob(mine, "w", {}, Look::kQuick, {});
          ASSERT_THAT(job, Succeeds());
          if (!*job) return;
          const std::lock_guard lock(mutex);
          claimed.insert((*job)->run_id);
        }
      });
    }
  }

  EXPECT_EQ(claimed, std::multiset<std::string>(wanted.begin(), wanted.end()));
}

TEST_F(JobsTest, WhatAPersonAskedForGoesFirst) {
  ASSERT_THAT(Request("solutions", "schedule"), Succeeds());
  ASSERT_THAT(Request("leads", "api"), Succeeds());

  EXPECT_EQ(Claim().entity, "leads");
  EXPECT_EQ(Claim().entity, "solutions");
  EXPECT_FALSE(HasClaim());
}

TEST_F(JobsTest, AJobOfASilentHolderIsTakenOverAndTheOldHolderLearnsOfIt) {
  ASSERT_THAT(Request(), Succeeds());
  const Job first = Claim(seconds(0));

  const Job second = Claim();

  EXPECT_EQ(second.id, first.id);
  EXPECT_TRUE(second.is_takeover);
  EXPECT_GT(second.claim, first.claim);
  EXPECT_FALSE(jobs::BeatJob(connection, first, 1, {}, {})->is_ours);
  EXPECT_TRUE(jobs::BeatJob(connection, second, 1, {}, {})->is_ours);
  EXPECT_THAT(Settle(first), FailsWith(ErrorCode::kConflict));
}

TEST_F(JobsTest, ATakenOverRunGetsASuccessorThatNamesIt) {
  const std::string run = Request()->run.id;
  Job first = Claim(seconds(0));
  ASSERT_EQ(runs::PrepareJob(connection, first, rng, {}).value(), run);
  Ask("UPDATE ingestion_runs SET status = 'running', fence = 1 RETURNING 1");
  Job second = Claim();

  const auto ready = runs::PrepareJob(connection, second, rng, {});

  ASSERT_TRUE(ready.has_value() && ready->has_value());
  EXPECT_NE(**ready, run);
  EXPECT_EQ(Ask("SELECT resumed_from FROM ingestion_runs WHERE id = '" + **ready + "'"), run);
  EXPECT_EQ(RunStatusOf(**ready), "queued");
  // The successor's start ends the old one, under its fence; it does not end what waits.
  ASSERT_THAT(runs::AbandonOlderRuns(connection, connector, "opportunities", 2, {}), Succeeds());
  EXPECT_EQ(RunStatusOf(run), "failed");
  EXPECT_EQ(RunStatusOf(**ready), "queued");
}

TEST_F(JobsTest, AJobThatKillsItsWorkersIsGivenUp) {
  const std::string run = Request()->run.id;
  std::string last = run;
  for (int i = 0; i < runs::kMostAttempts; ++i) {
    Job job = Claim(seconds(0));
    const auto ready = runs::PrepareJob(connection, job, rng, {});
    ASSERT_TRUE(ready.has_value() && ready->has_value()) << i;
    last = **ready;
    Ask("UPDATE ingestion_runs SET status = 'running' WHERE id = '" + last + "' RETURNING 1");
  }
  Job job = Claim(seconds(0));

  EXPECT_EQ(runs::PrepareJob(connection, job, rng, {}).value(), std::nullopt);

  EXPECT_EQ(RunStatusOf(last), "failed");
  EXPECT_EQ(Ask("SELECT state FROM jobs"), "failed");
}

TEST_F(JobsTest, AJobEndsAsItsRunDid) {
  for (const char* status : {"succeeded", "partial"}) {
    const std::string run = Request()->run.id;
    const Job job = Claim();
    EndRun(run, status);
    EXPECT_EQ(*Settle(job), runs::JobOutcome::kEnded);
    EXPECT_EQ(Ask("SELECT state FROM jobs WHERE run_id = '" + run + "'"), "done");
  }
  const std::string run = Request()->run.id;
  const Job job = Claim();
  EndRun(run, "failed", "permission_denied");
  EXPECT_EQ(*Settle(job), runs::JobOutcome::kEnded);
  EXPECT_EQ(Ask("SELECT state || error_code FROM jobs WHERE run_id = '" + run + "'"),
            "failedpermission_denied");
  EXPECT_TRUE(Request()->is_new) << "an ended job stands in nobody's way";
}

TEST_F(JobsTest, WhoAsksBetweenTheEndOfARunAndOfItsJobGetsANewRun) {
  const std::string run = Request()->run.id;
  const Job job = Claim();
  EndRun(run, "succeeded");

  const auto next = Request();

  ASSERT_THAT(next, Succeeds());
  EXPECT_TRUE(next->is_new);
  EXPECT_EQ(Ask("SELECT state FROM jobs WHERE run_id = '" + run + "'"), "done");
  EXPECT_THAT(Settle(job), FailsWith(ErrorCode::kConflict)) << "the worker learns of it";
  EXPECT_EQ(Claim().run_id, next->run.id);
}

TEST_F(JobsTest, ADrainedRunGoesOnAtOnceAndIsNoFailedAttempt) {
  const std::string run = Request()->run.id;
  const Job job = Claim();
  EndRun(run, "failed", "cancelled", "drained");

  EXPECT_EQ(*Settle(job), runs::JobOutcome::kPutBack);

  const Job next = Claim();
  EXPECT_EQ(next.attempts, 1);
  EXPECT_EQ(Ask("SELECT resumed_from FROM ingestion_runs WHERE id = '" + next.run_id + "'"), run);
}

TEST_F(JobsTest, ARunWhoseEndWasNotStoredIsEndedWhenItsJobGoesBack) {
  const std::string run = Request()->run.id;
  const Job job = Claim();
  Ask("UPDATE ingestion_runs SET status = 'running', fence = 1 RETURNING 1");

  EXPECT_EQ(*Settle(job, Error(ErrorCode::kCancelled, "stopped during a statement")),
            runs::JobOutcome::kPutBack);

  EXPECT_EQ(Ask("SELECT status || ' ' || error_code FROM ingestion_runs WHERE id = '" + run + "'"),
            "failed cancelled");
  const Job next = Claim();
  EXPECT_EQ(next.attempts, 1);
  EXPECT_EQ(RunStatusOf(next.run_id), "queued");
  EXPECT_EQ(Ask("SELECT resumed_from FROM ingestion_runs WHERE id = '" + next.run_id + "'"), run);
}

TEST_F(JobsTest, AJobWhoseRunCannotBeEndedIsEndedAlone) {
  const auto requested = Request();
  Job job = Claim();
  ASSERT_THAT(runs::PrepareJob(connection, job, rng, {}), Succeeds());
  OpenSuperuser(url)
      .ExecScript("refuse",
                  "CREATE FUNCTION refuse_end() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE "
                  "'invalid byte sequence' USING ERRCODE = '22021'; END $$; CREATE TRIGGER "
                  "refuse_end BEFORE UPDATE ON ingestion_runs FOR EACH ROW WHEN (NEW.ended_at IS "
                  "NOT NULL) EXECUTE FUNCTION refuse_end()")
      .value();
  const auto settled = Settle(job, Error(ErrorCode::kInternal, "what AWS said"));
  ASSERT_THAT(settled, FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_FALSE(runs::MayStoreLater(settled.error())) << "it is not to be said again";

  ASSERT_THAT(runs::AbandonJob(connection, job, {}), Succeeds());

  EXPECT_EQ(Ask("SELECT state || ' ' || error_code FROM jobs"), "failed internal");
  EXPECT_FALSE(HasClaim());
  EXPECT_THAT(runs::AbandonJob(connection, job, {}), FailsWith(ErrorCode::kConflict));
}

TEST_F(JobsTest, ASpentQuotaIsWaitedForUntilItFrees) {
  const std::string run = Request()->run.id;
  const Job job = Claim();
  EndRun(run, "failed", "throttled", "quota_spent");
  const Error spent = Error(ErrorCode::kThrottled, "spent")
                          .With("free_at", FormatRfc3339(clock.Now() + std::chrono::hours(3)));

  EXPECT_EQ(*Settle(job, spent), runs::JobOutcome::kPutBack);

  EXPECT_FALSE(HasClaim());
  EXPECT_EQ(Ask("SELECT not_before BETWEEN now() + interval '3 h 9 m' AND now() + interval '3 h 11 "
                "m' FROM jobs"),
            "t");
}

TEST_F(JobsTest, AnEntityThatAnotherProcessSyncsIsTriedAgainSoon) {
  const std::string run = Request()->run.id;
  const Job job = Claim();

  EXPECT_EQ(*Settle(job, Error(ErrorCode::kConflict, "held")), runs::JobOutcome::kPutBack);

  EXPECT_EQ(RunStatusOf(run), "queued") << "it never began: the same run waits on";
  const auto next = jobs::NextClaimIn(connection, {});
  ASSERT_TRUE(next.has_value() && next->has_value());
  EXPECT_LE(**next, seconds(1));
}

TEST_F(JobsTest, AQueuedRunIsCancelledAtOnceARunningOneByItsWorker) {
  const std::string queued = Request("leads")->run.id;
  ASSERT_THAT(runs::RequestCancel(connection, queued, {}), Succeeds());
  EXPECT_EQ(RunStatusOf(queued), "cancelled");
  EXPECT_FALSE(HasClaim());
  EXPECT_THAT(runs::RequestCancel(connection, queued, {}), FailsWith(ErrorCode::kConflict));

  const std::string run = Request()->run.id;
  const Job job = Claim();
  jobs::JobKeeper keeper([this](std::stop_token) { return Result<pg::Connection>(OpenService()); },
                         job, {.lease = milliseconds(90)}, sleeper, {});
  ASSERT_THAT(runs::RequestCancel(connection, run, {}), Succeeds());
  ASSERT_THAT(runs::RequestCancel(connection, run, {}), Succeeds());
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  changed.wait_for(lock, keeper.stop(), seconds(10), [] { return false; });
  EXPECT_EQ(keeper.cause(), jobs::StopCause::kCancelled);
  EXPECT_EQ(*Settle(job, Error(ErrorCode::kCancelled, "stopped")), runs::JobOutcome::kEnded);
  EXPECT_EQ(RunStatusOf(run), "cancelled");
}

TEST_F(JobsTest, AStalledRunIsShownAsThat) {
  const std::string run = Request()->run.id;
  const Job job = Claim();
  Ask("UPDATE ingestion_runs SET status = 'running' RETURNING 1");
  Ask("INSERT INTO leases (tenant_id, connector_id, entity, fence, run_id, holder, acquired_at, "
      "expires_at) SELECT tenant_id, connector_id, entity, 1, id, 'me', now(), now() + interval '1 "
      "h' FROM ingestion_runs RETURNING 1");
  EXPECT_EQ(runs::LoadRun(connection, run, {})->status, "running");

  // A beat with the holder's own patience decides: a service.stall_after of no time is over at
  // once.
  const jobs::ClaimTerms impatient{.lease = seconds(30), .stall_after = milliseconds(0)};
  ASSERT_TRUE(jobs::BeatJob(connection, job, 0, impatient, {})->is_ours);
  EXPECT_EQ(runs::LoadRun(connection, run, {})->status, "stalled");
  EXPECT_EQ(runs::ListRunPage(connection, {.entity = "", .status = "stalled", .before_id = ""}, {})
                ->size(),
            1U);

  // Progress ends it.
  ASSERT_TRUE(jobs::BeatJob(connection, job, 1, {}, {})->is_ours);
  EXPECT_EQ(runs::LoadRun(connection, run, {})->status, "running");
}

TEST_F(JobsTest, AQuickLookFindsWhatIsDueAndNoMore) {
  const auto look = [this](Look how, seconds lease = seconds(30)) {
    return jobs::ClaimJob(connection, "me", {.lease = lease}, how, {}).value();
  };
  EXPECT_FALSE(look(Look::kThorough)) << "sets the low-water mark";
  ASSERT_THAT(Request("leads"), Succeeds());
  ASSERT_TRUE(look(Look::kQuick, seconds(0)));
  EXPECT_FALSE(look(Look::kQuick)) << "a takeover is a thorough look's";
  EXPECT_TRUE(look(Look::kThorough));

  // Committed long after the time it was due at, below the mark: late, and not lost.
  ASSERT_THAT(Request("solutions"), Succeeds());
  Ask("UPDATE jobs SET not_before = now() - interval '1 hour' WHERE entity = 'solutions' RETURNING "
      "1");
  EXPECT_FALSE(look(Look::kQuick));
  const auto late = look(Look::kThorough);
  ASSERT_TRUE(late);
  EXPECT_EQ(late->entity, "solutions");
  // What waits from before keeps the mark down.
  ASSERT_THAT(Request("profiles"), Succeeds());
  ASSERT_THAT(Request("opportunities"), Succeeds());
  Ask("UPDATE jobs SET not_before = now() - interval '1 hour' WHERE state = 'queued' RETURNING 1");
  EXPECT_TRUE(look(Look::kThorough));
  EXPECT_TRUE(look(Look::kQuick));
}

TEST_F(JobsTest, AClaimReadsLittleWhileAnOldSnapshotIsHeld) {
  pg::Connection report = OpenSuperuser(url);
  ASSERT_THAT(report.ExecScript("hold", "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1", {}),
              Succeeds());
  // Jobs that came and went an hour ago, each version of which the snapshot keeps.
  Ask("INSERT INTO ingestion_runs (tenant_id, id, connector_id, entity, mode, status, catalog, "
      "fence) SELECT '00000000-0000-0000-0000-000000000001', gen_random_uuid(), id, 'e', 'full', "
      "'queued', 'AWS', 0 FROM connectors RETURNING 1");
  Ask("WITH made AS (INSERT INTO jobs (tenant_id, id, kind, connector_id, entity, mode, run_id, "
      "trigger, not_before) SELECT r.tenant_id, gen_random_uuid(), 'sync', r.connector_id, 'e' || "
      "n, 'full', r.id, 'cli', now() - interval '1 hour' FROM ingestion_runs r, generate_series(1, "
      "4000) n RETURNING 1) SELECT count(*) FROM made");
  for (const char* state :
       {"'running', holder = 'x', lease_expires_at = now(), heartbeat_at = now() - interval '1 h'",
        "'done', holder = NULL, lease_expires_at = NULL, ended_at = now()"})
    Ask(std::string("WITH moved AS (UPDATE jobs SET state = ") + state +
        " RETURNING 1) SELECT count(*) FROM moved");
  // One session, so that what it learns of tables and functions is counted once and not each time.
  pg::Connection worker = OpenSuperuser(url);
  const auto pages_of = [&worker](const std::string& is_thorough) {
    const auto plan =
        worker.Exec({is_thorough == "true" ? "explain_thorough" : "explain_quick",
                     "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT * FROM jobs_claim('x', "
                     "interval '30 s', interval '10 min', " +
                         is_thorough + ")"});
    EXPECT_THAT(plan, Succeeds());
    const std::string text(plan->Text(0, 0));
    return std::stoll(text.substr(text.find("\"Shared Hit Blocks\": ") + 21));
  };
  pages_of("true");  // sets the mark, and fills caches
  pages_of("false");

  const auto thorough = pages_of("true"), quick = pages_of("false");

  EXPECT_GT(thorough, 300) << "all that the snapshot keeps";
  EXPECT_LT(quick, 100);
}

TEST(ClaimPaceTest, OneLookInTwoSecondsIsThorough) {
  FakeClock clock;
  jobs::ClaimPace pace(clock);
  EXPECT_EQ(pace.Next(), Look::kThorough);
  EXPECT_EQ(pace.Next(), Look::kQuick);
  EXPECT_EQ(pace.UntilThorough(), milliseconds(2'000));
  clock.Advance(milliseconds(1'999));
  EXPECT_EQ(pace.Next(), Look::kQuick);
  clock.Advance(milliseconds(1));
  EXPECT_EQ(pace.UntilThorough(), milliseconds(0));
  EXPECT_EQ(pace.Next(), Look::kThorough);
}

TEST_F(JobsTest, JobsOfOtherTenantsAreClaimedButNotSeen) {
  Ask("INSERT INTO tenants (id, name) VALUES ('00000000-0000-0000-0000-000000000002', 'b') "
      "RETURNING 1");
  pg::Connection other = OpenService("00000000-0000-0000-0000-000000000002");
  Ask("INSERT INTO connectors (tenant_id, kind, name, status) VALUES "
      "('00000000-0000-0000-0000-000000000002', 'partner_central', 'pc', 'enabled') RETURNING id");
  const std::int64_t theirs = std::stoll(Ask("SELECT max(id) FROM connectors"));
  const auto requested = runs::RequestRun(other, theirs, "AWS",
                                          {.entity = "opportunities",
                                           .mode = connector::RunMode::kFull,
                                           .requested_by = "b",
                                           .trigger = "api"},
                                          rng, clock, {});
  ASSERT_THAT(requested, Succeeds());

  const Job job = Claim();

  EXPECT_EQ(job.tenant_id, "00000000-0000-0000-0000-000000000002");
  const auto seen = connection.Exec({"count", "SELECT count(*) FROM jobs"});
  EXPECT_EQ(seen->Int(0, 0), 0);
  EXPECT_FALSE(jobs::BeatJob(connection, job, 1, {}, {})->is_ours);
  EXPECT_TRUE(jobs::BeatJob(other, job, 1, {}, {})->is_ours);
  EXPECT_THAT(runs::RequestCancel(connection, job.run_id, {}), FailsWith(ErrorCode::kNotFound));
}

}  // namespace
}  // namespace pcw
