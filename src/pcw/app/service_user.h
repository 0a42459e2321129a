// Who works on a machine where pcw is installed as a service: its user, with the service's
// settings.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "pcw/base/result.h"

namespace pcw::app {

/// Where the package puts things (deploy/debian).
struct ServiceLocations {
  std::filesystem::path state = "/var/lib/pcw";         ///< PCW_HOME of the unit
  std::filesystem::path settings = "/etc/default/pcw";  ///< EnvironmentFile of the unit
};

/// Gives the environment of a command what the unit gives the service, where the command is about
/// the service's state: PCW_HOME for the user who owns it, and for whoever works on it the
/// variables of the settings file that are not set. So that `pcw doctor` sees what the service
/// sees. Whoever set PCW_HOME to another location is left alone. A settings file that may not be
/// read is warned of.
void AddServiceEnvironment(std::map<std::string, std::string>& environment,
                           const ServiceLocations& locations = {});

/// The variables of a file as systemd reads it (systemd.exec(5), EnvironmentFile=): NAME=value, in
/// quotes or not; comments begin with # or ;.
std::map<std::string, std::string> ParseEnvironmentFile(const std::string& text);

/// Root at a PCW_HOME of another user becomes that user, for good, with its home and groups, and
/// says so on standard error: files of root in the service's state would keep the service from
/// starting. Nothing happens for others than root, a home that is not there yet or root's, and an
/// owner without an entry in the system's list of users. kPermissionDenied if it cannot.
Status BecomeOwnerOf(const std::filesystem::path& home,
                     std::map<std::string, std::string>& environment);

}  // namespace pcw::app
