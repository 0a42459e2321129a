// libpq layer, migrations, roles and row level security against a real server.
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include "fakes/result_matchers.h"
#include "pcw/base/time.h"
#include "pcw/pg/binary_copy.h"
#include "pcw/pg/conninfo.h"
#include "pcw/pg/function_files.h"
#include "pcw/pg/migrate.h"
#include "pcw/pg/session.h"
#include "pg_fixture.h"

namespace pcw {
namespace {

using pg::Connection;
using ::testing::HasSubstr;

TEST_F(DatabaseTest, MigratingAgainDoesNothing) {
  Connection superuser = OpenSuperuser(url);

  const auto again = pg::Migrate(superuser);

  ASSERT_THAT(again, Succeeds());
  EXPECT_EQ(again->migrations, 0);
  EXPECT_EQ(again->function_files, 0);
  for (const pg::MigrationState& state : *pg::MigrationStatus(superuser))
    EXPECT_FALSE(state.applied_at.empty()) << state.name;
}

TEST(MigrateTest, TwoAtOnceApplyEachMigrationOnce) {
  const std::string url = NewDatabase();
  std::atomic<int> migrations{0};
  std::atomic<int> function_files{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&] {
        Connection superuser = OpenSuperuser(url);
        const pg::Migrated applied = *pg::Migrate(superuser);
        migrations += applied.migrations;
        function_files += applied.function_files;
      });
    }
  }
  EXPECT_EQ(migrations, static_cast<int>(pg::Migrations().size()));
  EXPECT_EQ(function_files, static_cast<int>(pg::FunctionFiles().size()));
}

TEST(MigrateTest, FilesOfFunctionsSayWhatTheMigrationsLeave) {
  // Until a migration or a file changes one of them: then this test goes.
  const std::string url = NewDatabase();
  Connection superuser = OpenSuperuser(url);
  const auto functions = [&] {
    const auto rows = superuser.Exec(
        {"functions",
         "SELECT string_agg(pg_get_functiondef(p.oid) || coalesce(p.proacl::text, '') || "
         "p.proowner::regrole || coalesce(obj_description(p.oid), ''), E'\n' ORDER BY p.oid) "
         "FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace"});
    return rows ? std::string(rows->Text(0, 0)) : rows.error().ToString();
  };
  for (const pg::Migration& migration : pg::Migrations())
    ASSERT_THAT(
        superuser.ExecScript(migration.name, "BEGIN; " + std::string(migration.sql) + "COMMIT"),
        Succeeds());
  const std::string before = functions();

  for (const pg::FunctionFile& file : pg::FunctionFiles())
    ASSERT_THAT(superuser.ExecScript(file.name, "BEGIN; " + std::string(file.sql) + "COMMIT"),
                Succeeds());

  EXPECT_THAT(before, HasSubstr("quota_lease"));
  EXPECT_EQ(functions(), before);
}

TEST_F(DatabaseTest, ADatabaseWithoutTheFunctionsOfThisPcwIsRefusedUntilItIsMigrated) {
  Connection superuser = OpenSuperuser(url);
  ASSERT_THAT(superuser.ExecScript("older",
                                   "UPDATE pcw_functions SET version = 0 WHERE name = 'jobs'; "
                                   "DELETE FROM pcw_functions WHERE name = 'quota'; "
                                   "DROP FUNCTION jobs_prune(interval)"),
              Succeeds());

  const auto refused = pg::OpenService(Connect(), kTenant, pg::SuperuserLogin::kWarn);
  ASSERT_THAT(refused, FailsWith(ErrorCode::kConfig));
  EXPECT_THAT(refused.error().message(), HasSubstr("(jobs, quota)"));
  EXPECT_EQ(pg::Migrate(superuser)->function_files, 2);

  EXPECT_THAT(pg::OpenService(Connect(), kTenant, pg::SuperuserLogin::kWarn), Succeeds());
  EXPECT_EQ(
      Ask("SELECT has_function_privilege('pcw_service', 'jobs_prune(interval)', 'EXECUTE') "
          "AND NOT has_function_privilege('pcw_operator', 'jobs_prune(interval)', 'EXECUTE')"),
      "t");
}

TEST_F(DatabaseTest, FunctionsOfANewerPcwAreUsedAndNotOverwritten) {
  Connection superuser = OpenSuperuser(url);
  ASSERT_THAT(superuser.ExecScript(
                  "newer",
                  "UPDATE pcw_functions SET version = 999, sha256 = 'newer' WHERE name = 'runs'; "
                  "CREATE OR REPLACE FUNCTION pcw_now() RETURNS timestamptz LANGUAGE sql STABLE "
                  "PARALLEL SAFE AS $$ SELECT '2031-05-06T07:08:09Z'::timestamptz $$"),
              Succeeds());

  EXPECT_EQ(pg::Migrate(superuser)->function_files, 0);

  EXPECT_EQ(Ask("SELECT pcw_now() AT TIME ZONE 'UTC'"), "2031-05-06 07:08:09");
  EXPECT_THAT(pg::OpenService(Connect(), kTenant, pg::SuperuserLogin::kWarn), Succeeds());
}

TEST_F(DatabaseTest, AFileOfFunctionsThatChangedWithoutItsVersionIsRefused) {
  Connection superuser = OpenSuperuser(url);
  ASSERT_THAT(
      superuser.ExecScript("alter", "UPDATE pcw_functions SET sha256 = 'other' WHERE name = 'dlq'"),
      Succeeds());

  const auto refused = pg::Migrate(superuser);

  ASSERT_THAT(refused, FailsWith(ErrorCode::kConfig));
  EXPECT_THAT(refused.error().message(), HasSubstr("sql/functions/dlq.sql"));
}

TEST_F(DatabaseTest, ANewerDatabaseIsRefusedWithTheReason) {
  Connection superuser = OpenSuperuser(url);
  ASSERT_THAT(
      superuser.ExecScript("future", "INSERT INTO pcw_migrations VALUES (999, 'future', 'x')"),
      Succeeds());

  EXPECT_THAT(pg::Migrate(superuser).error().message(), HasSubstr("999"));
  EXPECT_THAT(pg::OpenService(Connect(), kTenant, pg::SuperuserLogin::kWarn),
              FailsWith(ErrorCode::kConfig));
}

TEST_F(DatabaseTest, AnAlteredMigrationIsRefused) {
  Connection superuser = OpenSuperuser(url);
  ASSERT_THAT(
      superuser.ExecScript("alter", "UPDATE pcw_migrations SET sha256 = 'other' WHERE version = 1"),
      Succeeds());

  EXPECT_THAT(pg::Migrate(superuser), FailsWith(ErrorCode::kConfig));
}

TEST(MigrateTest, ALoginThatOwnsTheDatabaseAndMayCreateRolesNeedsNoSuperuser) {
  const std::string url = NewDatabase();
  Connection superuser = OpenSuperuser(url);
  const std::string database = url.substr(url.rfind('=') + 1);
  ASSERT_THAT(superuser.ExecScript(
                  "roles",
                  "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'plain_admin') "
                  "THEN CREATE ROLE plain_admin LOGIN CREATEROLE; END IF; END $$; "
                  "ALTER DATABASE " +
                      database + " OWNER TO plain_admin"),
              Succeeds());
  std::string login = url;
  login.replace(login.find("user=pcw"), 8, "user=plain_admin");
  Connection admin = OpenSuperuser(login);

  const auto applied = pg::Migrate(admin);

  EXPECT_THAT(applied, Succeeds());
}

TEST_F(DatabaseTest, EveryTenantTableHasForcedRowSecurityWithPolicies) {
  EXPECT_EQ(
      Ask("SELECT string_agg(c.relname, ', ') FROM pg_class c JOIN pg_attribute a ON a.attrelid = "
          "c.oid AND a.attname = 'tenant_id' WHERE c.relkind = 'r' AND "
          "c.relnamespace = 'public'::regnamespace AND NOT (c.relrowsecurity AND "
          "c.relforcerowsecurity AND (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid "
          "AND p.polqual IS NOT NULL) >= 2)"),
      "");
  EXPECT_EQ(Ask("SELECT string_agg(c.relname, ', ') FROM pg_class c JOIN pg_index i ON i.indrelid "
                "= c.oid AND i.indisprimary JOIN pg_attribute f ON f.attrelid = c.oid AND "
                "f.attnum = i.indkey[0] WHERE EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid "
                "= c.oid AND a.attname = 'tenant_id') AND f.attname <> 'tenant_id'"),
            "")
      << "keys begin with tenant_id";
}

TEST(ConninfoEnvironmentTest, GivesEverythingAnotherProgramNeedsAndQuotesNothing) {
  const auto environment =
      pg::ConninfoEnvironment("postgresql://pcw:s3cret@db.example:5433/lake?sslmode=verify-full");

  ASSERT_THAT(environment, Succeeds());
  EXPECT_EQ(environment->at("PGPASSWORD"), "s3cret");
  EXPECT_EQ(environment->at("PGHOST"), "db.example");
  EXPECT_EQ(environment->at("PGPORT"), "5433");
  EXPECT_EQ(environment->at("PGDATABASE"), "lake");
  EXPECT_EQ(environment->at("PGSSLMODE"), "verify-full");
  const auto broken = pg::ConninfoEnvironment("postgresql://u:s3cret@h/d?nonsense=1");
  ASSERT_THAT(broken, FailsWith(ErrorCode::kConfig));
  EXPECT_THAT(broken.error().ToString(), ::testing::Not(HasSubstr("s3cret")));
}

TEST_F(DatabaseTest, NoFunctionOfTheOwnerCanBeTrickedByATemporaryTable) {
  EXPECT_EQ(
      Ask("SELECT coalesce(string_agg(proname, ', '), 'none') FROM pg_proc WHERE prosecdef AND "
          "pronamespace = 'public'::regnamespace AND NOT coalesce('search_path=pg_catalog, "
          "public, pg_temp' = ANY (proconfig), false)"),
      "none");
}

TEST_F(DatabaseTest, TheServiceSeesNothingWithoutATenantAndTheOperatorTheDefaultOne) {
  Connection service = OpenService();
  ASSERT_THAT(service.Exec({"insert",
                            "INSERT INTO connectors (tenant_id, kind, name, status) VALUES "
                            "(pcw_tenant(), 'partner_central', 'x', 'enabled')"}),
              Succeeds());

  Connection nobody = OpenSuperuser(url);
  ASSERT_THAT(nobody.ExecScript("role", "SET ROLE pcw_service"), Succeeds());
  EXPECT_EQ(nobody.Exec({"count", "SELECT count(*) FROM connectors"})->Int(0, 0), 0);
  Connection other = OpenService("00000000-0000-0000-0000-000000000002");
  EXPECT_EQ(other.Exec({"count", "SELECT count(*) FROM connectors"})->Int(0, 0), 0);
  EXPECT_FALSE(other.Exec({"steal",
                           "INSERT INTO connectors (tenant_id, kind, name, status) VALUES "
                           "('00000000-0000-0000-0000-000000000001', 'y', 'x', 'enabled')"}));

  Connection operator_session = OpenSuperuser(url);
  ASSERT_THAT(operator_session.ExecScript("role", "SET ROLE pcw_operator"), Succeeds());
  EXPECT_EQ(operator_session.Exec({"count", "SELECT count(*) FROM connectors"})->Int(0, 0), 1);
  EXPECT_THAT(operator_session.Exec({"write", "UPDATE connectors SET name = 'z'"}),
              FailsWith(ErrorCode::kPermissionDenied));
}

TEST_F(DatabaseTest, TheServiceTouchesTheQuotaLedgerThroughFunctionsOnly) {
  Connection service = OpenService();

  EXPECT_THAT(service.Exec({"read", "SELECT * FROM quota_usage"}),
              FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_THAT(service.Exec({"write", "DELETE FROM quota_state"}),
              FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_THAT(service.Exec(
                  {"lease", "SELECT granted FROM quota_lease('1', 's', 'read', 1, 100000, 3, 10)"}),
              Succeeds());
}

TEST_F(DatabaseTest, AServiceRoleThatBypassesRowSecurityIsRefused) {
  Connection superuser = OpenSuperuser(url);
  ASSERT_THAT(superuser.ExecScript("bypass", "ALTER ROLE pcw_service BYPASSRLS"), Succeeds());

  const auto session = pg::OpenService(Connect(), kTenant, pg::SuperuserLogin::kWarn);

  ASSERT_THAT(superuser.ExecScript("restore", "ALTER ROLE pcw_service NOBYPASSRLS"), Succeeds());
  EXPECT_THAT(session, FailsWith(ErrorCode::kConfig));
  EXPECT_THAT(pg::OpenService(Connect(), kTenant, pg::SuperuserLogin::kRefuse),
              FailsWith(ErrorCode::kConfig));
}

TEST_F(DatabaseTest, BinaryCopyKeepsEveryValue) {
  Connection superuser = OpenSuperuser(url);
  ASSERT_THAT(superuser.ExecScript("table",
                                   "CREATE TABLE t (a text, b jsonb, c bytea, d int4, e int8, f "
                                   "bool, g timestamptz, h date, i uuid, j numeric, k text)"),
              Succeeds());
  const char* decimals[] = {"0",     "-0.00",  "12345.67", "0.000123", "-99999999999999999999.5",
                            "10000", "1.2300", "00012.5"};
  pg::BinaryCopy copy;
  for (const char* decimal : decimals) {
    copy.BeginRow(11);
    copy.AddText("caf\xc3\xa9 \xf0\x9f\x98\x80\n");
    copy.AddJsonb(R"({"x":1.10})");
    copy.AddBytea(std::string_view("\0\xff", 2));
    copy.AddInt4(-5);
    copy.AddInt8(INT64_MIN);
    copy.AddBool(true);
    copy.AddTimestamptz(*ParseRfc3339("1969-07-20T20:17:40.123456Z"));
    copy.AddDate(1999, 12, 31);
    ASSERT_THAT(copy.AddUuid("01234567-89ab-7cde-8f01-23456789abcd"), Succeeds());
    ASSERT_THAT(copy.AddNumeric(decimal), Succeeds());
    copy.AddNull();
  }

  ASSERT_EQ(*superuser.CopyIn({"copy", "COPY t FROM STDIN (FORMAT binary)"}, copy.Finish()), 8);

  const auto rows = *superuser.Exec(
      {"read",
       "SELECT a, b, encode(c, 'hex'), d, e, f, g AT TIME ZONE 'UTC', h, i, j, k IS NULL FROM t"});
  for (std::size_t row = 0; row < rows.size(); ++row) {
    EXPECT_EQ(rows.Text(row, 0), "caf\xc3\xa9 \xf0\x9f\x98\x80\n");
    EXPECT_EQ(rows.Text(row, 1), R"({"x": 1.10})");
    EXPECT_EQ(rows.Text(row, 2), "00ff");
    EXPECT_EQ(rows.Int(row, 3), -5);
    EXPECT_EQ(rows.Int(row, 4), INT64_MIN);
    EXPECT_TRUE(rows.Bool(row, 5));
    EXPECT_EQ(rows.Text(row, 6), "1969-07-20 20:17:40.123456");
    EXPECT_EQ(rows.Text(row, 7), "1999-12-31");
    EXPECT_EQ(rows.Text(row, 8), "01234567-89ab-7cde-8f01-23456789abcd");
    EXPECT_EQ(superuser
                  .Exec({"same", "SELECT $1::numeric::text = $2"},
                        {std::string(decimals[row]), std::string(rows.Text(row, 9))})
                  ->Text(0, 0),
              "t")
        << decimals[row] << " " << rows.Text(row, 9);
  }
  for (const char* bad : {"", "-", "1e5", "1.", ".5", "1,5", "NaN", "0x10"})
    EXPECT_THAT(pg::BinaryCopy().AddNumeric(bad), FailsWith(ErrorCode::kSchemaMismatch)) << bad;
}

TEST_F(DatabaseTest, AStopCancelsTheStatementAndTheSessionStaysUsable) {
  Connection superuser = OpenSuperuser(url);
  std::stop_source stop;
  std::jthread stopper([&stop] { stop.request_stop(); });

  EXPECT_THAT(superuser.Exec({"sleep", "SELECT pg_sleep(60)"}, {}, stop.get_token()),
              FailsWith(ErrorCode::kCancelled));

  EXPECT_TRUE(superuser.is_usable());
  EXPECT_EQ(superuser.Exec({"one", "SELECT 1"})->Int(0, 0), 1);
}

TEST_F(DatabaseTest, APipelineAnswersInTheOrderOfItsStatements) {
  Connection service = OpenService();
  {
    pg::Pipeline pipeline = *pg::Pipeline::Begin(service);
    for (const std::string_view value : {"first", "second", "third"}) {
      const std::vector<pg::BinaryParam> params{value, std::nullopt};
      ASSERT_THAT(pipeline.Send({"echo", "SELECT $1::text || coalesce($2::text, '!')"}, params),
                  Succeeds());
    }
    ASSERT_EQ(pipeline.size(), 3U);
    EXPECT_EQ(pipeline.Take()->Text(0, 0), "first!");
    EXPECT_EQ(pipeline.Take()->Text(0, 0), "second!");
  }
  EXPECT_EQ(service.Exec({"after", "SELECT 'usable'"})->Text(0, 0), "usable");
}

TEST_F(DatabaseTest, AFailureInAPipelineFailsWhatFollowsAndTheSessionStaysUsable) {
  Connection service = OpenService();
  {
    auto transaction = *pg::Transaction::Begin(service, "pipeline");
    pg::Pipeline pipeline = *pg::Pipeline::Begin(service);
    const std::vector<pg::BinaryParam> bad{"x"}, good{"1"};
    const pg::Query number{"number", "SELECT convert_from($1::bytea, 'UTF8')::integer"};
    ASSERT_THAT(pipeline.Send({"broken", "SELECT nothing"}, {}), Succeeds());
    ASSERT_THAT(pipeline.Send(number, good), Succeeds());
    ASSERT_THAT(pipeline.Send(number, bad), Succeeds());

    EXPECT_THAT(pipeline.Take().error().message(), HasSubstr("\"nothing\" does not exist"));
    EXPECT_EQ(pipeline.Take().error().Find("sqlstate"), "25P02");
  }
  EXPECT_FALSE(service.in_transaction());
  pg::Pipeline pipeline = *pg::Pipeline::Begin(service);
  const std::vector<pg::BinaryParam> bad{"x"}, good{"1"};
  const pg::Query number{"number", "SELECT convert_from($1::bytea, 'UTF8')::integer"};
  for (const auto& params : {good, bad, good})
    ASSERT_THAT(pipeline.Send(number, params), Succeeds());

  EXPECT_EQ(pipeline.Take()->Int(0, 0), 1);
  EXPECT_EQ(pipeline.Take().error().Find("sqlstate"), "22P02");
  EXPECT_EQ(pipeline.Take()->Int(0, 0), 1);
}

TEST_F(DatabaseTest, AStopCancelsAPipelineAndTheSessionStaysUsable) {
  Connection service = OpenService();
  std::stop_source stop;
  {
    pg::Pipeline pipeline = *pg::Pipeline::Begin(service);
    for (int i = 0; i < 2; ++i)
      ASSERT_THAT(pipeline.Send({"sleep", "SELECT pg_sleep(60)::text"}, {}), Succeeds());
    stop.request_stop();

    EXPECT_THAT(pipeline.Take(stop.get_token()), FailsWith(ErrorCode::kCancelled));
    EXPECT_THAT(pipeline.Take(stop.get_token()), FailsWith(ErrorCode::kCancelled));
  }
  EXPECT_EQ(service.Exec({"after", "SELECT 'usable'"})->Text(0, 0), "usable");
}

TEST_F(DatabaseTest, ALostSessionIsUnavailableAndSaysSo) {
  Connection victim = OpenSuperuser(url);
  const std::string pid(victim.Exec({"pid", "SELECT pg_backend_pid()"})->Text(0, 0));
  Connection superuser = OpenSuperuser(url);
  ASSERT_THAT(superuser.Exec({"kill", "SELECT pg_terminate_backend($1::int)"}, {pid}), Succeeds());

  EXPECT_THAT(victim.Exec({"one", "SELECT 1"}), FailsWith(ErrorCode::kUnavailable));
  EXPECT_FALSE(victim.is_usable());
}

TEST_F(DatabaseTest, ASpellOfTheServerIsUnavailableAndEndsTheSession) {
  for (const char* sqlstate : {"25006", "58030", "53100", "57P03"}) {
    Connection superuser = OpenSuperuser(url);

    const Status spell = superuser.ExecScript(
        "spell", fmt::format("DO $$ BEGIN RAISE 'x' USING ERRCODE = '{}'; END $$", sqlstate));

    EXPECT_THAT(spell, FailsWith(ErrorCode::kUnavailable)) << sqlstate;
    EXPECT_FALSE(superuser.is_usable()) << sqlstate;
  }
}

TEST_F(DatabaseTest, AServerThatIsReadOnlyIsUnavailable) {
  OpenSuperuser(url)
      .ExecScript("read_only",
                  "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only "
                  "= on', current_database()); END $$")
      .value();
  Connection service = OpenService();

  EXPECT_THAT(service.ExecScript("write", "UPDATE connectors SET name = name"),
              FailsWith(ErrorCode::kUnavailable));
}

TEST_F(DatabaseTest, ATransactionThatTheServerEndedIsUnavailable) {
  Connection service = OpenService();
  ASSERT_THAT(service.ExecScript("short", "SET idle_in_transaction_session_timeout = '1ms'"),
              Succeeds());
  ASSERT_THAT(service.ExecScript("begin", "BEGIN"), Succeeds());
  // Returns when the server has closed the session.
  while (service.WaitNotification(std::chrono::seconds(10))) {
  }

  EXPECT_THAT(service.Exec({"one", "SELECT 1"}), FailsWith(ErrorCode::kUnavailable));
  EXPECT_FALSE(service.is_usable());
}

TEST_F(DatabaseTest, ARoleWithoutRoomForAnotherSessionIsUnavailableNotUnauthenticated) {
  const std::string role = fmt::format("narrow_{}", ::getpid());
  Connection superuser = OpenSuperuser(url);
  ASSERT_THAT(superuser.ExecScript("role", "CREATE ROLE " + role + " LOGIN CONNECTION LIMIT 0"),
              Succeeds());
  pg::ConnectOptions narrow;
  narrow.url = url + " user=" + role;

  const auto refused = Connection::Open(narrow);

  EXPECT_THAT(refused, FailsWith(ErrorCode::kUnavailable));
  EXPECT_EQ(refused.error().Find("sqlstate"), "53300");
  EXPECT_THAT(refused.error().message(), HasSubstr("too many connections for role"));
  ASSERT_THAT(superuser.ExecScript("role", "DROP ROLE " + role), Succeeds());
}

TEST_F(DatabaseTest, ARoleThatIsNotThereIsUnauthenticated) {
  pg::ConnectOptions unknown;
  unknown.url = url + " user=nobody_of_that_name";

  EXPECT_THAT(Connection::Open(unknown), FailsWith(ErrorCode::kUnauthenticated));
}

TEST_F(DatabaseTest, ATransactionRollsBackUnlessCommitted) {
  Connection service = OpenService();
  const pg::Query insert{"insert",
                         "INSERT INTO connectors (tenant_id, kind, name, status) VALUES "
                         "(pcw_tenant(), 'k', 'x', 'enabled')"};
  {
    auto transaction = pg::Transaction::Begin(service, "test");
    ASSERT_THAT(service.Exec(insert), Succeeds());
  }
  EXPECT_EQ(service.Exec({"count", "SELECT count(*) FROM connectors"})->Int(0, 0), 0);
  auto transaction = pg::Transaction::Begin(service, "test");
  ASSERT_THAT(service.Exec(insert), Succeeds());
  ASSERT_THAT(transaction->Commit(), Succeeds());
  EXPECT_EQ(service.Exec({"count", "SELECT count(*) FROM connectors"})->Int(0, 0), 1);
  EXPECT_THAT(service.Exec(insert), FailsWith(ErrorCode::kConflict)) << "the same key again";
}

TEST_F(DatabaseTest, ATerminalRunStaysAsItEnded) {
  Connection service = OpenService();
  ASSERT_THAT(service.ExecScript(
                  "run",
                  "INSERT INTO connectors (tenant_id, kind, name, status) VALUES (pcw_tenant(), "
                  "'k', 'x', 'enabled'); INSERT INTO ingestion_runs (tenant_id, id, "
                  "connector_id, entity, mode, status, catalog, fence, ended_at) SELECT "
                  "pcw_tenant(), '01234567-89ab-7cde-8f01-23456789abcd', id, 'e', 'full', "
                  "'failed', 'AWS', 1, now() FROM connectors"),
              Succeeds());

  EXPECT_FALSE(service.Exec({"revive", "UPDATE ingestion_runs SET status = 'succeeded'"}));
}

}  // namespace
}  // namespace pcw
