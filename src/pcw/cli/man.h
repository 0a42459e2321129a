// The manual page, made from the tree that parsing uses.
#pragma once

#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

namespace pcw::cli {

/// pcw(1) in roff, man macros: every command with its options and positionals, the exit codes
/// (ExitCodes), environment, files, and the examples of every --help.
///
/// What the page says of commands comes from the tree; environment and files are told in words. It
/// carries the version and no date, so that the same binary always prints the same page.
std::string FormatManPage(const CLI::App& root, std::string_view version);

}  // namespace pcw::cli
