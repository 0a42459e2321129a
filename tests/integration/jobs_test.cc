// The queue: requests, claims, takeovers, cancels, and what becomes of runs, against a real server.
#include <set>
#include <thread>

#include <gmock/gmock.h>

#include "fakes/result_matchers.h"
#include "pcw/base/time.h"
#include "pcw/jobs/job_keeper.h"
#include "pcw/jobs/job_queue.h"
#include "pcw/pg/session.h"
#include "pcw/sync/run_request.h"
#include "pcw/sync/run_settle.h"
#include "pg_fixture.h"

namespace pcw {
namespace {

using jobs::Job;
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

  Result<sync::RequestedRun> Request(const std::string& entity = "opportunities",
                                     const std::string& trigger = "api") {
    return sync::RequestRun(connection, connector, "AWS",
                            {.entity = entity,
                             .mode = sync::RunMode::kFull,
                             .requested_by = "test",
                             .trigger = trigger},
                            rng, clock, {});
  }
  Job Claim(seconds lease = seconds(30)) {
    auto job = jobs::ClaimJob(connection, "me", lease, {});
    PCW_ASSERT(job.has_value() && job->has_value());
    return std::move(**job);
  }
  bool HasClaim() { return jobs::ClaimJob(connection, "other", seconds(30), {})->has_value(); }
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
  Result<sync::JobOutcome> Settle(const Job& job, std::optional<Error> error = std::nullopt) {
    return sync::SettleJob(connection, job, error, rng, clock, {});
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
          const auto requested = sync::RequestRun(mine, connector, "AWS",
                                                  {.entity = "opportunities",
                                                   .mode = sync::RunMode::kFull,
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
          auto job = jobs::ClaimJob(mine, "w", seconds(30), {});
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
  EXPECT_FALSE(jobs::BeatJob(connection, first, 1, seconds(30), {})->is_ours);
  EXPECT_TRUE(jobs::BeatJob(connection, second, 1, seconds(30), {})->is_ours);
  EXPECT_THAT(Settle(first), FailsWith(ErrorCode::kConflict));
}

TEST_F(JobsTest, ATakenOverRunGetsASuccessorThatNamesIt) {
  const std::string run = Request()->run.id;
  Job first = Claim(seconds(0));
  ASSERT_EQ(sync::PrepareJob(connection, first, rng, clock, {}).value(), run);
  Ask("UPDATE ingestion_runs SET status = 'running', fence = 1 RETURNING 1");
  Job second = Claim();

  const auto ready = sync::PrepareJob(connection, second, rng, clock, {});

  ASSERT_TRUE(ready.has_value() && ready->has_value());
  EXPECT_NE(**ready, run);
  EXPECT_EQ(Ask("SELECT resumed_from FROM ingestion_runs WHERE id = '" + **ready + "'"), run);
  EXPECT_EQ(RunStatusOf(**ready), "queued");
  // The successor's start ends the old one, under its fence; it does not end what waits.
  ASSERT_THAT(sync::AbandonOlderRuns(connection, connector, "opportunities", 2, {}), Succeeds());
  EXPECT_EQ(RunStatusOf(run), "failed");
  EXPECT_EQ(RunStatusOf(**ready), "queued");
}

TEST_F(JobsTest, AJobThatKillsItsWorkersIsGivenUp) {
  const std::string run = Request()->run.id;
  std::string last = run;
  for (int i = 0; i < sync::kMostAttempts; ++i) {
    Job job = Claim(seconds(0));
    const auto ready = sync::PrepareJob(connection, job, rng, clock, {});
    ASSERT_TRUE(ready.has_value() && ready->has_value()) << i;
    last = **ready;
    Ask("UPDATE ingestion_runs SET status = 'running' WHERE id = '" + last + "' RETURNING 1");
  }
  Job job = Claim(seconds(0));

  EXPECT_EQ(sync::PrepareJob(connection, job, rng, clock, {}).value(), std::nullopt);

  EXPECT_EQ(RunStatusOf(last), "failed");
  EXPECT_EQ(Ask("SELECT state FROM jobs"), "failed");
}

TEST_F(JobsTest, AJobEndsAsItsRunDid) {
  for (const char* status : {"succeeded", "partial"}) {
    const std::string run = Request()->run.id;
    const Job job = Claim();
    EndRun(run, status);
    EXPECT_EQ(*Settle(job), sync::JobOutcome::kEnded);
    EXPECT_EQ(Ask("SELECT state FROM jobs WHERE run_id = '" + run + "'"), "done");
  }
  const std::string run = Request()->run.id;
  const Job job = Claim();
  EndRun(run, "failed", "permission_denied");
  EXPECT_EQ(*Settle(job), sync::JobOutcome::kEnded);
  EXPECT_EQ(Ask("SELECT state || error_code FROM jobs WHERE run_id = '" + run + "'"),
            "failedpermission_denied");
  EXPECT_TRUE(Request()->is_new) << "an ended job stands in nobody's way";
}

TEST_F(JobsTest, ADrainedRunGoesOnAtOnceAndIsNoFailedAttempt) {
  const std::string run = Request()->run.id;
  const Job job = Claim();
  EndRun(run, "failed", "cancelled", "drained");

  EXPECT_EQ(*Settle(job), sync::JobOutcome::kPutBack);

  const Job next = Claim();
  EXPECT_EQ(next.attempts, 1);
  EXPECT_EQ(Ask("SELECT resumed_from FROM ingestion_runs WHERE id = '" + next.run_id + "'"), run);
}

TEST_F(JobsTest, ASpentQuotaIsWaitedForUntilItFrees) {
  const std::string run = Request()->run.id;
  const Job job = Claim();
  EndRun(run, "failed", "throttled", "quota_spent");
  const Error spent = Error(ErrorCode::kThrottled, "spent")
                          .With("free_at", FormatRfc3339(clock.Now() + std::chrono::hours(3)));

  EXPECT_EQ(*Settle(job, spent), sync::JobOutcome::kPutBack);

  EXPECT_FALSE(HasClaim());
  EXPECT_EQ(Ask("SELECT not_before BETWEEN now() + interval '3 h 9 m' AND now() + interval '3 h 11 "
                "m' FROM jobs"),
            "t");
}

TEST_F(JobsTest, AnEntityThatAnotherProcessSyncsIsTriedAgainSoon) {
  const std::string run = Request()->run.id;
  const Job job = Claim();

  EXPECT_EQ(*Settle(job, Error(ErrorCode::kConflict, "held")), sync::JobOutcome::kPutBack);

  EXPECT_EQ(RunStatusOf(run), "queued") << "it never began: the same run waits on";
  const auto next = jobs::NextClaimIn(connection, {});
  ASSERT_TRUE(next.has_value() && next->has_value());
  EXPECT_LE(**next, seconds(1));
}

TEST_F(JobsTest, AQueuedRunIsCancelledAtOnceARunningOneByItsWorker) {
  const std::string queued = Request("leads")->run.id;
  ASSERT_THAT(sync::RequestCancel(connection, queued, {}), Succeeds());
  EXPECT_EQ(RunStatusOf(queued), "cancelled");
  EXPECT_FALSE(HasClaim());
  EXPECT_THAT(sync::RequestCancel(connection, queued, {}), FailsWith(ErrorCode::kConflict));

  const std::string run = Request()->run.id;
  const Job job = Claim();
  jobs::JobKeeper keeper([this](std::stop_token) { return Result<pg::Connection>(OpenService()); },
                         job, {.lease = milliseconds(90)}, sleeper, {});
  ASSERT_THAT(sync::RequestCancel(connection, run, {}), Succeeds());
  ASSERT_THAT(sync::RequestCancel(connection, run, {}), Succeeds());
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  changed.wait_for(lock, keeper.stop(), seconds(10), [] { return false; });
  EXPECT_EQ(keeper.cause(), jobs::StopCause::kCancelled);
  EXPECT_EQ(*Settle(job, Error(ErrorCode::kCancelled, "stopped")), sync::JobOutcome::kEnded);
  EXPECT_EQ(RunStatusOf(run), "cancelled");
}

TEST_F(JobsTest, AStalledRunIsShownAsThat) {
  const std::string run = Request()->run.id;
  Claim();
  Ask("UPDATE ingestion_runs SET status = 'running' RETURNING 1");
  Ask("INSERT INTO leases (tenant_id, connector_id, entity, fence, run_id, holder, acquired_at, "
      "expires_at) SELECT tenant_id, connector_id, entity, 1, id, 'me', now(), now() + interval '1 "
      "h' FROM ingestion_runs RETURNING 1");
  EXPECT_EQ(sync::LoadRun(connection, run, {})->status, "running");

  Ask("UPDATE jobs SET progress_at = now() - interval '11 minutes' RETURNING 1");

  EXPECT_EQ(sync::LoadRun(connection, run, {})->status, "stalled");
}

TEST_F(JobsTest, JobsOfOtherTenantsAreClaimedButNotSeen) {
  Ask("INSERT INTO tenants (id, name) VALUES ('00000000-0000-0000-0000-000000000002', 'b') "
      "RETURNING 1");
  pg::Connection other = OpenService("00000000-0000-0000-0000-000000000002");
  Ask("INSERT INTO connectors (tenant_id, kind, name, status) VALUES "
      "('00000000-0000-0000-0000-000000000002', 'partner_central', 'pc', 'enabled') RETURNING id");
  const std::int64_t theirs = std::stoll(Ask("SELECT max(id) FROM connectors"));
  const auto requested = sync::RequestRun(other, theirs, "AWS",
                                          {.entity = "opportunities",
                                           .mode = sync::RunMode::kFull,
                                           .requested_by = "b",
                                           .trigger = "api"},
                                          rng, clock, {});
  ASSERT_THAT(requested, Succeeds());

  const Job job = Claim();

  EXPECT_EQ(job.tenant_id, "00000000-0000-0000-0000-000000000002");
  const auto seen = connection.Exec({"count", "SELECT count(*) FROM jobs"});
  EXPECT_EQ(seen->Int(0, 0), 0);
  EXPECT_FALSE(jobs::BeatJob(connection, job, 1, seconds(30), {})->is_ours);
  EXPECT_TRUE(jobs::BeatJob(other, job, 1, seconds(30), {})->is_ours);
  EXPECT_THAT(sync::RequestCancel(connection, job.run_id, {}), FailsWith(ErrorCode::kNotFound));
}

}  // namespace
}  // namespace pcw
