#include "pcw/aws/profile.h"

#include <fmt/format.h>

#include "pcw/base/file.h"

namespace pcw::aws {
namespace {

constexpr std::size_t kMostBytes = 1U << 20U;

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

Result<std::map<std::string, ProfileSettings>> Load(const std::string& path) {
  Result<std::string> text = ReadFile(path, kMostBytes);
  if (!text) {
    // /dev/null is how people say "none".
    if (text.error().code() == ErrorCode::kNotFound || path == "/dev/null" || path.empty())
      return std::map<std::string, ProfileSettings>();
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

std::string ProfileName(const Environment& environment, const std::string& configured) {
  if (!configured.empty()) return configured;
  return Lookup(environment, "AWS_PROFILE").value_or("default");
}

Result<std::map<std::string, ProfileSettings>> ParseIni(std::string_view text,
                                                        std::string_view file) {
  std::map<std::string, ProfileSettings> sections;
  ProfileSettings* section = nullptr;
  std::string parent;  // the key whose nested settings are being read
  int number = 0;
  while (!text.empty()) {
    ++number;
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::string_view content = Trim(line);
    const auto bad = [&](std::string_view what) {
      return Error(ErrorCode::kConfig, fmt::format("{}:{}: {}", file, number, what));
    };
    if (content.empty() || content.front() == '#' || content.front() == ';') continue;
    if (content.front() == '[') {
      const auto close = content.find(']');
      if (close == std::string_view::npos) return bad("a section header without ]");
      section = &sections[std::string(Trim(content.substr(1, close - 1)))];
      parent.clear();
      continue;
    }
    const auto equals = content.find('=');
    if (equals == std::string_view::npos) return bad("expected key = value");
    if (section == nullptr) return bad("a setting before the first [section]");
    const std::string key(Trim(content.substr(0, equals)));
    std::string_view value = Trim(content.substr(equals + 1));
    for (const std::string_view comment : {" #", " ;", "\t#", "\t;"})
      value = Trim(value.substr(0, value.find(comment)));
    const bool is_nested = (line.front() == ' ' || line.front() == '\t') && !parent.empty();
    (*section)[is_nested ? parent + "." + key : key] = value;
    if (!is_nested) parent = value.empty() ? key : "";
  }
  return sections;
}

Result<ProfileFiles> LoadProfiles(const Environment& environment) {
  const std::string home = Lookup(environment, "HOME").value_or("");
  ProfileFiles files;
  files.config_path =
      Lookup(environment, "AWS_CONFIG_FILE").value_or(home.empty() ? "" : home + "/.aws/config");
  files.credentials_path = Lookup(environment, "AWS_SHARED_CREDENTIALS_FILE")
                               .value_or(home.empty() ? "" : home + "/.aws/credentials");
  PCW_TRY(const auto config, Load(files.config_path));
  for (const auto& [header, settings] : config) {
    if (header == "default") files.profiles[header] = settings;
    if (header.starts_with("profile "))
      files.profiles[std::string(Trim(std::string_view(header).substr(8)))] = settings;
    if (header.starts_with("services "))
      files.services[std::string(Trim(std::string_view(header).substr(9)))] = settings;
  }
  PCW_TRY(const auto credentials, Load(files.credentials_path));
  for (const auto& [name, settings] : credentials) {
    for (const auto& [key, value] : settings) files.profiles[name][key] = value;
  }
  return files;
}

}  // namespace pcw::aws
