// pcw completion bash|zsh|fish
#include "pcw/cli/completion.h"

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "pcw/cli/cli.h"
#include "pcw/cli/tree.h"

namespace pcw::cli {
namespace {

std::string ReplaceAll(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

// A fixed part of a script, in which PROGRAM stands for the program's name.
std::string Named(std::string_view text, const std::string& program) {
  return ReplaceAll(std::string(text), "PROGRAM", program);
}

std::string PosixQuote(const std::string& text) {
  return "'" + ReplaceAll(text, "'", R"('\'')") + "'";
}

std::string FishQuote(const std::string& text) {
  return "'" + ReplaceAll(ReplaceAll(text, "\\", "\\\\"), "'", "\\'") + "'";
}

std::vector<std::string> Quoted(const std::vector<std::string>& words) {
  std::vector<std::string> quoted;
  for (const std::string& word : words) quoted.push_back(PosixQuote(word));
  return quoted;
}

std::vector<std::string> NamesOf(const std::vector<CommandSpec>& commands) {
  std::vector<std::string> names;
  for (const CommandSpec& command : commands) names.push_back(command.name);
  return names;
}

// ---- bash ----

// The assignments that tell _NAME what a value is; empty for flags.
std::string BashValue(const ValueSpec& value) {
  std::string text;
  switch (value.kind) {
    case ValueKind::kNone:
      return "";
    case ValueKind::kText:
      text = "kind='text'";
      break;
    case ValueKind::kFile:
      text = "kind='file'";
      break;
    case ValueKind::kDirectory:
      text = "kind='directory'";
      break;
    case ValueKind::kList:
      text = fmt::format("kind='list' values=({})", fmt::join(Quoted(value.choices), " "));
      break;
  }
  return value.is_optional ? text + " may_be_absent=1" : text;
}

std::string BashCommand(const CommandSpec& command) {
  std::vector<std::string> names;
  std::string places;
  for (const OptionSpec& option : AllOptions(command)) {
    names.insert(names.end(), option.names.begin(), option.names.end());
    const std::string value = BashValue(option.value);
    if (!value.empty())
      places += fmt::format("        {}) {} ;;\n", fmt::join(Quoted(option.names), " | "), value);
  }
  int number = 0;
  for (const PositionalSpec& positional : command.positionals) {
    // A positional that takes many values stands for every later place as well.
    const std::string place =
        positional.value.is_repeatable ? "[0-9]*" : fmt::format("{}", ++number);
    places += fmt::format("        {}) {} ;;\n", place, BashValue(positional.value));
  }
  std::string text =
      fmt::format("    {})\n      commands=({}) options=({})\n", PosixQuote(command.path),
                  fmt::join(Quoted(NamesOf(command.commands)), " "), fmt::join(Quoted(names), " "));
  if (!places.empty()) text += "      case $2 in\n" + places + "      esac\n";
  return text + "      ;;\n";
}

constexpr std::string_view kBashHead =
    R"(# bash completion for PROGRAM; made by `PROGRAM completion bash`.

# What may stand behind the commands $1 (commands, options), and what the value of the option $2, or
# the positional number $2, is (kind, values, may_be_absent): sets the variables of _PROGRAM.
__PROGRAM_describe() {
  commands=() options=() values=() kind='' may_be_absent=''
  case $1 in
)";

constexpr std::string_view kBashTail = R"(  esac
}

_PROGRAM() {
  local commands options values kind may_be_absent
  local words=() word glue='' index path='' expects='' positionals=0 options_ended='' prefix=''
  COMPREPLY=()

  # Readline takes --option=value and key=value apart; here they are one word again.
  for ((index = 1; index <= COMP_CWORD; index++)); do
    word=${COMP_WORDS[index]}
    if [[ $word =~ ^[=:]+$ ]]; then
      glue=1
    elif [[ ! $glue ]]; then
      words+=("$word")
      continue
    else
      glue=''
    fi
    if ((${#words[@]})); then words[-1]+=$word; else words=("$word"); fi
  done
  local current=${words[-1]}
  unset 'words[-1]'

  for word in "${words[@]}"; do
    __PROGRAM_describe "$path" "$expects"
    if [[ $expects && ! ($may_be_absent && $word == -*) ]]; then
      expects=''
      continue
    fi
    expects=''
    if [[ ! $options_ended && $word == -* ]]; then
      if [[ $word == -- ]]; then
        options_ended=1
      else
        __PROGRAM_describe "$path" "$word"
        if [[ $kind ]]; then expects=$word; fi
      fi
    elif [[ ! $options_ended && $positionals == 0 && " ${commands[*]} " == *" $word "* ]]; then
      path+=${path:+ }$word
    else
      ((++positionals))
    fi
  done

  if [[ ! $options_ended && ! $expects && $current == --*=* ]]; then
    expects=${current%%=*}
    # Readline replaces what stands behind the "=" only, unless "=" is no word break here.
    if [[ ${COMP_WORDS[COMP_CWORD]} == --*=* ]]; then prefix=$expects=; fi
    current=${current#*=}
    may_be_absent=''
  fi
  __PROGRAM_describe "$path" "${expects:-$((positionals + 1))}"
  local candidates=()
  if [[ $expects && ! ($may_be_absent && $current == -*) ]]; then
    candidates=("${values[@]}")
  elif [[ ! $options_ended && $current == -* ]]; then
    candidates=("${options[@]}") kind=''
  else
    candidates=("${values[@]}")
    if [[ ! $options_ended && $positionals == 0 ]]; then candidates+=("${commands[@]}"); fi
    if [[ ! $options_ended && ! $kind && ${#commands[@]} == 0 ]]; then candidates+=("${options[@]}"); fi
  fi

  if [[ $kind == file || $kind == directory ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -A "$kind" -P "$prefix" -- "$current")
    return
  fi
  for word in "${candidates[@]}"; do
    if [[ $word == "$current"* ]]; then COMPREPLY+=("$prefix$word"); fi
  done
}

complete -F _PROGRAM PROGRAM
)";

// ---- zsh ----

// Within one _arguments specification the characters \ : [ ] have a meaning.
std::string ZshText(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\\' || c == ':' || c == '[' || c == ']') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

// "message:action" of a value.
std::string ZshValue(const ValueSpec& value, const std::string& message) {
  const std::string head = ZshText(message) + ":";
  switch (value.kind) {
    case ValueKind::kNone:
      return "";
    case ValueKind::kText:
      return head + " ";
    case ValueKind::kFile:
      return head + "_files";
    case ValueKind::kDirectory:
      return head + "_files -/";
    case ValueKind::kList: {
      std::vector<std::string> words;
      for (const std::string& choice : value.choices) words.push_back(ZshText(choice));
      return fmt::format("{}({})", head, fmt::join(words, " "));
    }
  }
  return head;
}

std::string ZshOption(const OptionSpec& option) {
  std::string specs;
  for (const std::string& name : option.names) {
    const bool is_long = name.starts_with("--");
    std::string spec;
    if (option.value.is_repeatable) {
      spec = "*";
    } else if (option.names.size() > 1) {
      spec = fmt::format("({})", fmt::join(option.names, " "));
    }
    spec += name;
    if (option.value.kind != ValueKind::kNone) spec += is_long ? "=" : "+";
    spec += fmt::format("[{}]", ZshText(option.description));
    if (option.value.kind != ValueKind::kNone) {
      spec += option.value.is_optional ? "::" : ":";
      spec += ZshValue(option.value, is_long ? name.substr(2) : option.names.back().substr(2));
    }
    specs += " \\\n    " + PosixQuote(spec);
  }
  return specs;
}

std::string ZshFunction(const CommandSpec& command, const std::string& program) {
  const std::string function =
      command.path.empty() ? "_" + program : fmt::format("_{} {}", program, command.path);
  std::string text = fmt::format("{}() {{\n", ReplaceAll(function, " ", "_"));
  text +=
      "  local curcontext=$curcontext context state state_descr line ret=1\n"
      "  local -A opt_args\n"
      "  _arguments -C -S";
  for (const OptionSpec& option : AllOptions(command)) text += ZshOption(option);
  int number = 0;
  for (const PositionalSpec& positional : command.positionals) {
    const std::string place = positional.value.is_repeatable ? "*" : fmt::format("{}", ++number);
    text +=
        " \\\n    " + PosixQuote(fmt::format("{}:{}{}", place, positional.is_required ? "" : ":",
                                             ZshValue(positional.value, positional.name)));
  }
  if (command.commands.empty()) return text + " && ret=0\n  return ret\n}\n\n";

  text += " \\\n    '(-): :->command' '(-)*:: :->rest' && ret=0\n  case $state in\n    command)\n";
  text += "      local -a commands=(\n";
  std::string calls;
  for (const CommandSpec& below : command.commands) {
    // _describe knows the colon only.
    text += "        " + PosixQuote(below.name + ":" + below.description) + "\n";
    calls += fmt::format("        {}) {}_{} && ret=0 ;;\n", PosixQuote(below.name),
                         ReplaceAll(function, " ", "_"), below.name);
  }
  text += "      )\n      _describe -t commands command commands && ret=0\n      ;;\n";
  text += "    rest)\n      case $line[1] in\n" + calls + "      esac\n      ;;\n";
  return text + "  esac\n  return ret\n}\n\n";
}

constexpr std::string_view kZshTail = R"(if [[ $funcstack[1] == _PROGRAM ]]; then
  _PROGRAM "$@"
else
  compdef _PROGRAM PROGRAM
fi
)";

// ---- fish ----

constexpr std::string_view kFishHead =
    R"(# fish completion for PROGRAM; made by `PROGRAM completion fish`.

# Prints the commands on the line, then how many positionals stand behind them, then "ended" if
# there was a "--"; a line each.
function __PROGRAM_place
    set -l path ''
    set -l positionals 0
    set -l ended no
    set -l skips no
    set -l words (commandline -opc)
    for word in $words[2..-1]
        if test $skips = yes
            set skips no
        else if test $ended = no; and test "$word" = --
            set ended ended
        else if test $ended = no; and string match -q -- '-*' "$word"
            if __PROGRAM_takes_value $path $word
                set skips yes
            end
        else if test $ended = no; and test $positionals = 0; and __PROGRAM_is_command (string trim "$path $word")
            set path (string trim "$path $word")
        else
            set positionals (math $positionals + 1)
        end
    end
    printf '%s\n' $path $positionals $ended
end

# Whether the line ends behind exactly the commands $argv[1] and is at "command", or at the
# positional number $argv[2] ("N+": or a later one).
function __PROGRAM_at
    set -l place (__PROGRAM_place)
    test "$place[1]" = "$argv[1]"; or return 1
    switch $argv[2]
        case command
            test $place[2] = 0; and test $place[3] = no
        case '*+'
            test $place[2] -ge (math (string trim -c + $argv[2]) - 1)
        case '*'
            test $place[2] = (math $argv[2] - 1)
    end
end

# Whether the commands on the line are one of $argv.
function __PROGRAM_in
    set -l place (__PROGRAM_place)
    contains -- "$place[1]" $argv; and test $place[3] = no
end

)";

std::string FishSwitch(const std::string& function, const std::vector<std::string>& words) {
  std::string text = fmt::format("function {}\n    switch \"$argv\"\n        case", function);
  for (const std::string& word : words) text += " \\\n            " + FishQuote(word);
  return text + "\n            return 0\n    end\n    return 1\nend\n\n";
}

std::string FishValue(const ValueSpec& value) {
  // An optional value is offered behind "=" only: the word behind the option may be something else.
  const std::string exclusive = value.is_optional ? " -f" : " -x";
  switch (value.kind) {
    case ValueKind::kNone:
      return "";
    case ValueKind::kText:
      return exclusive;
    case ValueKind::kFile:
    case ValueKind::kDirectory:
      return " -r -F";
    case ValueKind::kList:
      return fmt::format("{} -a {}", exclusive,
                         FishQuote(fmt::format("{}", fmt::join(value.choices, " "))));
  }
  return "";
}

std::string FishOption(const OptionSpec& option) {
  std::string text;
  for (const std::string& name : option.names)
    text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  return text + FishValue(option.value) + " -d " + FishQuote(option.description);
}

std::string FishPositionals(const CommandSpec& command, const std::string& program) {
  std::string text;
  int number = 0;
  for (const PositionalSpec& positional : command.positionals) {
    ++number;
    if (positional.value.kind == ValueKind::kText) continue;
    const std::string condition = fmt::format("__{}_at {} {}{}", program, FishQuote(command.path),
                                              number, positional.value.is_repeatable ? "+" : "");
    const std::string values =
        positional.value.kind == ValueKind::kList
            ? " -a " + FishQuote(fmt::format("{}", fmt::join(positional.value.choices, " ")))
            : " -F";
    text += fmt::format("complete -c {} -n {}{} -d {}\n", program, FishQuote(condition), values,
                        FishQuote(positional.description));
  }
  return text;
}

// ---- the verb ----

void AddShell(CLI::App& noun, const CLI::App& root, wiring::Invocation& invocation,
              const std::string& name, const std::string& examples,
              std::string (*format)(const CLI::App&)) {
  CLI::App* verb = AddVerb(noun, name, "Print the completion script for " + name, examples);
  verb->callback([&root, &invocation, format] {
    invocation.verb = [&root, format]() -> Result<int> {
      std::fputs(format(root).c_str(), stdout);
      return kExitOk;
    };
  });
}

}  // namespace

std::string FormatBashCompletion(const CLI::App& root) {
  const CommandSpec tree = ReadTree(root);
  std::string text = Named(kBashHead, tree.name);
  for (const CommandSpec* command : AllCommands(tree)) text += BashCommand(*command);
  return text + Named(kBashTail, tree.name);
}

std::string FormatZshCompletion(const CLI::App& root) {
  const CommandSpec tree = ReadTree(root);
  std::string text =
      Named("#compdef PROGRAM\n# zsh completion for PROGRAM; made by `PROGRAM completion zsh`.\n\n",
            tree.name);
  for (const CommandSpec* command : AllCommands(tree)) text += ZshFunction(*command, tree.name);
  return text + Named(kZshTail, tree.name);
}

std::string FormatFishCompletion(const CLI::App& root) {
  const CommandSpec tree = ReadTree(root);
  const auto commands = AllCommands(tree);

  std::vector<std::string> paths;        // every command
  std::vector<std::string> takes_value;  // "path option", for options whose value must follow
  std::vector<std::pair<std::string, std::vector<std::string>>>
      options;  // and where they may stand
  std::string lines;
  for (const CommandSpec* command : commands) {
    if (!command->path.empty()) paths.push_back(command->path);
    for (const OptionSpec& option : AllOptions(*command)) {
      if (option.value.kind != ValueKind::kNone && !option.value.is_optional) {
        for (const std::string& name : option.names)
          takes_value.push_back(command->path + " " + name);
      }
      const std::string text = FishOption(option);
      auto known = std::find_if(options.begin(), options.end(),
                                [&](const auto& entry) { return entry.first == text; });
      if (known == options.end()) known = options.insert(known, {text, {}});
      known->second.push_back(FishQuote(command->path));
    }
    for (const CommandSpec& below : command->commands) {
      const std::string condition =
          fmt::format("__{}_at {} command", tree.name, FishQuote(command->path));
      lines += fmt::format("complete -c {} -n {} -a {} -d {}\n", tree.name, FishQuote(condition),
                           below.name, FishQuote(below.description));
    }
    lines += FishPositionals(*command, tree.name);
  }
  for (const auto& [text, places] : options) {
    const std::string condition = fmt::format("__{}_in {}", tree.name, fmt::join(places, " "));
    const bool is_everywhere = places.size() == commands.size();
    lines += fmt::format("complete -c {}{}{}\n", tree.name,
                         is_everywhere ? "" : " -n " + FishQuote(condition), text);
  }
  return Named(kFishHead, tree.name) + FishSwitch(Named("__PROGRAM_is_command", tree.name), paths) +
         FishSwitch(Named("__PROGRAM_takes_value", tree.name), takes_value) +
         Named("complete -c PROGRAM -f\n", tree.name) + lines;
}

void AddCompletion(CLI::App& root, wiring::Invocation& invocation) {
  CLI::App* noun =
      root.add_subcommand("completion", "Scripts that complete pcw's command line in a shell")
          ->require_subcommand(1);
  AddShell(*noun, root, invocation, "bash",
           "  pcw completion bash > /etc/bash_completion.d/pcw     # for everybody, with the "
           "package bash-completion\n"
           "  echo 'source <(pcw completion bash)' >> ~/.bashrc    # for you, without it",
           FormatBashCompletion);
  AddShell(*noun, root, invocation, "zsh",
           "  pcw completion zsh > /usr/local/share/zsh/site-functions/_pcw    # for everybody\n"
           "  echo 'source <(pcw completion zsh)' >> ~/.zshrc                  # for you, behind "
           "compinit",
           FormatZshCompletion);
  AddShell(*noun, root, invocation, "fish",
           "  pcw completion fish > /etc/fish/completions/pcw.fish               # for everybody\n"
           "  pcw completion fish | source                                       # for this shell",
           FormatFishCompletion);
}

}  // namespace pcw::cli
