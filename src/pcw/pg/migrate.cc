#include "pcw/pg/migrate.h"

#include <algorithm>
#include <charconv>
#include <map>

#include <fmt/format.h>

#include "pcw/base/assert.h"
#include "pcw/base/digest.h"

namespace pcw::pg {

// Generated from sql/migrations by cmake/Embed.cmake.
const std::vector<std::pair<std::string_view, std::string_view>>& MigrationFiles();

namespace {

// Any constant will do; it only has to be the same in every pcw.
constexpr const char* kLock = "SELECT pg_advisory_lock(7076700)";
constexpr const char* kUnlock = "SELECT pg_advisory_unlock(7076700)";

struct Applied {
  std::string name, sha256, at;
};

Result<std::map<int, Applied>> LoadApplied(Connection& connection, std::stop_token stop) {
  std::map<int, Applied> applied;
  PCW_TRY(const Rows exists,
          connection.Exec(
              {"migrations_exist", "SELECT to_regclass('public.pcw_migrations') IS NOT NULL"}, {},
              stop));
  if (!exists.Bool(0, 0)) return applied;
  PCW_TRY(const Rows rows,
          connection.Exec(
              {"migrations_load",
               "SELECT version, name, sha256, to_char(applied_at AT TIME ZONE 'UTC', "
               "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM public.pcw_migrations ORDER BY version"},
              {}, stop));
  for (std::size_t row = 0; row < rows.size(); ++row) {
    applied[static_cast<int>(rows.Int(row, 0))] = {std::string(rows.Text(row, 1)),
                                                   std::string(rows.Text(row, 2)),
                                                   std::string(rows.Text(row, 3))};
  }
  return applied;
}

Error MissingRight(const Error& error, std::string_view what) {
  return Error(ErrorCode::kPermissionDenied,
               fmt::format("{}: {}; `pcw db migrate` needs a login (database.admin_url) that owns "
                           "the database and may create roles: "
                           "ALTER DATABASE ... OWNER TO <login>; ALTER ROLE <login> CREATEROLE",
                           what, error.message()))
      .With("sqlstate", std::string(error.Find("sqlstate").value_or("")));
}

Status Apply(Connection& admin, const Migration& migration, std::stop_token stop) {
  const std::string file =
      fmt::format("sql/migrations/{:04}_{}.sql", migration.version, migration.name);
  PCW_TRY(Transaction transaction, Transaction::Begin(admin, "migrate", stop));
  if (Status done = admin.ExecScript(file, migration.sql, stop); !done) {
    if (done.error().code() == ErrorCode::kPermissionDenied)
      return MissingRight(done.error(), file);
    return Error(done.error().code(), fmt::format("{}: {}", file, done.error().message()))
        .With("sqlstate", std::string(done.error().Find("sqlstate").value_or("")));
  }
  PCW_TRY_OK(admin.Exec(
      {"migration_note",
       "INSERT INTO public.pcw_migrations (version, name, sha256) VALUES ($1::integer, $2, $3)"},
      {std::to_string(migration.version), migration.name, Sha256Hex(migration.sql)}, stop));
  return transaction.Commit();
}

Result<int> ApplyMissing(Connection& admin, std::stop_token stop) {
  if (Status made = admin.ExecScript("migrations_table",
                                     "CREATE TABLE IF NOT EXISTS public.pcw_migrations (version "
                                     "integer PRIMARY KEY, name text NOT NULL, sha256 text "
                                     "NOT NULL, applied_at timestamptz NOT NULL DEFAULT now()); "
                                     "GRANT SELECT ON public.pcw_migrations TO PUBLIC",
                                     stop);
      !made) {
    if (made.error().code() == ErrorCode::kPermissionDenied)
      return MissingRight(made.error(), "cannot create tables");
    return std::move(made).error();
  }
  PCW_TRY(const auto applied, LoadApplied(admin, stop));
  const std::vector<Migration>& known = Migrations();
  if (!applied.empty() && applied.rbegin()->first > known.back().version) {
    return Error(ErrorCode::kConfig,
                 fmt::format("this database is at migration {}, this pcw knows {}: use a newer pcw",
                             applied.rbegin()->first, known.back().version));
  }
  int count = 0;
  for (const Migration& migration : known) {
    const auto found = applied.find(migration.version);
    if (found == applied.end()) {
      PCW_TRY_OK(Apply(admin, migration, stop));
      ++count;
    } else if (found->second.sha256 != Sha256Hex(migration.sql)) {
      return Error(ErrorCode::kConfig,
                   fmt::format("migration {:04}_{} was applied with another text than this pcw "
                               "has; use the pcw that applied it, or restore the database",
                               migration.version, migration.name));
    }
  }
  return count;
}

}  // namespace

const std::vector<Migration>& Migrations() {
  static const std::vector<Migration> migrations = [] {
    std::vector<Migration> list;
    for (const auto& [file, sql] : MigrationFiles()) {
      int version = 0;
      std::from_chars(file.data(), file.data() + 4, version);
      PCW_ASSERT(version > 0 && file.size() > 9);
      list.push_back({version, std::string(file.substr(5, file.size() - 9)), sql});
    }
    std::sort(list.begin(), list.end(),
              [](const Migration& a, const Migration& b) { return a.version < b.version; });
    return list;
  }();
  return migrations;
}

Result<int> Migrate(Connection& admin, std::stop_token stop) {
  PCW_TRY_OK(admin.ExecScript("migrate_lock", kLock, stop));
  Result<int> applied = ApplyMissing(admin, stop);
  if (admin.is_usable()) {
    if (Status unlocked = admin.ExecScript("migrate_unlock", kUnlock); !unlocked && applied)
      return std::move(unlocked).error();
  }
  return applied;
}

Result<std::vector<MigrationState>> MigrationStatus(Connection& connection, std::stop_token stop) {
  PCW_TRY(const auto applied, LoadApplied(connection, stop));
  std::vector<MigrationState> states;
  for (const Migration& migration : Migrations()) {
    const auto found = applied.find(migration.version);
    const bool is_applied = found != applied.end();
    states.push_back({migration.version, migration.name, is_applied ? found->second.at : "",
                      is_applied && found->second.sha256 != Sha256Hex(migration.sql)});
  }
  for (const auto& [version, row] : applied) {
    if (version > Migrations().back().version)
      states.push_back({version, row.name + " (of a newer pcw)", row.at, true});
  }
  return states;
}

}  // namespace pcw::pg
