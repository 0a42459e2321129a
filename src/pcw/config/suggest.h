// Commands that pcw suggests, as they must be typed for what this invocation is about.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pcw::config {

/// The global options of an invocation, which its suggestions need too. Without them a command
/// that was pasted would look at another tenant's data, or at another configuration.
struct CommandGlobals {
  std::string config_file;            ///< --config; empty = found by itself
  std::vector<std::string> settings;  ///< --set
  std::string tenant;                 ///< --tenant; empty or "default" = none
};

/// `text` with the global options in every command that it names: "pcw runs list" becomes
/// "pcw --tenant acme runs list". A command is `pcw` and a noun of the command line; --tenant is
/// left out where it says nothing (serve, tenant).
std::string WithGlobals(std::string_view text, const CommandGlobals& globals);

/// The same with the globals of this process, which main sets once, before there are threads.
void SetCommandGlobals(CommandGlobals globals);
const CommandGlobals& ProcessGlobals();
std::string Suggested(std::string_view text);

}  // namespace pcw::config
