#include "pcw/app/service_user.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string_view>
#include <system_error>

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pcw/base/file.h"

namespace pcw::app {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostSettingsBytes = 64U << 10U;

// For getenv(3) too: libraries ask it.
void SetVariable(std::map<std::string, std::string>& environment, const std::string& name,
                 const std::string& value) {
  environment[name] = value;
  ::setenv(name.c_str(), value.c_str(), 1);
}

void UnsetVariable(std::map<std::string, std::string>& environment, const std::string& name) {
  environment.erase(name);
  ::unsetenv(name.c_str());
}

bool IsOwnedBy(const fs::path& directory, uid_t uid) {
  struct stat info {};
  return ::stat(directory.c_str(), &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid == uid;
}

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const std::size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

}  // namespace

std::map<std::string, std::string> ParseEnvironmentFile(const std::string& text) {
  std::map<std::string, std::string> variables;
  std::istringstream lines(text);
  for (std::string whole; std::getline(lines, whole);) {
    const std::string_view line = Trimmed(whole);
    const std::size_t equals = line.find('=');
    if (line.empty() || line.front() == '#' || line.front() == ';' || equals == 0 ||
        equals == std::string_view::npos)
      continue;
    std::string_view value = Trimmed(line.substr(equals + 1));
    const bool is_quoted = value.size() >= 2 && (value.front() == '"' || value.front() == '\'') &&
                           value.back() == value.front();
    if (is_quoted) value = value.substr(1, value.size() - 2);
    variables[std::string(Trimmed(line.substr(0, equals)))] = value;
  }
  return variables;
}

void AddServiceEnvironment(std::map<std::string, std::string>& environment,
                           const ServiceLocations& locations) {
  const auto home = environment.find("PCW_HOME");
  const bool is_owner = ::geteuid() != 0 && IsOwnedBy(locations.state, ::geteuid());
  // The package made the state for a user of its own; a home that root made is root's affair.
  const bool is_roots_default = ::geteuid() == 0 && !IsOwnedBy(locations.state, 0);
  const bool is_about_service = home != environment.end() && !home->second.empty()
                                    ? fs::path(home->second).lexically_normal() == locations.state
                                    : is_owner || is_roots_default;
  std::error_code problem;
  if (!is_about_service || !fs::is_directory(locations.state, problem)) return;
  SetVariable(environment, "PCW_HOME", locations.state);
  const Result<std::string> settings = ReadFile(locations.settings, kMostSettingsBytes);
  if (!settings) {
    if (settings.error().code() != ErrorCode::kNotFound)
      std::fprintf(stderr, "pcw: warning: %s; what it sets for the service is not in force here\n",
                   settings.error().message().c_str());
    return;
  }
  for (const auto& [name, value] : ParseEnvironmentFile(*settings)) {
    if (!environment.contains(name)) SetVariable(environment, name, value);
  }
}

Status BecomeOwnerOf(const fs::path& home, std::map<std::string, std::string>& environment) {
  struct stat info {};
  if (::geteuid() != 0 || ::stat(home.c_str(), &info) != 0 || info.st_uid == 0) return Ok{};
  const passwd* owner = ::getpwuid(info.st_uid);
  if (owner == nullptr) return Ok{};
  const std::string name = owner->pw_name;
  if (::initgroups(name.c_str(), owner->pw_gid) != 0 || ::setgid(owner->pw_gid) != 0 ||
      ::setuid(owner->pw_uid) != 0) {
    return Error(
        ErrorCode::kPermissionDenied,
        fmt::format("{0} belongs to the user {1}, and this process may not become {1} ({2}); "
                    "run it as {1}: sudo -u {1} env PCW_HOME={0} pcw ...",
                    home.string(), name, std::generic_category().message(errno)));
  }
  ::umask(077);
  SetVariable(environment, "HOME", owner->pw_dir);
  SetVariable(environment, "USER", name);
  SetVariable(environment, "LOGNAME", name);
  // Root's own directories, which the other user may not enter.
  for (const char* variable : {"XDG_RUNTIME_DIR", "XDG_STATE_HOME", "XDG_CONFIG_HOME"})
    UnsetVariable(environment, variable);
  std::fprintf(stderr, "pcw: working as %s, who owns %s\n", name.c_str(), home.c_str());
  return Ok{};
}

}  // namespace pcw::app
