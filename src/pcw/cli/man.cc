// pcw man
#include "pcw/cli/man.h"

#include <cctype>
#include <cstdio>
#include <vector>

#include <fmt/format.h>

#include "pcw/cli/cli.h"
#include "pcw/cli/tree.h"

namespace pcw::cli {
namespace {

// Text as it stands: nothing in it is an instruction, and every sign can be copied into a shell.
std::string Roff(std::string_view text) {
  std::string escaped;
  bool is_line_start = true;
  for (const char c : text) {
    // A line that starts with a dot or an apostrophe would be a request.
    if (is_line_start && (c == '.' || c == '\'')) escaped += "\\&";
    is_line_start = c == '\n';
    switch (c) {
      case '\\':
        escaped += "\\e";
        break;
      case '-':
        escaped += "\\-";
        break;
      case '\'':
        escaped += "\\(aq";
        break;
      case '"':
        escaped += "\\(dq";
        break;
      case '`':
        escaped += "\\(ga";
        break;
      case '^':
        escaped += "\\(ha";
        break;
      case '~':
        escaped += "\\(ti";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string Bold(std::string_view text) { return "\\fB" + Roff(text) + "\\fR"; }
std::string Italic(std::string_view text) { return "\\fI" + Roff(text) + "\\fR"; }

std::string Section(std::string_view title) { return fmt::format(".SH {}\n", title); }

std::string Sentence(std::string text) {
  if (!text.empty() && text.back() != '.') text += '.';
  return text;
}

std::string WithoutStop(std::string text) {
  if (text.ends_with('.')) text.pop_back();
  return text;
}

// What stands for the value: "table|json|ndjson", "FILE".
std::string Placeholder(const ValueSpec& value) {
  if (value.kind != ValueKind::kList) return Italic(value.type);
  std::vector<std::string> words;
  for (const std::string& choice : value.choices) words.push_back(Bold(choice));
  return fmt::format("{}", fmt::join(words, "|\\:"));
}

// The default and the limits, as sentences.
std::string Remarks(const ValueSpec& value) {
  std::string text;
  if (!value.limits.empty()) text += " " + Roff(value.limits) + ".";
  if (!value.fallback.empty()) text += " Default: " + Roff(value.fallback) + ".";
  return text;
}

std::string Entry(const std::string& tag, const std::string& text) {
  return fmt::format(".TP\n{}\n{}\n", tag, text.empty() ? "\\&" : text);
}

std::string OptionEntry(const OptionSpec& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.names) names.push_back(Bold(name));
  std::string tag = fmt::format("{}", fmt::join(names, ", "));
  if (option.value.kind != ValueKind::kNone) {
    const std::string value = Placeholder(option.value);
    tag += " " + (option.value.is_optional ? "[" + value + "]" : value);
  }
  return Entry(tag, Roff(Sentence(option.description)) + Remarks(option.value));
}

std::string PositionalEntry(const PositionalSpec& positional) {
  std::string text = Roff(Sentence(positional.description)) + Remarks(positional.value);
  if (positional.value.kind == ValueKind::kList)
    text += " One of: " + Placeholder(positional.value) + ".";
  return Entry(Italic(positional.name), text);
}

// The --help option is the same everywhere and is told once, with the program's own options.
std::vector<OptionSpec> OwnOptions(const CommandSpec& command, const CommandSpec& root) {
  std::vector<OptionSpec> options;
  for (const OptionSpec& option : command.options) {
    bool is_of_root = false;
    for (const OptionSpec& global : root.options)
      is_of_root =
          is_of_root || (option.names == global.names && option.description == global.description);
    if (!is_of_root) options.push_back(option);
  }
  return options;
}

// "pcw sync run connector entity [options]"
std::string Usage(const CommandSpec& command, const CommandSpec& root) {
  std::string text =
      Bold(command.path.empty() ? root.name : fmt::format("{} {}", root.name, command.path));
  for (const PositionalSpec& positional : command.positionals) {
    std::string name = Italic(positional.name);
    if (positional.value.is_repeatable) name += " ...";
    text += " " + (positional.is_required ? name : "[" + name + "]");
  }
  if (!OwnOptions(command, root).empty()) text += " [" + Italic("options") + "]";
  return text;
}

// An empty line would be any amount of space; it is a new paragraph.
std::string Paragraphs(const std::string& text) {
  std::string paragraphs = ".PP\n";
  for (const std::string& line : CLI::detail::split(text, '\n'))
    paragraphs += line.empty() ? ".PP\n" : Roff(line) + "\n";
  return paragraphs;
}

std::string Details(const CommandSpec& command, const CommandSpec& root) {
  std::string text;
  for (const PositionalSpec& positional : command.positionals) text += PositionalEntry(positional);
  for (const OptionSpec& option : OwnOptions(command, root)) text += OptionEntry(option);
  if (!command.notes.empty()) text += Paragraphs(command.notes);
  return text;
}

// A command and the ones below it: a noun is a heading, a verb an entry below it.
std::string Commands(const CommandSpec& noun, const CommandSpec& root) {
  std::string text = fmt::format(".SS {} {}\n", Roff(root.name), Roff(noun.path));
  text += Roff(Sentence(noun.description)) + "\n";
  if (noun.commands.empty()) text += ".PP\n" + Usage(noun, root) + "\n";
  text += Details(noun, root);
  for (const CommandSpec* command : AllCommands(noun)) {
    if (command == &noun) continue;
    text += Entry(Usage(*command, root), Roff(Sentence(command->description)));
    const std::string details = Details(*command, root);
    if (!details.empty()) text += ".RS\n" + details + ".RE\n";
  }
  return text;
}

std::string Examples(const CommandSpec& root) {
  std::string text;
  for (const CommandSpec* command : AllCommands(root)) {
    if (command->examples.empty()) continue;
    // A heading stands apart by itself.
    if (!text.empty()) text += ".PP\n";
    text += command->path.empty() ? "First steps" : Roff(WithoutStop(command->description));
    text += ":\n";
    text += ".PP\n.RS 4\n.nf\n" + Roff(command->examples) + ".fi\n.RE\n";
  }
  return text;
}

std::string ExitStatus() {
  std::string text;
  for (const ExitCode& row : ExitCodes()) {
    std::string meaning = Sentence(std::string(row.meaning));
    if (!row.remedy.empty()) meaning += " " + std::string(row.remedy);
    text += Entry(fmt::format("\\fB{}\\fR", row.code), Roff(meaning));
  }
  return text;
}

constexpr std::string_view kConventions = R"(.PP
Data goes to standard output, talk to standard error.
Reading commands take
.BR \-o ,
which also prints JSON for programs: members may be added to it, never changed.
A run id may be shortened to its first 8 or more characters.
Interrupting once stops cleanly, twice at once.
)";

constexpr std::string_view kEnvironment = R"(.TP
.B PCW_HOME
The directory of the private database, the lake and other state, if no others are configured.
.TP
.B PCW_CONFIG
The configuration file, if
.B \-\-config
is not given.
.TP
.BI PCW_ KEY
Every configuration key has a twin in the environment:
.B database.url
is
.BR PCW_DATABASE_URL .
It beats the file;
.B \-\-set
beats it.
.B pcw config show \-\-origin
prints every key and where its value comes from.
.TP
.BR AWS_PROFILE ", " AWS_REGION ", " AWS_ENDPOINT_URL ", ..."
Credentials, region and endpoints are found as AWS\(aqs own tools find them; see the AWS SDKs and
Tools Reference Guide.
)";

constexpr std::string_view kFiles = R"(.TP
.IR ./pcw.yaml ", " /etc/pcw/pcw.yaml
The configuration: the first one that exists.
.B pcw config show \-\-example
prints one with every key, its default and a comment.
.TP
.IR /var/lib/pcw ", " \(ti/.local/state/pcw
The default of
.B PCW_HOME
for root, and for everybody else.
.TP
.IR \(ti/.aws/config ", " \(ti/.aws/credentials
AWS\(aqs own settings.
)";

constexpr std::string_view kSeeAlso = R"(.BR aws (1),
.BR jq (1),
.BR psql (1)
.PP
docs/cli.md, docs/runbook.md and docs/errors.md of the source
)";

}  // namespace

std::string FormatManPage(const CLI::App& app, std::string_view version) {
  const CommandSpec root = ReadTree(app);
  std::string title = root.name;
  for (char& c : title) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  // The description is a sentence that starts with the program's name; NAME wants the rest of it.
  std::string purpose = WithoutStop(root.description);
  if (purpose.starts_with(root.name + " ")) purpose.erase(0, root.name.size() + 1);

  std::string page = fmt::format(".TH {} 1 \"\" \"{} {}\" \"User Commands\"\n", Roff(title),
                                 Roff(root.name), Roff(version));
  // Neither hyphenated words nor stretched lines: what is shown can be searched and copied.
  page += ".nh\n.ad l\n";
  page += Section("NAME") + fmt::format("{} \\- {}\n", Roff(root.name), Roff(purpose));
  page += Section("SYNOPSIS");
  page += fmt::format("{} [{}] {} [{} ...]\n", Bold(root.name), Italic("options"),
                      Italic("command"), Italic("argument"));
  page += Section("DESCRIPTION") + Roff(Sentence(root.description)) + "\n";
  page += kConventions;
  page += Section("OPTIONS");
  if (app.get_fallthrough()) page += "These may stand behind every command, too.\n";
  for (const OptionSpec& option : root.options) page += OptionEntry(option);
  page += Section("COMMANDS");
  for (const CommandSpec& noun : root.commands) page += Commands(noun, root);
  page += Section("EXIT STATUS") + ExitStatus();
  page += Section("ENVIRONMENT").append(kEnvironment);
  page += Section("FILES").append(kFiles);
  page += Section("EXAMPLES") + Examples(root);
  page += Section("SEE ALSO").append(kSeeAlso);
  return page;
}

void AddMan(CLI::App& root, wiring::Invocation& invocation) {
  CLI::App* man = AddVerb(root, "man", "Print the manual page pcw(1)",
                          "  pcw man | man -l -\n"
                          "  mkdir -p /usr/local/share/man/man1 && pcw man > "
                          "/usr/local/share/man/man1/pcw.1    # then: man pcw");
  man->callback([&root, &invocation] {
    invocation.verb = [&root]() -> Result<int> {
      std::fputs(FormatManPage(root, PCW_VERSION).c_str(), stdout);
      return kExitOk;
    };
  });
}

}  // namespace pcw::cli
