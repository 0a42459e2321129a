#include "pcw/diagnose/config_probes.h"

#include <fmt/format.h>
#include <unistd.h>

#include "pcw/aws/endpoint.h"

namespace pcw::diagnose {
namespace {

// A message that begins with the setting stays as it is.
std::string LineOf(const std::string& setting, const Error& error) {
  const std::string& message = error.message();
  return setting.empty() || message.starts_with(setting) ? message
                                                         : fmt::format("{}: {}", setting, message);
}

}  // namespace

Status ProbeWritable(const std::filesystem::path& wanted) {
  std::filesystem::path directory = wanted;
  std::error_code problem;
  while (!std::filesystem::exists(directory, problem) && directory.has_relative_path())
    directory = directory.parent_path();
  const bool is_directory = std::filesystem::is_directory(directory, problem);
  if (is_directory && ::access(directory.c_str(), W_OK | X_OK) == 0) return Ok{};
  return Error(ErrorCode::kConfig,
               fmt::format("{} cannot be written: {} is {}", wanted.string(), directory.string(),
                           is_directory ? "not writable for this user" : "not a directory"));
}

std::vector<std::string> FindEndpointProblems(const ConfigSubject& subject) {
  const Result<aws::ProfileFiles> files = aws::LoadProfiles(subject.environment);
  if (!files) return {files.error().message()};
  const std::string profile = aws::ProfileName(subject.environment, subject.profile);
  std::vector<std::string> problems;
  for (const aws::ServiceDef* service : subject.services) {
    const Result<aws::Endpoint> endpoint =
        aws::ResolveEndpoint(*service, subject.region, subject.environment, *files, profile);
    // One AWS_ENDPOINT_URL is wrong for all of them.
    if (!endpoint && (problems.empty() || problems.back() != endpoint.error().message()))
      problems.push_back(endpoint.error().message());
  }
  return problems;
}

std::vector<std::string> RunProbes(const std::vector<ConfigProbe>& probes) {
  std::vector<std::string> problems;
  for (const ConfigProbe& probe : probes) {
    if (const Status looked = probe.look(); !looked)
      problems.push_back(LineOf(probe.setting, looked.error()));
  }
  return problems;
}

std::vector<std::string> FindConfigProblems(const ConfigSubject& subject) {
  std::vector<std::string> problems = FindEndpointProblems(subject);
  if (const Result<aws::ProfileFiles> files = aws::LoadProfiles(subject.environment)) {
    const std::string profile = aws::ProfileName(subject.environment, subject.profile);
    const bool is_named =
        !subject.profile.empty() || aws::NamedProfile(subject.environment).has_value();
    if (is_named && !files->profiles.contains(profile)) {
      problems.push_back(fmt::format("{}: there is no profile {} in {} or {}",
                                     subject.profile.empty() ? "AWS_PROFILE" : "aws.profile",
                                     profile, files->config_path, files->credentials_path));
    }
    const auto bundle =
        aws::AwsSetting(subject.environment, *files, profile, "AWS_CA_BUNDLE", "ca_bundle");
    if (bundle && ::access(bundle->c_str(), R_OK) != 0) {
      problems.push_back(fmt::format(
          "AWS_CA_BUNDLE or ca_bundle of profile {}: {} cannot be read; expected a PEM file of "
          "authorities",
          profile, *bundle));
    }
  }
  for (const auto& [setting, directory] : subject.writable) {
    if (const Status can_write = ProbeWritable(directory); !can_write)
      problems.push_back(LineOf(setting, can_write.error()));
  }
  for (std::string& problem : RunProbes(subject.more)) problems.push_back(std::move(problem));
  return problems;
}

Error ConfigError(const std::vector<std::string>& problems) {
  std::string message = fmt::format("the configuration has {} problem{}:", problems.size(),
                                    problems.size() == 1 ? "" : "s");
  for (const std::string& problem : problems) message += "\n" + problem;
  return Error(ErrorCode::kConfig, message);
}

}  // namespace pcw::diagnose
