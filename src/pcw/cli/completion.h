// Completion scripts for bash, zsh and fish, made from the tree that parsing uses.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace pcw::cli {

// Each script knows the whole command line: commands, options, the values of options and
// positionals that have a fixed list, file names. It never starts the program. Behind `--` neither
// commands nor options are offered. Its functions are named for the root command, which must have a
// name.

/// For bash 4 and newer. Needs no other package; defines _NAME and registers it.
std::string FormatBashCompletion(const CLI::App& root);

/// For zsh: a file of $fpath ("#compdef"), or text for `source` behind compinit. With descriptions.
std::string FormatZshCompletion(const CLI::App& root);

/// For fish, with descriptions.
std::string FormatFishCompletion(const CLI::App& root);

}  // namespace pcw::cli
