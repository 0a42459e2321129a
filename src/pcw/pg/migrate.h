// The schema: forward-only migrations, compiled into the binary from sql/migrations, and after them
// the functions of sql/functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pcw/pg/connection.h"
#include "pcw/pg/function_files.h"

namespace pcw::pg {

struct Migration {
  int version;  ///< the NNNN of the file name
  std::string name;
  std::string_view sql;
};

struct MigrationState {
  int version;
  std::string name;        ///< of a file of functions: "functions/<name>"
  std::string applied_at;  ///< RFC 3339; empty: never
  SchemaState state;
};

/// How many of each `Migrate` applied.
struct Migrated {
  int migrations = 0;
  int function_files = 0;
};

/// The migrations of this binary, ascending.
const std::vector<Migration>& Migrations();

/// Applies what is missing: each migration in its own transaction, then all files of functions that
/// the database lacks or has in an older version, in one. An advisory lock lets concurrent
/// processes apply each once. kConfig if the database is newer than this binary, an applied
/// migration was altered, or a file of functions was without its version growing; kPermissionDenied
/// with the missing right named.
Result<Migrated> Migrate(Connection& admin, std::stop_token stop = {});

/// Known and applied migrations, then files of functions. Works on an empty database.
Result<std::vector<MigrationState>> MigrationStatus(Connection& connection,
                                                    std::stop_token stop = {});

/// The files of functions that the database lacks or has in an older version, for a message. Empty:
/// whatever this pcw calls is there.
Result<std::string> MissingFunctions(Connection& connection, std::stop_token stop = {});

}  // namespace pcw::pg
