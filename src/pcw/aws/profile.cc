#include "pcw/aws/profile.h"

#include <algorithm>

#include <fmt/format.h>

#include "pcw/base/file.h"

namespace pcw::aws {
namespace {

constexpr std::size_t kMostBytes = 1U << 20U;

char LowerCase(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool IsNameChar(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

// $NAME and ${NAME}, where set; then ~ at the beginning. Homes of other users are not looked up.
std::string Expanded(std::string_view path, const Environment& environment) {
  std::string out;
  while (!path.empty()) {
    const std::size_t dollar = std::min(path.find('$'), path.size());
    out += path.substr(0, dollar);
    path.remove_prefix(dollar);
    if (path.empty()) break;
    const bool has_brace = path.starts_with("${");
    std::size_t end = has_brace ? 2 : 1;
    while (end < path.size() && IsNameChar(path[end])) ++end;
    const std::string name(path.substr(has_brace ? 2 : 1, end - (has_brace ? 2 : 1)));
    const bool is_closed = !has_brace || (end < path.size() && path[end] == '}');
    if (has_brace && is_closed) ++end;
    const auto value = environment.find(name);
    if (is_closed && !name.empty() && value != environment.end()) {
      out += value->second;
    } else {
      out += path.substr(0, end);
    }
    path.remove_prefix(end);
  }
  const auto home = Lookup(environment, "HOME");
  if (home && (out == "~" || out.starts_with("~/"))) out.replace(0, 1, *home);
  return out;
}

Result<IniSections> Load(const std::string& path) {
  Result<std::string> text = ReadFile(path, kMostBytes);
  if (!text) {
    // /dev/null is how people say "none".
    if (text.error().code() == ErrorCode::kNotFound || path == "/dev/null" || path.empty())
      return IniSections();
    return std::move(text).error();
  }
  return ParseIni(*text, path);
}

}  // namespace

std::optional<std::string> Lookup(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  if (found == environment.end() || found->second.empty()) return std::nullopt;
  return found->second;
}

bool IsSameWord(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char a, char b) { return LowerCase(a) == LowerCase(b); });
}

bool IsTrue(std::string_view text) { return IsSameWord(text, "true"); }

std::optional<std::string> NamedProfile(const Environment& environment) {
  if (auto name = Lookup(environment, "AWS_DEFAULT_PROFILE")) return name;
  return Lookup(environment, "AWS_PROFILE");
}

std::string ProfileName(const Environment& environment, const std::string& configured) {
  if (!configured.empty()) return configured;
  return NamedProfile(environment).value_or("default");
}

Result<ProfileFiles> LoadProfiles(const Environment& environment) {
  const std::string home = Lookup(environment, "HOME").value_or("");
  const auto path = [&](const char* variable, const char* below_home) {
    if (const auto given = Lookup(environment, variable)) return Expanded(*given, environment);
    return home.empty() ? "" : home + below_home;
  };
  ProfileFiles files;
  files.config_path = path("AWS_CONFIG_FILE", "/.aws/config");
  files.credentials_path = path("AWS_SHARED_CREDENTIALS_FILE", "/.aws/credentials");
  PCW_TRY(const IniSections config, Load(files.config_path));
  for (const auto& [header, settings] : config) {
    const bool is_profile = header.starts_with("profile");
    const bool is_services = header.starts_with("services");
    if (header == "default") files.of_config[header] = settings;
    if (!is_profile && !is_services) continue;
    // "profile x", with quotes around a name with spaces; anything else is nobody's.
    const Result<std::vector<std::string>> words = SplitShellWords(header);
    if (!words || words->size() != 2) continue;
    (is_profile ? files.of_config : files.services)[words->back()] = settings;
  }
  files.profiles = files.of_config;
  PCW_TRY(const IniSections credentials, Load(files.credentials_path));
  for (const auto& [name, settings] : credentials) {
    files.of_credentials[name] = settings;
    for (const auto& [key, value] : settings) files.profiles[name][key] = value;
  }
  return files;
}

}  // namespace pcw::aws
