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

Result<std::map<std::string, AppliedFunctionFile, std::less<>>> LoadAppliedFunctions(
    Connection& connection, std::stop_token stop) {
  std::map<std::string, AppliedFunctionFile, std::less<>> applied;
  PCW_TRY(
      const Rows exists,
      connection.Exec({"functions_exist", "SELECT to_regclass('public.pcw_functions') IS NOT NULL"},
                      {}, stop));
  if (!exists.Bool(0, 0)) return applied;
  PCW_TRY(
      const Rows rows,
      connection.Exec({"functions_load",
                       "SELECT name, version, sha256, to_char(applied_at AT TIME ZONE 'UTC', "
                       "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM public.pcw_functions ORDER BY name"},
                      {}, stop));
  for (std::size_t row = 0; row < rows.size(); ++row) {
    applied[std::string(rows.Text(row, 0))] = {static_cast<int>(rows.Int(row, 1)),
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

// One of our files, inside a transaction; an error names it.
Status RunFile(Connection& admin, const std::string& file, std::string_view sql,
               std::stop_token stop) {
  const Status done = admin.ExecScript(file, sql, stop);
  if (done) return Ok{};
  if (done.error().code() == ErrorCode::kPermissionDenied) return MissingRight(done.error(), file);
  return Error(done.error().code(), fmt::format("{}: {}", file, done.error().message()))
      .With("sqlstate", std::string(done.error().Find("sqlstate").value_or("")));
}

Status Apply(Connection& admin, const Migration& migration, std::stop_token stop) {
  PCW_TRY(Transaction transaction, Transaction::Begin(admin, "migrate", stop));
  PCW_TRY_OK(RunFile(admin,
                     fmt::format("sql/migrations/{:04}_{}.sql", migration.version, migration.name),
                     migration.sql, stop));
  PCW_TRY_OK(admin.Exec(
      {"migration_note",
       "INSERT INTO public.pcw_migrations (version, name, sha256) VALUES ($1::integer, $2, $3)"},
      {std::to_string(migration.version), migration.name, Sha256Hex(migration.sql)}, stop));
  return transaction.Commit();
}

// All or none: a function may call one of another file.
Result<int> ApplyFunctions(Connection& admin, std::stop_token stop) {
  PCW_TRY(auto applied, LoadAppliedFunctions(admin, stop));
  PCW_TRY(Transaction transaction, Transaction::Begin(admin, "migrate_functions", stop));
  int count = 0;
  for (const FunctionFile& file : FunctionFiles()) {
    switch (Compare(file, applied[file.name])) {
      case SchemaState::kApplied:
      case SchemaState::kNewer:
        continue;
      case SchemaState::kAltered:
        return Error(
            ErrorCode::kConfig,
            fmt::format("sql/functions/{}.sql was applied with another text of version {}; "
                        "use the pcw that applied it, or raise the version in its first "
                        "line",
                        file.name, file.version));
      case SchemaState::kPending:
        break;
    }
    PCW_TRY_OK(RunFile(admin, fmt::format("sql/functions/{}.sql", file.name), file.sql, stop));
    PCW_TRY_OK(admin.Exec(
        {"function_file_note",
         "INSERT INTO public.pcw_functions (name, version, sha256) VALUES ($1, $2::integer, $3) "
         "ON CONFLICT (name) DO UPDATE SET version = excluded.version, sha256 = excluded.sha256, "
         "applied_at = excluded.applied_at"},
        {file.name, std::to_string(file.version), Sha256Hex(file.sql)}, stop));
    ++count;
  }
  PCW_TRY_OK(transaction.Commit());
  return count;
}

Result<Migrated> ApplyMissing(Connection& admin, std::stop_token stop) {
  if (Status made = admin.ExecScript(
          "migrations_table",
          "CREATE TABLE IF NOT EXISTS public.pcw_migrations (version integer PRIMARY KEY, "
          "name text NOT NULL, sha256 text NOT NULL, "
          "applied_at timestamptz NOT NULL DEFAULT now()); "
          "CREATE TABLE IF NOT EXISTS public.pcw_functions (name text PRIMARY KEY, "
          "version integer NOT NULL, sha256 text NOT NULL, "
          "applied_at timestamptz NOT NULL DEFAULT now()); "
          "GRANT SELECT ON public.pcw_migrations, public.pcw_functions TO PUBLIC",
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
  PCW_TRY(const int function_files, ApplyFunctions(admin, stop));
  return Migrated{count, function_files};
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

Result<Migrated> Migrate(Connection& admin, std::stop_token stop) {
  PCW_TRY_OK(admin.ExecScript("migrate_lock", kLock, stop));
  Result<Migrated> applied = ApplyMissing(admin, stop);
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
    if (found == applied.end()) {
      states.push_back({migration.version, migration.name, "", SchemaState::kPending});
      continue;
    }
    const bool is_same = found->second.sha256 == Sha256Hex(migration.sql);
    states.push_back({migration.version, migration.name, found->second.at,
                      is_same ? SchemaState::kApplied : SchemaState::kAltered});
  }
  for (const auto& [version, row] : applied) {
    if (version > Migrations().back().version)
      states.push_back({version, row.name + " (of a newer pcw)", row.at, SchemaState::kAltered});
  }
  PCW_TRY(auto functions, LoadAppliedFunctions(connection, stop));
  for (const FunctionFile& file : FunctionFiles()) {
    const AppliedFunctionFile& found = functions[file.name];
    states.push_back(
        {file.version, "functions/" + file.name, found.applied_at, Compare(file, found)});
  }
  return states;
}

Result<std::string> MissingFunctions(Connection& connection, std::stop_token stop) {
  PCW_TRY(auto applied, LoadAppliedFunctions(connection, stop));
  std::string missing;
  for (const FunctionFile& file : FunctionFiles()) {
    if (Compare(file, applied[file.name]) != SchemaState::kPending) continue;
    if (!missing.empty()) missing += ", ";
    missing += file.name;
  }
  return missing;
}

}  // namespace pcw::pg
