#include "pcw/cli/tree.h"

#include <algorithm>

namespace pcw::cli {
namespace {

// CLI11 tells the type and the checks of an option as one text, "TEXT:{a,b}:INT in [1 - 9]".
void ReadType(const std::string& text, ValueSpec& value) {
  const auto colon = text.find(':');
  value.type = text.substr(0, colon);
  std::string checks = colon == std::string::npos ? "" : text.substr(colon + 1);
  const auto open = checks.find('{');
  const auto close = checks.find('}', open == std::string::npos ? 0 : open);
  if (open != std::string::npos && close != std::string::npos) {
    value.kind = ValueKind::kList;
    value.choices = CLI::detail::split(checks.substr(open + 1, close - open - 1), ',');
    return;
  }
  // The checks of CLI11 that look at the disk have such names; options that check for themselves
  // say so with type_name.
  const auto is = [&](std::string_view name) { return value.type == name || checks == name; };
  value.kind = is("FILE") || is("PATH") || checks == "PATH(existing)" ? ValueKind::kFile
               : is("DIR")                                            ? ValueKind::kDirectory
                                                                      : ValueKind::kText;
  if (value.kind == ValueKind::kText) value.limits = std::move(checks);
}

ValueSpec ReadValue(const CLI::Option& option) {
  ValueSpec value;
  if (option.get_items_expected_max() == 0) return value;
  ReadType(option.get_type_name(), value);
  value.fallback = option.get_default_str();
  value.is_optional = option.get_items_expected_min() == 0;
  value.is_repeatable = option.get_items_expected_max() > 1;
  return value;
}

void ReadOptions(const CLI::App& app, CommandSpec& command) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;
    if (option->get_positional()) {
      command.positionals.push_back({.name = option->get_name(true),
                                     .description = option->get_description(),
                                     .value = ReadValue(*option),
                                     .is_required = option->get_required()});
    }
    if (!option->nonpositional()) continue;
    OptionSpec spec{
        .names = {}, .description = option->get_description(), .value = ReadValue(*option)};
    for (const std::string& name : option->get_snames()) spec.names.push_back("-" + name);
    for (const std::string& name : option->get_lnames()) spec.names.push_back("--" + name);
    command.options.push_back(std::move(spec));
  }
}

// "Examples:" and the indented lines below it are examples; every other paragraph is a note.
void ReadFooter(const std::string& footer, CommandSpec& command) {
  bool is_example = false;
  for (const std::string& line : CLI::detail::split(footer, '\n')) {
    if (line == "Examples:") {
      is_example = true;
      continue;
    }
    is_example = is_example && line.starts_with("  ");
    std::string& text = is_example ? command.examples : command.notes;
    if (line.empty() && text.empty()) continue;
    text += (is_example ? line.substr(2) : line) + "\n";
  }
}

bool Declares(const std::vector<OptionSpec>& options, const std::string& name) {
  return std::any_of(options.begin(), options.end(), [&](const OptionSpec& option) {
    return std::find(option.names.begin(), option.names.end(), name) != option.names.end();
  });
}

CommandSpec Read(const CLI::App& app, const CommandSpec* parent, const std::string& path) {
  CommandSpec command;
  command.name = app.get_name();
  command.path = path;
  command.description = app.get_description();
  // A command without a footer of its own has its parent's.
  if (app.get_parent() == nullptr || app.get_footer() != app.get_parent()->get_footer())
    ReadFooter(app.get_footer(), command);
  ReadOptions(app, command);
  const auto children = app.get_subcommands(nullptr);
  for (const CLI::App* child : children) {
    if (child->get_name().empty()) ReadOptions(*child, command);  // an option group
  }
  if (parent != nullptr && app.get_fallthrough()) {
    for (const OptionSpec& option : AllOptions(*parent)) {
      if (!Declares(command.options, option.names.front())) command.inherited.push_back(option);
    }
  }
  for (const CLI::App* child : children) {
    if (child->get_name().empty() || child->get_group().empty()) continue;
    command.commands.push_back(
        Read(*child, &command, path.empty() ? child->get_name() : path + " " + child->get_name()));
  }
  return command;
}

}  // namespace

CommandSpec ReadTree(const CLI::App& root) { return Read(root, nullptr, ""); }

std::vector<const CommandSpec*> AllCommands(const CommandSpec& root) {
  std::vector<const CommandSpec*> all{&root};
  for (const CommandSpec& command : root.commands) {
    const auto below = AllCommands(command);
    all.insert(all.end(), below.begin(), below.end());
  }
  return all;
}

std::vector<OptionSpec> AllOptions(const CommandSpec& command) {
  std::vector<OptionSpec> all = command.options;
  all.insert(all.end(), command.inherited.begin(), command.inherited.end());
  return all;
}

}  // namespace pcw::cli
