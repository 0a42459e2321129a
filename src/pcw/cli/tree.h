// The command line as data: what the CLI11 tree knows about every command, read for completion
// scripts and the manual page.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

namespace pcw::cli {

enum class ValueKind {
  kNone,       ///< a flag: no value
  kText,       ///< anything
  kList,       ///< one of `choices`
  kFile,       ///< a file name
  kDirectory,  ///< a directory name
};

/// What may stand behind an option, or as a positional.
struct ValueSpec {
  ValueKind kind = ValueKind::kNone;
  std::string type;                  ///< as --help says it: "FILE", "INT", "TEXT"
  std::vector<std::string> choices;  ///< in the order of the check
  std::string limits;                ///< other checks in words: "INT in [1 - 10000]"
  std::string fallback;              ///< the default, if --help shows one
  bool is_optional = false;          ///< an option that may stand without its value
  bool is_repeatable = false;        ///< takes any number of values
};

struct OptionSpec {
  std::vector<std::string> names;  ///< with dashes, short ones first: "-o", "--output"
  std::string description;
  ValueSpec value;
};

struct PositionalSpec {
  std::string name;
  std::string description;
  ValueSpec value;
  bool is_required = false;
};

/// One command: the program itself, a noun, or a verb.
struct CommandSpec {
  std::string name;  ///< its own word: "run"
  std::string path;  ///< the words behind the program that lead to it: "sync run"; empty = program
  std::string description;
  std::string examples;               ///< the indented lines below "Examples:" of its footer
  std::string notes;                  ///< what else its footer says
  std::vector<OptionSpec> options;    ///< its own
  std::vector<OptionSpec> inherited;  ///< of the commands above it, where they may stand here too
  std::vector<PositionalSpec> positionals;
  std::vector<CommandSpec> commands;
};

/// Reads the tree that parsing uses, so that whatever is made from the result cannot differ from
/// what the program accepts. Hidden commands and options (group "") are left out.
CommandSpec ReadTree(const CLI::App& root);

/// The command and everything below it, outermost first. Points into `root`.
std::vector<const CommandSpec*> AllCommands(const CommandSpec& root);

/// Own and inherited options.
std::vector<OptionSpec> AllOptions(const CommandSpec& command);

}  // namespace pcw::cli
