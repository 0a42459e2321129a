// Running the PostgreSQL server's own programs, as the user the cluster belongs to.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

#include "pcw/base/result.h"

namespace pcw::pg {

/// The user a cluster belongs to. PostgreSQL refuses to run as root.
struct ServerUser {
  uid_t uid = 0;
  gid_t gid = 0;
  bool must_switch = false;  ///< we are root: children change to uid/gid
};

/// Ourselves; when we are root the owner of `data` if that is another user's already, else
/// `postgres`, else `nobody`. kConfig if root has neither.
Result<ServerUser> FindServerUser(const std::filesystem::path& data);

/// The name of a user, or its number as text.
std::string UserName(uid_t uid);

/// Directory of initdb, postgres and pg_ctl: $PCW_PG_BIN, /usr/lib/postgresql/<newest>/bin, PATH.
/// kConfig naming the package if absent.
Result<std::filesystem::path> FindServerPrograms();

struct Finished {
  int exit_code = 0;
  std::string output;  ///< stdout and stderr together, at most 64 KiB
};

/// Runs a program to its end in a session of its own (Ctrl-C at our terminal does not reach it),
/// with a clean environment. No shell. Descriptors of ours are closed in it. Blocks.
Result<Finished> RunProgram(const std::filesystem::path& program,
                            const std::vector<std::string>& arguments, const ServerUser& user);

}  // namespace pcw::pg
