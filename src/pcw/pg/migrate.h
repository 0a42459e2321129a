// Forward-only migrations, compiled into the binary from sql/migrations.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pcw/pg/connection.h"

namespace pcw::pg {

struct Migration {
  int version;  ///< the NNNN of the file name
  std::string name;
  std::string_view sql;
};

struct MigrationState {
  int version;
  std::string name;
  std::string applied_at;  ///< RFC 3339; empty = pending
  bool checksum_differs;   ///< the applied text is not the text of this binary
};

/// The migrations of this binary, ascending.
const std::vector<Migration>& Migrations();

/// Applies what is missing, each in its own transaction, under an advisory lock so that concurrent
/// processes apply each once. kConfig if the database is newer than this binary or an applied
/// migration was altered; kPermissionDenied with the missing right named. Returns how many were
/// applied.
Result<int> Migrate(Connection& admin, std::stop_token stop = {});

/// Known and applied migrations. Works on an empty database.
Result<std::vector<MigrationState>> MigrationStatus(Connection& connection,
                                                    std::stop_token stop = {});

}  // namespace pcw::pg
