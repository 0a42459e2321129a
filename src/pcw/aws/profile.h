// The AWS shared configuration files: ~/.aws/config and ~/.aws/credentials (FACTS 17).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "pcw/base/result.h"

namespace pcw::aws {

/// The process environment as a value, so that this room reads no globals.
using Environment = std::map<std::string, std::string>;

/// The value of a variable that is set and not empty.
std::optional<std::string> Lookup(const Environment& environment, const std::string& name);

/// Settings of one section. Nested settings ("s3 =" with indented lines) are "s3.key".
using ProfileSettings = std::map<std::string, std::string>;

/// Both files, merged: the credentials file wins for the keys it has.
struct ProfileFiles {
  std::map<std::string, ProfileSettings> profiles;
  std::map<std::string, ProfileSettings> services;  ///< [services NAME]
  std::string config_path, credentials_path;        ///< for messages
};

/// Reads the files that AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE name, else those below
/// HOME. Absent files are empty. kConfig with file:line for what cannot be parsed.
Result<ProfileFiles> LoadProfiles(const Environment& environment);

/// The profile in force: `configured`, else AWS_PROFILE, else "default".
std::string ProfileName(const Environment& environment, const std::string& configured);

/// One file's sections by their header text ("profile x", "default"). kConfig with file:line.
Result<std::map<std::string, ProfileSettings>> ParseIni(std::string_view text,
                                                        std::string_view file);

}  // namespace pcw::aws
