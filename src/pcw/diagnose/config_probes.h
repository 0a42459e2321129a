// What a configuration names outside itself, looked at before anything is started.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "pcw/aws/operation.h"
#include "pcw/aws/profile.h"
#include "pcw/base/result.h"

namespace pcw::diagnose {

/// One thing that is looked at. Quick, asks nobody on the network, changes nothing.
struct ConfigProbe {
  std::string setting;  ///< "server.listen": begins the complaint unless it names itself
  std::function<Status()> look;
};

/// What a configuration leads to.
struct ConfigSubject {
  aws::Environment environment;
  std::string profile;                           ///< aws.profile; empty = the environment's
  std::string region;                            ///< aws.region
  std::vector<const aws::ServiceDef*> services;  ///< that will be called
  std::vector<std::pair<std::string, std::filesystem::path>> writable;  ///< setting, directory
  std::vector<ConfigProbe> more;  ///< what only the composition root can look at
};

/// Whether files can be made in a directory, or it can be made itself: the nearest one that exists
/// lets this user write. kConfig if not. Writes nothing.
Status ProbeWritable(const std::filesystem::path& directory);

/// Profile files that cannot be read, and endpoints that are refused: what makes every other look
/// at AWS vain. As lines.
std::vector<std::string> FindEndpointProblems(const ConfigSubject& subject);

/// What the probes complain of, as lines.
std::vector<std::string> RunProbes(const std::vector<ConfigProbe>& probes);

/// Whatever `serve` would end with exit code 78 for: profile files that cannot be read, a profile
/// that is not there, endpoints that are refused, a file of authorities that cannot be read,
/// directories that cannot be written, and the subject's own probes. All of it, as lines.
std::vector<std::string> FindConfigProblems(const ConfigSubject& subject);

/// Problems as LoadConfig tells them: "the configuration has N problems:", one a line. kConfig.
Error ConfigError(const std::vector<std::string>& problems);

}  // namespace pcw::diagnose
