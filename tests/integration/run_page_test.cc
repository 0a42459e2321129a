// Pages of runs: what each filter finds, and what they cost the server.
#include "pcw/runs/run_page.h"

#include <gmock/gmock.h>

#include "fakes/result_matchers.h"
#include "pg_fixture.h"

namespace pcw {
namespace {

using runs::RunPageRequest;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RunPageTest : public DatabaseTest {
 protected:
  RunPageTest() : connection(OpenService()) {
    Ask("INSERT INTO connectors (tenant_id, kind, name, status) VALUES "
        "('00000000-0000-0000-0000-000000000001', 'partner_central', 'pc', 'enabled') RETURNING "
        "id");
  }

  // Its id ends in `number`.
  static std::string IdOf(int number) {
    return "01a2b3c4-0000-7000-8000-0000000000" + std::to_string(number);
  }
  void Put(int number, const std::string& entity, const std::string& status,
           const std::string& mode = "full") const {
    const bool is_open = status == "running" || status == "queued";
    Ask("INSERT INTO ingestion_runs (tenant_id, id, connector_id, entity, mode, status, catalog, "
        "ended_at, fence) SELECT tenant_id, '" +
        IdOf(number) + "', id, '" + entity + "', '" + mode + "', '" + status + "', 'AWS', " +
        (is_open ? "NULL" : "now()") + ", 0 FROM connectors RETURNING 1");
  }
  void Lease(int number, const std::string& entity) const {
    Ask("INSERT INTO leases (tenant_id, connector_id, entity, holder, fence, acquired_at, "
        "expires_at, run_id) "
        "SELECT tenant_id, id, '" +
        entity + "', 'me', 1, now(), now() + interval '1 hour', '" + IdOf(number) +
        "' FROM connectors RETURNING 1");
  }
  std::vector<std::string> Page(const RunPageRequest& request) {
    const auto runs = runs::ListRunPage(connection, request, {});
    EXPECT_THAT(runs, Succeeds());
    std::vector<std::string> found;
    for (const runs::StoredRun& run : *runs) found.push_back(run.id.substr(34) + " " + run.status);
    return found;
  }

  pg::Connection connection;
};

TEST_F(RunPageTest, FiltersFindWhatTheySay) {
  Put(10, "leads", "succeeded");
  Put(11, "leads", "failed", "reingest");
  Put(12, "leads", "running");
  Put(13, "profiles", "running");
  Put(14, "profiles", "queued");
  Lease(12, "leads");

  EXPECT_THAT(Page({}),
              ElementsAre("14 queued", "13 stalled", "12 running", "11 failed", "10 succeeded"));
  EXPECT_THAT(Page({.limit = 2}), ElementsAre("14 queued", "13 stalled"));
  EXPECT_THAT(Page({.before_id = IdOf(12)}), ElementsAre("11 failed", "10 succeeded"));
  EXPECT_THAT(Page({.entity = "leads"}), ElementsAre("12 running", "11 failed", "10 succeeded"));
  EXPECT_THAT(Page({.status = "running"}), ElementsAre("12 running"));
  EXPECT_THAT(Page({.status = "stalled"}), ElementsAre("13 stalled"));
  EXPECT_THAT(Page({.status = "queued"}), ElementsAre("14 queued"));
  EXPECT_THAT(Page({.entity = "leads", .status = "failed", .before_id = IdOf(12)}),
              ElementsAre("11 failed"));
  EXPECT_THAT(Page({.entity = "leads", .status = "stalled"}), IsEmpty());
  EXPECT_THAT(Page({.entity = "leads", .limit = 1, .is_of_scans = true}),
              ElementsAre("12 running"));
  EXPECT_THAT(Page({.entity = "' OR ''='"}), IsEmpty());
}

TEST_F(RunPageTest, ARunIsFoundByItsIdAlone) {
  Put(10, "leads", "succeeded");
  EXPECT_EQ((*runs::FindRun(connection, IdOf(10), {}))->entity, "leads");
  EXPECT_FALSE(runs::FindRun(connection, IdOf(11), {})->has_value());
  EXPECT_THAT(runs::LoadRun(connection, IdOf(10), {}), Succeeds());
  EXPECT_THAT(runs::LoadRun(connection, IdOf(11), {}), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(runs::LoadRun(connection, "01a2b3c4", {}), Succeeds());
}

// Planning costs several times what the execution does. The server plans a prepared statement anew
// five times and then keeps a plan, unless it expects to gain by planning.
TEST_F(RunPageTest, ThePlansAreKept) {
  // As the sessions of the REST interface have it.
  ASSERT_THAT(
      connection.Exec({"test_mode", "SELECT set_config('plan_cache_mode', 'auto', false)"}, {}),
      Succeeds());
  Put(10, "leads", "succeeded");
  Ask("INSERT INTO ingestion_runs (tenant_id, id, connector_id, entity, mode, status, catalog, "
      "ended_at, fence) SELECT tenant_id, gen_random_uuid(), id, 'leads', 'full', 'succeeded', "
      "'AWS', now(), 0 FROM connectors, generate_series(1, 3000) LIMIT 3000 RETURNING 1");
  const RunPageRequest requests[] = {
      {},
      {.entity = "leads"},
      {.before_id = IdOf(10)},
      {.status = "failed"},
      {.status = "stalled"},
      {.entity = "leads", .status = "failed", .before_id = IdOf(10)}};
  for (const RunPageRequest& request : requests) {
    for (int i = 0; i < 8; ++i) Page(request);
  }
  for (int i = 0; i < 8; ++i) ASSERT_THAT(runs::FindRun(connection, IdOf(10), {}), Succeeds());

  const auto kept = connection.Exec(
      {"test_plans",
       "SELECT count(*), min(generic_plans) FROM pg_prepared_statements WHERE name LIKE 'run_%'"},
      {});
  ASSERT_THAT(kept, Succeeds());
  EXPECT_EQ(kept->Int(0, 0), 7);
  EXPECT_GE(kept->Int(0, 1), 3) << "a statement is planned anew at each execution";
}

}  // namespace
}  // namespace pcw
