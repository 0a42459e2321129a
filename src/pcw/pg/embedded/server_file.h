// postmaster.pid: what a server wrote when it started, and whether it is that server that runs.
#pragma once

#include <filesystem>
#include <optional>

#include <sys/types.h>

namespace pcw::pg {

/// The lines of postmaster.pid that pcw uses. A server that was killed leaves the file, and the
/// number in it may by now be any process's.
struct ServerFile {
  pid_t pid = 0;
  std::filesystem::path socket_directory;  ///< line 5; empty until the server has one
};

/// nullopt when there is no such file, or none that can be read.
std::optional<ServerFile> ReadServerFile(const std::filesystem::path& data);

enum class PidHolder {
  kNobody,    ///< no process has this number
  kServer,    ///< a PostgreSQL server that works in this data directory
  kStranger,  ///< some other process: the file is stale, and the process none of our business
  kUnknown,   ///< a PostgreSQL server of which the kernel does not tell us where it works
};

/// Whose number `pid` is now, by what the kernel says of the process (Linux, proc(5)).
PidHolder WhoHas(pid_t pid, const std::filesystem::path& data);

/// The process that listens on the server's socket in `directory`, by the kernel's word
/// (SO_PEERCRED); 0 when nobody does, or when it is in another namespace of processes.
pid_t ListenerIn(const std::filesystem::path& directory);

}  // namespace pcw::pg
