// Settings of AWS's own tools that somebody gave and pcw does not follow: never silently.
#pragma once

#include <string>
#include <vector>

#include "pcw/aws/profile.h"

namespace pcw::aws {

struct UnusedSetting {
  std::string name;     ///< "AWS_MAX_ATTEMPTS", "profile default: max_attempts"
  std::string instead;  ///< what pcw does, and what to set for it
};

/// Those of the environment and of the profile in force, in that order. A setting that asks for
/// what pcw does anyway is not one of them.
std::vector<UnusedSetting> FindUnusedSettings(const Environment& environment,
                                              const ProfileFiles& files,
                                              const std::string& profile);

}  // namespace pcw::aws
