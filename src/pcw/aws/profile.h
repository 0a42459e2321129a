// The AWS shared configuration files: ~/.aws/config and ~/.aws/credentials (docs/aws-facts.md 23).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "pcw/aws/ini.h"
#include "pcw/base/result.h"

namespace pcw::aws {

/// The process environment as a value, so that this module reads no globals.
using Environment = std::map<std::string, std::string>;

/// The value of a variable that is set and not empty.
std::optional<std::string> Lookup(const Environment& environment, const std::string& name);

/// "true" in any case, as AWS's tools take it.
bool IsTrue(std::string_view text);

/// The same ASCII word in any case.
bool IsSameWord(std::string_view left, std::string_view right);

/// Both files. In `profiles` they are merged: the credentials file wins for the keys it has. Static
/// keys are looked for in each of them alone, as AWS's tools do.
struct ProfileFiles {
  std::map<std::string, ProfileSettings> profiles;
  std::map<std::string, ProfileSettings> of_config;       ///< the config file alone
  std::map<std::string, ProfileSettings> of_credentials;  ///< the credentials file alone
  std::map<std::string, ProfileSettings> services;        ///< [services NAME]
  std::string config_path, credentials_path;              ///< for messages
};

/// Reads the files that AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE name (with ~ and $NAME
/// expanded), else those below HOME. Absent files are empty. kConfig with file:line for what cannot
/// be parsed.
Result<ProfileFiles> LoadProfiles(const Environment& environment);

/// The profile that the environment names: AWS_DEFAULT_PROFILE, else AWS_PROFILE, as the AWS CLI
/// has it.
std::optional<std::string> NamedProfile(const Environment& environment);

/// The profile in force: `configured`, else the environment's, else "default".
std::string ProfileName(const Environment& environment, const std::string& configured);

}  // namespace pcw::aws
