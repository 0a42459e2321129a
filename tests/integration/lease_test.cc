// The lease of an entity against a real server: who comes at the same moment, and who is taken
// over.
#include "pcw/jobs/lease.h"

#include <gmock/gmock.h>

#include "fakes/result_matchers.h"
#include "pcw/base/clock.h"
#include "pg_fixture.h"

namespace pcw {
namespace {

using std::chrono::milliseconds;

class LeaseRaceTest : public DatabaseTest {
 protected:
  LeaseRaceTest() {
    key = {.tenant_id = kTenant,
           .connector_id = std::stoll(
               Ask("INSERT INTO connectors (tenant_id, kind, name, status) VALUES "
                   "('00000000-0000-0000-0000-000000000001', 'partner_central', 'pc', 'enabled') "
                   "RETURNING id")),
           .entity = "opportunities"};
  }

  Result<std::unique_ptr<jobs::Lease>> Acquire(const std::string& run_id) {
    return jobs::Lease::Acquire(Connect(), key, run_id, {.wait = milliseconds(0)}, clock, sleeper,
                                {});
  }
  // Another process that has the advisory lock, and is not at the row yet.
  pg::Connection OpenOtherWithHint() {
    pg::Connection other = OpenSuperuser(url);
    other
        .Exec({"hint",
               "SELECT pg_advisory_lock(hashtextextended('pcw lease ' || $1 || '/' || $2 || '/' || "
               "$3, 0))"},
              {key.tenant_id, std::to_string(key.connector_id), key.entity})
        .value();
    return other;
  }

  static constexpr const char* kFirst = "01234567-89ab-7cde-8f01-000000000001";
  static constexpr const char* kSecond = "01234567-89ab-7cde-8f01-000000000002";
  jobs::LeaseKey key;
  SystemClock clock;
  SystemSleeper sleeper;
};

TEST_F(LeaseRaceTest, OfTwoThatRaceOnAnEmptyTableTheFirstKeepsTheLeaseAndTheOtherIsTold) {
  auto other = std::make_unique<pg::Connection>(OpenOtherWithHint());
  auto first = Acquire(kFirst);
  ASSERT_THAT(first, Succeeds());
  // Now the other one goes to the row, with the lock that it got before.
  other.reset();

  const auto second = Acquire(kSecond);

  EXPECT_THAT(second, FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(second.error().message(), ::testing::HasSubstr("already"));
  EXPECT_EQ(second.error().Find("run_id"), kFirst);
  pg::Connection service = OpenService();
  EXPECT_THAT((*first)->CheckFence(service, {}), Succeeds());
}

TEST_F(LeaseRaceTest, AHolderWhoseSessionHasEndedIsTakenOverAtOnce) {
  auto first = Acquire(kFirst);
  ASSERT_THAT(first, Succeeds());
  Ask("SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory' AND "
      "database = (SELECT oid FROM pg_database WHERE datname = current_database())");

  // The server frees the lock when the session has ended, a moment after it was told to.
  Result<std::unique_ptr<jobs::Lease>> second = Acquire(kSecond);
  while (!second && second.error().code() == ErrorCode::kConflict) second = Acquire(kSecond);

  ASSERT_THAT(second, Succeeds());
  pg::Connection service = OpenService();
  EXPECT_THAT((*first)->CheckFence(service, {}), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT((*second)->CheckFence(service, {}), Succeeds());
}

TEST_F(LeaseRaceTest, AReleasedLeaseIsTakenAlthoughSomebodyKeepsTheLock) {
  const pg::Connection sleeper_with_lock = OpenOtherWithHint();
  ASSERT_THAT(Acquire(kFirst), Succeeds());

  EXPECT_THAT(Acquire(kSecond), Succeeds());
}

}  // namespace
}  // namespace pcw
