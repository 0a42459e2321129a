#include "pcw/config/suggest.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace pcw::config {
namespace {

// The nouns of AddSync and the like. Prose such as "pcw makes" is not a command.
constexpr std::array<std::string_view, 19> kNouns{
    "audit", "actions", "bronze",    "config", "credentials", "cursor",  "db",
    "dlq",   "doctor",  "drift",     "events", "history",     "mapping", "meter",
    "quota", "runs",    "schedules", "sync",   "token"};
constexpr std::array<std::string_view, 2> kWithoutTenant{"serve", "tenant"};

bool IsSafe(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
         std::string_view("-_./:=,@%+").find(c) != std::string_view::npos;
}

// As a shell takes it for one word.
std::string ShellWord(const std::string& word) {
  if (!word.empty() && std::all_of(word.begin(), word.end(), IsSafe)) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

// A setting as others may see it: what lets somebody in stays out.
std::string ShownSetting(const std::string& setting) {
  const std::string key = setting.substr(0, setting.find('='));
  const bool is_open = setting.find("://") == std::string::npos && !key.ends_with("url") &&
                       key.find("secret") == std::string::npos;
  return is_open ? setting : key + "=...";
}

CommandGlobals& Process() {
  static CommandGlobals globals;
  return globals;
}

}  // namespace

std::string WithGlobals(std::string_view text, const CommandGlobals& globals) {
  std::string common;
  if (!globals.config_file.empty()) common += " --config " + ShellWord(globals.config_file);
  for (const std::string& setting : globals.settings)
    common += " --set " + ShellWord(ShownSetting(setting));
  const bool has_tenant = !globals.tenant.empty() && globals.tenant != "default";
  const std::string tenant = has_tenant ? " --tenant " + ShellWord(globals.tenant) : "";
  constexpr std::string_view kName = "pcw ";
  std::string out;
  while (!text.empty()) {
    const std::size_t at = text.find(kName);
    if (at == std::string_view::npos) break;
    const bool is_word = at == 0 || (std::isalnum(static_cast<unsigned char>(text[at - 1])) == 0 &&
                                     text[at - 1] != '-' && text[at - 1] != '/');
    const std::string_view rest = text.substr(at + kName.size());
    const auto end = std::find_if(rest.begin(), rest.end(), [](char c) {
      return std::islower(static_cast<unsigned char>(c)) == 0;
    });
    const std::string_view noun = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
    out += text.substr(0, at + kName.size() - 1);
    if (is_word && std::find(kNouns.begin(), kNouns.end(), noun) != kNouns.end()) {
      out += common + tenant;
    } else if (is_word && std::find(kWithoutTenant.begin(), kWithoutTenant.end(), noun) !=
                              kWithoutTenant.end()) {
      out += common;
    }
    text.remove_prefix(at + kName.size() - 1);
  }
  return out += text;
}

void SetCommandGlobals(CommandGlobals globals) { Process() = std::move(globals); }

const CommandGlobals& ProcessGlobals() { return Process(); }

std::string Suggested(std::string_view text) { return WithGlobals(text, Process()); }

}  // namespace pcw::config
