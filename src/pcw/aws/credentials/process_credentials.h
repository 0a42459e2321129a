// credential_process: credentials from a program of the user's own.
#pragma once

#include <string>
#include <vector>

#include "pcw/aws/credentials.h"
#include "pcw/aws/profile.h"

namespace pcw::aws {

/// Splits a command line into words as a POSIX shell does with quotes and backslashes; nothing is
/// expanded. kConfig for an open quote or an empty line.
Result<std::vector<std::string>> SplitCommand(std::string_view command);

/// Runs the command of a profile's credential_process, without a shell, for at most a minute, and
/// reads the JSON document (Version 1) that it prints. The program gets the environment without
/// pcw's own settings (I29). kUnauthenticated, with the end of what it wrote to stderr less what
/// looks like a key, if it fails; its stdout is never quoted. A document without Expiration does
/// not expire.
class ProcessCredentials final : public CredentialsSource {
 public:
  ProcessCredentials(std::string command, std::string profile, Environment environment)
      : command_(std::move(command)),
        profile_(std::move(profile)),
        environment_(std::move(environment)) {}
  Result<CredentialsPtr> Fetch(std::stop_token stop) override;

 private:
  const std::string command_;
  const std::string profile_;
  const Environment environment_;
};

}  // namespace pcw::aws
