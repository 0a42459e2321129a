// One database, one lake of a tenant: who comes with another one is told before bronze is split.
#pragma once

#include <map>
#include <string>

#include "pcw/wiring/wiring.h"

namespace pcw::wiring {

/// What a lake is: the address of one in S3; of a directory what the file `.lake-id` in it says,
/// for the same path is another disk on every machine.
struct LakeIdentity {
  std::string id;        ///< empty: a directory that nobody has worked with yet
  std::string location;  ///< for people: "file:///var/lib/pcw/lake on host a"
};

/// Reads it. kConfig when the file cannot be read.
Result<LakeIdentity> FindLakeIdentity(const config::Config& config,
                                      const std::map<std::string, std::string>& environment);

/// Whether a lake that does not match is refused, or taken for the database's from now on.
enum class OtherLake { kRefuse, kAccept };

/// Compares the lake of the configuration with the one that the database knows for the session's
/// tenant, and writes it down, with a new identity if need be, when it knows none. kConfig, naming
/// both and what to do, when they are not the same.
Status ConfirmLake(pg::Connection& connection, const config::Config& config,
                   const std::map<std::string, std::string>& environment, OtherLake other,
                   Machine& machine, std::stop_token stop);

}  // namespace pcw::wiring
