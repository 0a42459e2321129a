// The account-wide quota and the fenced lease against a real server.
#include <algorithm>
#include <atomic>
#include <thread>

#include <gmock/gmock.h>

#include "fakes/result_matchers.h"
#include "pcw/aws/partner_central_selling.h"
#include "pcw/jobs/lease.h"
#include "pcw/quota/call_ledger.h"
#include "pcw/quota/pg_quota.h"
#include "pg_fixture.h"

namespace pcw {
namespace {

using aws::partner_central_selling::kGetOpportunity;
using jobs::Lease;
using pg::Connection;
using quota::PgQuota;
using std::chrono::milliseconds;

class QuotaTest : public DatabaseTest {
 protected:
  std::unique_ptr<PgQuota> Open(quota::QuotaLimits limits) {
    auto made = PgQuota::Create(
        Connect(), kTenant, {.aws_account_id = "123456789012", .limits = limits}, clock, sleeper);
    PCW_ASSERT(made.has_value());
    return std::move(*made);
  }
  std::string Used() const { return Ask("SELECT coalesce(sum(calls), 0) FROM quota_usage"); }

  SystemClock clock;
  SystemSleeper sleeper;
};

// Times of `calls` grants, in seconds since the first.
std::vector<double> Grants(PgQuota& gate, int calls) {
  std::vector<double> times;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < calls; ++i) {
    EXPECT_THAT(gate.Acquire(kGetOpportunity, {}), Succeeds());
    times.push_back(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return times;
}

TEST_F(QuotaTest, CallsAreSpacedEvenlyAfterABurst) {
  const auto gate = Open({.reads_per_second = 100});

  const std::vector<double> times = Grants(*gate, 40);

  const double steady = (times.back() - times[3]) / 36;
  EXPECT_NEAR(steady, 0.0101, 0.002);
  EXPECT_GT(times[5] - times[0], 0.015) << "no more than three at once";
}

TEST_F(QuotaTest, SlotsGivenBackAreNotLeasedOverThoseOfOthers) {
  pg::Connection connection = OpenService();
  const auto lease = [&] {
    auto rows = connection.Exec({"lease",
                                 "SELECT delay_us, slots_end, clock_timestamp() FROM "
                                 "quota_lease('1', 's', 'read', 5, 1000000, 3, 1000)"});
    PCW_ASSERT(rows.has_value());
    return std::move(*rows);
  };
  const auto give_back = [&](const pg::Rows& leased) {
    EXPECT_THAT(connection.Exec({"return",
                                 "SELECT quota_return('1', 's', 'read', 5, $1::timestamptz, "
                                 "1000000, $2::timestamptz)"},
                                {std::string(leased.Text(0, 2)), std::string(leased.Text(0, 1))}),
                Succeeds());
  };
  const pg::Rows first = lease();
  const pg::Rows second = lease();

  give_back(first);
  const pg::Rows third = lease();
  EXPECT_GT(third.Int(0, 0), 7'000'000) << "behind the second lease, although the first is free";

  give_back(third);
  const pg::Rows fourth = lease();
  EXPECT_NEAR(static_cast<double>(fourth.Int(0, 0)), static_cast<double>(third.Int(0, 0)), 500'000)
      << "the last lease gave its slots back to the schedule";
  EXPECT_EQ(Used(), "10");
  (void)second;
}

TEST_F(QuotaTest, EveryProcessSharesTheSameRate) {
  const auto first = Open({.reads_per_second = 100});
  const auto second = Open({.reads_per_second = 100});
  std::vector<double> a, b;
  {
    std::jthread one([&] { a = Grants(*first, 30); });
    std::jthread two([&] { b = Grants(*second, 30); });
  }

  EXPECT_GT(std::max(a.back(), b.back()), 0.5) << "60 calls at 100 a second";
}

TEST_F(QuotaTest, BulkWorkLeavesTheReserveToOthers) {
  const quota::QuotaLimits limits{
      .reads_per_second = 1000, .reads_per_day = 10, .reserve_percent = 30};
  const auto open = [&](quota::Purpose purpose) {
    auto made = PgQuota::Create(
        Connect(), kTenant,
        {.aws_account_id = "123456789012", .limits = limits, .purpose = purpose}, clock, sleeper);
    PCW_ASSERT(made.has_value());
    return std::move(*made);
  };
  const auto bulk = open(quota::Purpose::kBulk);
  for (int i = 0; i < 7; ++i) ASSERT_THAT(bulk->Acquire(kGetOpportunity, {}), Succeeds());

  EXPECT_THAT(bulk->Acquire(kGetOpportunity, {}), FailsWith(ErrorCode::kThrottled));
  EXPECT_THAT(open(quota::Purpose::kReserved)->Acquire(kGetOpportunity, {}), Succeeds());
}

TEST_F(QuotaTest, CallsAreBookedWithWhoMadeThemAndHowTheyEnded) {
  {
    auto gate = PgQuota::Create(Connect(), kTenant,
                                {.aws_account_id = "123456789012",
                                 .limits = {.reads_per_second = 1000},
                                 .spender = "sync x on h, pid 1"},
                                clock, sleeper);
    const Error denied =
        Error(ErrorCode::kPermissionDenied, "no").With("aws_error", "AccessDenied");
    (*gate)->OnEnded(kGetOpportunity, nullptr);
    (*gate)->OnEnded(kGetOpportunity, &denied);
  }
  Connection service = OpenService();

  const auto spent = *quota::LoadSpentCalls(service, "123456789012", "partnercentral-selling",
                                            std::chrono::minutes(60), {});
  const auto outcomes =
      *quota::LoadOperationOutcomes(service, "123456789012", "partnercentral-selling", {});

  ASSERT_EQ(spent.size(), 1U);
  EXPECT_EQ(spent[0].spender, "sync x on h") << "processes of a task on a host are one spender";
  EXPECT_EQ(spent[0].calls, 2);
  EXPECT_EQ(spent[0].refused, 1);
  ASSERT_EQ(outcomes.size(), 1U);
  EXPECT_EQ(outcomes[0].last_aws_error, "AccessDenied");
  EXPECT_FALSE(outcomes[0].last_ok_at.empty());
}

TEST_F(QuotaTest, ASpentDayIsSaidWithTheTimeItFrees) {
  const auto gate = Open({.reads_per_second = 1000, .reads_per_day = 7});
  for (int i = 0; i < 7; ++i) ASSERT_THAT(gate->Acquire(kGetOpportunity, {}), Succeeds());

  const Status spent = gate->Acquire(kGetOpportunity, {});

  ASSERT_THAT(spent, FailsWith(ErrorCode::kThrottled));
  EXPECT_EQ(spent.error().reason(), Reason::kQuotaSpent);
  EXPECT_FALSE(spent.error().Find("free_at").value_or("").empty());
  EXPECT_EQ(Used(), "7");
}

TEST_F(QuotaTest, CallsOfYesterdayLeaveTheWindowAMinuteLateNeverEarly) {
  const auto gate = Open({.reads_per_second = 1000, .reads_per_day = 10});
  Connection superuser = OpenSuperuser(url);
  ASSERT_THAT(superuser.ExecScript(
                  "old",
                  "INSERT INTO quota_usage VALUES ('123456789012', 'partnercentral-selling', "
                  "'read', date_trunc('minute', now() - interval '23 hours 59 minutes'), 10)"),
              Succeeds());
  EXPECT_THAT(gate->Acquire(kGetOpportunity, {}), FailsWith(ErrorCode::kThrottled));
  ASSERT_THAT(superuser.ExecScript("older",
                                   "UPDATE quota_usage SET bucket = date_trunc('minute', now() - "
                                   "interval '24 hours 2 minutes')"),
              Succeeds());

  EXPECT_THAT(gate->Acquire(kGetOpportunity, {}), Succeeds());
}

TEST_F(QuotaTest, UnusedSlotsAreGivenBack) {
  auto gate = Open({.reads_per_second = 10});
  ASSERT_THAT(gate->Acquire(kGetOpportunity, {}), Succeeds());

  gate.reset();

  EXPECT_EQ(Used(), "1");
}

TEST_F(QuotaTest, AThrottlePausesEveryProcessOfTheAccount) {
  const auto first = Open({.reads_per_second = 1000});
  const auto second = Open({.reads_per_second = 1000});
  ASSERT_THAT(first->Acquire(kGetOpportunity, {}), Succeeds());

  first->OnThrottled(kGetOpportunity, milliseconds(300));
  std::vector<double> own, others;
  {
    std::jthread one([&] { own = Grants(*first, 1); });
    std::jthread two([&] { others = Grants(*second, 1); });
  }

  EXPECT_GT(own[0], 0.25);
  EXPECT_GT(others[0], 0.25);
  EXPECT_NE(Ask("SELECT paused_until FROM quota_state"), "-infinity");
}

TEST_F(QuotaTest, ARateOfZeroLiftsTheLimit) {
  const auto gate = Open({.reads_per_second = 0});

  EXPECT_LT(Grants(*gate, 1000).back(), 0.2);
  EXPECT_EQ(Used(), "0");
}

class LeaseTest : public DatabaseTest {
 protected:
  LeaseTest() {
    Connection superuser = OpenSuperuser(url);
    PCW_ASSERT(superuser
                   .ExecScript("connector",
                               "INSERT INTO connectors (tenant_id, kind, name, status) VALUES "
                               "('00000000-0000-0000-0000-000000000001', 'k', 'x', 'enabled')")
                   .has_value());
    key = {.tenant_id = kTenant,
           .connector_id = std::stoll(Ask("SELECT id FROM connectors")),
           .entity = "opportunities"};
  }
  Result<std::unique_ptr<Lease>> Acquire(const char* run) {
    return Lease::Acquire(Connect(), key, run,
                          {.duration = std::chrono::seconds(30), .wait = milliseconds(0)}, clock,
                          sleeper, {});
  }

  static constexpr const char* kRunOne = "01234567-89ab-7cde-8f01-000000000001";
  static constexpr const char* kRunTwo = "01234567-89ab-7cde-8f01-000000000002";
  jobs::LeaseKey key;
  SystemClock clock;
  SystemSleeper sleeper;
};

TEST_F(LeaseTest, OneHolderAtATimeAndTheOtherIsToldWho) {
  const auto first = Acquire(kRunOne);
  ASSERT_THAT(first, Succeeds());

  const auto second = Acquire(kRunTwo);

  ASSERT_THAT(second, FailsWith(ErrorCode::kConflict));
  EXPECT_EQ(second.error().Find("run_id"), kRunOne);
}

TEST_F(LeaseTest, AReleasedLeaseIsTakenWithAHigherFence) {
  auto first = Acquire(kRunOne);
  const std::int64_t fence = (*first)->fence();
  first->reset();

  const auto second = Acquire(kRunTwo);

  ASSERT_THAT(second, Succeeds());
  EXPECT_GT((*second)->fence(), fence);
}

TEST_F(LeaseTest, AHolderWhoseSessionIsGoneIsReplacedAtOnceAndItsFenceIsWorthless) {
  const auto first = Acquire(kRunOne);
  ASSERT_THAT(first, Succeeds());
  Connection superuser = OpenSuperuser(url);
  ASSERT_THAT(superuser.Exec(
                  {"kill",
                   "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND "
                   "database = (SELECT oid FROM pg_database WHERE datname = current_database())"}),
              Succeeds());

  Result<std::unique_ptr<Lease>> second = Acquire(kRunTwo);
  while (!second) second = Acquire(kRunTwo);  // the server takes a moment to end the session

  Connection service = OpenService();
  auto transaction = pg::Transaction::Begin(service, "test");
  EXPECT_THAT((*first)->CheckFence(service, {}), FailsWith(ErrorCode::kConflict));
  EXPECT_TRUE((*first)->lost().stop_requested());
  EXPECT_THAT((*second)->CheckFence(service, {}), Succeeds());
}

TEST_F(LeaseTest, AnExpiredLeaseIsTakenFromALivingHolder) {
  const auto first = Acquire(kRunOne);
  ASSERT_THAT(first, Succeeds());
  Connection superuser = OpenSuperuser(url);
  ASSERT_THAT(
      superuser.ExecScript("expire", "UPDATE leases SET expires_at = now() - interval '1 second'"),
      Succeeds());

  const auto second = Acquire(kRunTwo);

  ASSERT_THAT(second, Succeeds());
  Connection service = OpenService();
  auto transaction = pg::Transaction::Begin(service, "test");
  EXPECT_THAT((*first)->CheckFence(service, {}), FailsWith(ErrorCode::kConflict));
}

}  // namespace
}  // namespace pcw
