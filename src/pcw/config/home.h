// $PCW_HOME: where an installation keeps what is its own.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "pcw/base/result.h"

namespace pcw::config {

/// $PCW_HOME, or the default for this user: /var/lib/pcw for root, else
/// $XDG_STATE_HOME/pcw, else ~/.local/state/pcw. Empty if nothing says where (CheckHome).
std::filesystem::path HomeDirectory(const std::map<std::string, std::string>& environment);

/// kConfig if nothing says where: a directory that everybody can write is not a place for a
/// database and credentials.
Status CheckHome(const std::map<std::string, std::string>& environment);

/// Makes the directory, open to its owner alone whatever the umask. One that is there already loses
/// what others could read or write in it; that they may pass it (an access control list, x) is
/// left, for a server that runs as another user needs it. kConfig if it cannot be made.
Status MakeHome(const std::filesystem::path& home);

/// Writes a secret into a file of the home, which only its owner can read, in place of an earlier
/// one, and makes it durable. kUnavailable with the system's reason.
Status WriteSecretFile(const std::filesystem::path& path, std::string_view content);

}  // namespace pcw::config
