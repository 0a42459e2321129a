// The directories of the private cluster: who owns them, who may pass, and where its socket is.
#pragma once

#include <filesystem>

#include <sys/types.h>

#include "pcw/base/result.h"
#include "pcw/pg/embedded/process.h"

namespace pcw::pg {

/// Makes a directory for the server's user, or takes the one that is there; what root made before
/// is given to the server's user. kConfig when it belongs to somebody else, or is none: the message
/// names the owner and what to do. State is never removed.
Status MakeOwnedDirectory(const std::filesystem::path& path, const ServerUser& user, mode_t mode);

/// Every directory above the data must let the server's user pass. Root may run us in a private
/// directory (mode 700): an access control list lets that one user pass, and nobody else.
Status MakeTraversable(const std::filesystem::path& home, const ServerUser& user);

/// Where the server of `home` listens unless it stands elsewhere already: short, because a socket
/// address holds 107 bytes, and private, because the server trusts whoever can reach it. Below
/// /run/pcw if that is ours (the package and the unit make it: /tmp of the unit is its own), else
/// $XDG_RUNTIME_DIR/pcw, else /tmp/pcw-<uid>; for root /run/pcw, or /run/pcw-root when /run/pcw is
/// another user's.
Result<std::filesystem::path> MakeSocketDirectory(const std::filesystem::path& home,
                                                  const ServerUser& user);

}  // namespace pcw::pg
