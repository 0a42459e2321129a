#include "pcw/config/config.h"

#include <algorithm>
#include <array>
#include <limits>
#include <set>
#include <tuple>

#include <fmt/format.h>
#include <sys/stat.h>

#include "pcw/aws/profile.h"
#include "pcw/base/file.h"
#include "pcw/base/nearest.h"
#include "pcw/base/time.h"
#include "pcw/config/config_keys.h"
#include "pcw/config/queue_urls.h"
#include "pcw/config/service_links.h"
#include "pcw/connector/yaml_document.h"
#include "pcw/net/url.h"
#include "pcw/pg/conninfo.h"

namespace pcw::config {
namespace {

using connector::YamlNode;
namespace fs = std::filesystem;

constexpr std::size_t kMostFileBytes = 256U << 10U;
// PCW_* variables that are not settings.
constexpr std::array<std::string_view, 11> kOtherVariables{
    "PCW_TOKEN",           "PCW_HOME",         "PCW_CONFIG", "PCW_FAILPOINT",
    "PCW_FAILPOINT_LOG",   "PCW_BIN",          "PCW_SHARED", "PCW_PG_BIN",
    "PCW_UPDATE_FIXTURES", "PCW_CRASH_ROUNDS", "PCW_VERSION"};
constexpr std::array<std::string_view, 4> kSecretKeys{"database.url", "database.admin_url",
                                                      "events.out.url", "events.out.secret"};

bool IsSecret(std::string_view path) {
  return std::find(kSecretKeys.begin(), kSecretKeys.end(), path) != kSecretKeys.end();
}

// Of these the whole value is a secret.
bool IsWhollySecret(std::string_view path) { return path == "events.out.secret"; }

bool IsDatabaseUrl(std::string_view path) {
  return path == "database.url" || path == "database.admin_url";
}

// "scheme://name:password@host" without the part before the @.
std::string WithoutLogin(std::string text) {
  const auto scheme = text.find("://");
  const auto at = text.rfind('@');
  if (scheme != std::string::npos && at != std::string::npos && at > scheme)
    text.replace(scheme + 3, at - scheme - 3, "****");
  return text;
}

std::string ShownDatabaseUrl(const std::string& text) {
  if (text.empty()) return text;
  if (const Result<pg::ConninfoSummary> summary = pg::SummarizeConninfo(text))
    return summary->shown;
  return text.find("pass") == std::string::npos ? WithoutLogin(text) : "****";
}

// True if the canonical path of `file` lies below that of `directory`: no link leads out of it.
bool IsBelow(const fs::path& file, const fs::path& directory) {
  std::error_code problem;
  const fs::path real = fs::canonical(file, problem);
  if (problem) return false;
  const fs::path root = fs::canonical(directory, problem);
  if (problem) return false;
  const auto [end, unused] = std::mismatch(root.begin(), root.end(), real.begin(), real.end());
  return end == root.end() && real != root;
}

std::vector<std::string> SplitList(std::string_view text) {
  std::vector<std::string> items;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    std::string_view item = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    while (!item.empty() && item.front() == ' ') item.remove_prefix(1);
    while (!item.empty() && item.back() == ' ') item.remove_suffix(1);
    if (!item.empty()) items.emplace_back(item);
  }
  return items;
}

// Loads a configuration while collecting every problem.
class Loader {
 public:
  explicit Loader(const ConfigSources& sources) : sources_(sources) {}

  Result<LoadedConfig> Load() {
    PCW_TRY_OK(ReadConfigFile());
    ReadEnvironment();
    ReadFlags();
    ReadProfile();
    ComplainOfUnknownVariables();
    for (const ConfigKey& key : ConfigKeys()) Settle(key);
    if (problems_.empty()) CheckTogether();
    if (problems_.empty()) return std::move(loaded_);
    std::stable_sort(problems_.begin(), problems_.end(),
                     [](const Complaint& a, const Complaint& b) {
                       return std::tie(a.location.line, a.location.column) <
                              std::tie(b.location.line, b.location.column);
                     });
    std::string message = fmt::format("the configuration has {} problem{}:", problems_.size(),
                                      problems_.size() == 1 ? "" : "s");
    for (const Complaint& problem : problems_) message += "\n" + problem.text;
    return Error(ErrorCode::kConfig, message);
  }

 private:
  // Complaints come in the order of the file; what is not in it comes behind.
  struct Location {
    std::string text;
    int line = std::numeric_limits<int>::max();
    int column = 0;
  };
  struct Complaint {
    Location location;
    std::string text;
  };
  struct Given {
    RawValue value;
    std::string origin;        // for `config show`
    Location location;         // for complaints
    int rank = 0;              // the higher one wins
    bool is_readable = false;  // from the file or an argument, where others may read it
    std::string reference;     // "env:NAME" or "file:PATH", once it was followed
  };
  enum Rank { kProfile = 1, kAwsBelowFile, kFile, kAws, kEnvironment, kFlag };

  void Problem(const Location& location, std::string_view key, std::string_view what) {
    problems_.push_back(
        {location, fmt::format("{} {}{}{}", location.text, key, key.empty() ? "" : ": ", what)});
  }

  void Give(const std::string& path, Given given) {
    const auto found = given_.find(path);
    if (found == given_.end() || found->second.rank <= given.rank) given_[path] = std::move(given);
  }

  Status ReadConfigFile() {
    if (sources_.given_text) {
      loaded_.file = sources_.given_text->first;
      TakeDocument(sources_.given_text->second);
      return Ok{};
    }
    std::vector<fs::path> candidates;
    bool is_named = true;
    const auto named = sources_.env.find("PCW_CONFIG");
    if (sources_.flag_file) {
      candidates = {*sources_.flag_file};
    } else if (named != sources_.env.end() && !named->second.empty()) {
      candidates = {named->second};
    } else if (sources_.searches_default_files) {
      is_named = false;
      candidates = {"pcw.yaml", "/etc/pcw/pcw.yaml"};
    }
    for (const fs::path& path : candidates) {
      Result<std::string> text = ReadFile(path, kMostFileBytes);
      if (!text && text.error().code() == ErrorCode::kNotFound && !is_named) continue;
      if (!text) return Error(ErrorCode::kConfig, text.error().message());
      loaded_.file = path.string();
      TakeDocument(*text);
      return Ok{};
    }
    return Ok{};
  }

  void TakeDocument(const std::string& text) {
    const Result<connector::YamlDocument> document = connector::ParseYaml(text, loaded_.file);
    if (!document) {
      problems_.push_back({Location{}, document.error().message()});
      return;
    }
    for (const connector::YamlProblem& problem : document->problems)
      problems_.push_back({Location{"", problem.line, problem.column}, problem.text});
    Walk(document->root, "");
  }

  Location LocationOf(const YamlNode& node) const {
    return {fmt::format("{}:{}:{}", loaded_.file, node.line, node.column), node.line, node.column};
  }

  static bool IsGroup(const std::string& path) {
    return std::any_of(ConfigKeys().begin(), ConfigKeys().end(),
                       [&](const ConfigKey& key) { return key.path.starts_with(path + "."); });
  }

  static const ConfigKey* FindKey(std::string_view path) {
    const auto found = std::find_if(ConfigKeys().begin(), ConfigKeys().end(),
                                    [&](const ConfigKey& key) { return key.path == path; });
    return found == ConfigKeys().end() ? nullptr : &*found;
  }

  void Walk(const YamlNode& node, const std::string& path) {
    if (node.kind == YamlNode::Kind::kNull) return;
    if (node.kind != YamlNode::Kind::kMap)
      return Problem(LocationOf(node), path, "expected a map of settings");
    for (const auto& [name, value] : node.members) {
      std::string key = name.text;
      if (path == "connectors")
        std::replace(key.begin(), key.end(), '-', '_');  // every spelling of a connector is taken
      std::string full = path.empty() ? key : path + "." + key;
      // The runbook's snippet stands at the top or under a connector; there is one log, so both
      // mean the same.
      if (full.starts_with("connectors.") && full.find(".logging") != std::string::npos &&
          full.ends_with(".logging"))
        full = "logging";
      if (FindKey(full) != nullptr) {
        TakeNode(*FindKey(full), value);
      } else if (IsGroup(full)) {
        Walk(value, full);
      } else {
        Unknown(LocationOf(name), full);
      }
    }
  }

  void Unknown(const Location& location, const std::string& path) {
    std::vector<std::string> known;
    for (const ConfigKey& key : ConfigKeys()) known.emplace_back(key.path);
    // A group that is misspelt is nearest to a group, not to one of its keys.
    for (const char* group : {"database", "lake", "dlq", "aws", "tenants", "sync", "connectors",
                              "connectors.partner_central", "connectors.marketplace", "quota",
                              "logging", "server", "service"})
      known.emplace_back(group);
    const auto nearest = NearestName(path, known);
    Problem(location, path,
            fmt::format("unknown key{}",
                        nearest ? fmt::format(", expected a known one; did you mean {}?", *nearest)
                                : "; `pcw config show` lists the known ones"));
  }

  void TakeNode(const ConfigKey& key, const YamlNode& node) {
    Given given{.value = {},
                .origin = fmt::format("file {}:{}", loaded_.file, node.line),
                .location = LocationOf(node),
                .rank = kFile,
                .is_readable = true,
                .reference = ""};
    if (key.type == KeyType::kList) {
      if (node.kind != YamlNode::Kind::kSequence)
        return Problem(given.location, key.path, "expected a list, for example [a, b]");
      for (const YamlNode& item : node.items) {
        if (item.kind != YamlNode::Kind::kScalar)
          return Problem(LocationOf(item), key.path, "expected plain text in the list");
        given.value.items.push_back(item.text);
      }
    } else if (node.kind == YamlNode::Kind::kNull) {
      return;  // "key:" alone leaves the default
    } else if (node.kind != YamlNode::Kind::kScalar) {
      return Problem(given.location, key.path, "expected one value");
    } else {
      if (const std::string what = Suspicious(key, node); !what.empty())
        return Problem(given.location, key.path, what);
      given.value.text = node.text;
    }
    Give(std::string(key.path), std::move(given));
  }

  // Plain scalars that YAML readers disagree about.
  static std::string Suspicious(const ConfigKey& key, const YamlNode& node) {
    if (node.is_quoted)
      return key.type == KeyType::kText || key.type == KeyType::kDuration
                 ? ""
                 : fmt::format("\"{}\" is text in quotes, expected the plain value", node.text);
    static const std::set<std::string> kBooleans{
        "yes", "no",  "on",   "off",   "Yes",  "No",    "On",   "Off",   "YES", "NO",
        "ON",  "OFF", "true", "false", "True", "False", "TRUE", "FALSE", "y",   "n"};
    if (key.type == KeyType::kBool && node.text != "true" && node.text != "false")
      return fmt::format("{}, expected true or false", node.text);
    if (key.type == KeyType::kText && kBooleans.contains(node.text))
      return fmt::format("{} is a truth value to some readers; expected text: write \"{}\"",
                         node.text, node.text);
    if (key.type == KeyType::kText && node.text.size() > 1 && node.text.front() == '0' &&
        node.text.find_first_not_of("0123456789") == std::string::npos) {
      return fmt::format("{} is an octal number to some readers; expected text: write \"{}\"",
                         node.text, node.text);
    }
    return "";
  }

  void TakeText(const ConfigKey& key, const std::string& text, Given given) {
    if (key.type == KeyType::kList) {
      given.value.items = SplitList(text);
    } else {
      given.value.text = text;
    }
    Give(std::string(key.path), std::move(given));
  }

  // What a value names as env:NAME, even one that a stronger value replaces, is a secret's
  // variable, whatever it is called: no misspelt setting.
  std::set<std::string, std::less<>> ReferencedVariables() const {
    std::set<std::string, std::less<>> names;
    const auto note = [&](std::string_view value) {
      if (value.starts_with("env:")) names.emplace(value.substr(4));
    };
    for (const auto& [path, given] : given_) {
      note(given.value.text);
      for (const std::string& item : given.value.items) note(item);
    }
    for (const auto& [name, value] : sources_.env) {
      if (name.starts_with("PCW_")) note(value);
    }
    for (const auto& [path, value] : sources_.flag_overrides) note(value);
    return names;
  }

  void ReadEnvironment() {
    for (const char* variable : {"AWS_DEFAULT_REGION", "AWS_REGION"}) {
      if (const auto region = sources_.env.find(variable);
          region != sources_.env.end() && !region->second.empty()) {
        TakeText(*FindKey("aws.region"), region->second,
                 {.value = {},
                  .origin = fmt::format("environment {}", variable),
                  .location = {fmt::format("environment {}", variable)},
                  // A process has one environment, and often a region that its platform sets; what
                  // a tenant says of itself counts for it.
                  .rank = sources_.given_text ? kAwsBelowFile : kAws,
                  .reference = ""});
      }
    }
    std::vector<std::string> known;
    for (const ConfigKey& key : ConfigKeys()) known.push_back(EnvironmentName(key.path));
    for (const auto& [name, value] : sources_.env) {
      if (!name.starts_with("PCW_") ||
          std::find(kOtherVariables.begin(), kOtherVariables.end(), name) != kOtherVariables.end())
        continue;
      const auto found = std::find(known.begin(), known.end(), name);
      const std::string location = "environment " + name;
      if (found == known.end()) {
        if (!IsServiceLink(name, value)) unknown_variables_.push_back(name);
        continue;
      }
      TakeText(ConfigKeys()[static_cast<std::size_t>(found - known.begin())], value,
               {.value = {},
                .origin = location,
                .location = {location},
                .rank = kEnvironment,
                .reference = ""});
    }
  }

  void ComplainOfUnknownVariables() {
    const auto referenced = ReferencedVariables();
    std::vector<std::string> known;
    for (const ConfigKey& key : ConfigKeys()) known.push_back(EnvironmentName(key.path));
    for (const std::string& name : unknown_variables_) {
      if (referenced.contains(name)) continue;
      const auto nearest = NearestName(name, known);
      Problem(Location{"environment " + name}, "",
              fmt::format("no such setting{}",
                          nearest ? fmt::format("; did you mean {}?", *nearest) : ""));
    }
  }

  // The region of the AWS profile in force, where nothing else names one.
  void ReadProfile() {
    const auto named = given_.find("aws.profile");
    const std::string profile =
        aws::ProfileName(sources_.env, named == given_.end() ? "" : named->second.value.text);
    // Files that cannot be read are told by whoever needs an identity of them, and by `config
    // check`; what asks nobody at AWS works without them.
    const Result<aws::ProfileFiles> files = aws::LoadProfiles(sources_.env);
    if (!files || !files->profiles.contains(profile)) return;
    const auto region = aws::Lookup(files->profiles.at(profile), "region");
    if (!region) return;
    const std::string location = fmt::format("profile {} ({})", profile, files->config_path);
    TakeText(*FindKey("aws.region"), *region,
             {.value = {},
              .origin = location,
              .location = {location},
              .rank = kProfile,
              .reference = ""});
  }

  void ReadFlags() {
    for (const auto& [path, value] : sources_.flag_overrides) {
      const std::string location = "flag --set";
      if (const ConfigKey* key = FindKey(path)) {
        TakeText(*key, value,
                 {.value = {},
                  .origin = location,
                  .location = {location},
                  .rank = kFlag,
                  .is_readable = true,
                  .reference = ""});
      } else {
        Unknown({location}, path);
      }
    }
  }

  // env:NAME and file:PATH; a secret itself never stands in the file.
  bool Dereference(const ConfigKey& key, Given& given) {
    std::string& text = given.value.text;
    if (!IsSecret(key.path)) return true;
    if (text.starts_with("env:")) {
      given.reference = text;
      return FollowVariable(key, given);
    }
    if (text.starts_with("file:") && !text.starts_with("file://")) {
      given.reference = text;
      return FollowFile(key, given);
    }
    if (!given.is_readable || text.empty()) return true;
    if (IsWhollySecret(key.path)) {
      Problem(given.location, key.path,
              "a secret stands there, expected a reference: env:NAME or file:PATH");
      return false;
    }
    const Result<pg::ConninfoSummary> summary =
        IsDatabaseUrl(key.path) ? pg::SummarizeConninfo(text) : pg::ConninfoSummary();
    if (summary && summary->has_password) {
      Problem(given.location, key.path,
              "a password stands there, expected a reference: env:NAME or file:PATH");
      return false;
    }
    return true;
  }

  bool FollowVariable(const ConfigKey& key, Given& given) {
    const std::string name = given.reference.substr(4);
    if (sources_.given_text) {
      Problem(given.location, key.path,
              "env: is for the main configuration, whose environment it reads; a tenant's file "
              "takes secrets from file:PATH below tenants.secrets_dir");
      return false;
    }
    const auto found = sources_.env.find(name);
    if (found == sources_.env.end() || found->second.empty()) {
      Problem(given.location, key.path, fmt::format("{} is not set", name));
      return false;
    }
    given.value.text = found->second;
    return true;
  }

  bool FollowFile(const ConfigKey& key, Given& given) {
    const std::string path = given.reference.substr(5);
    if (sources_.given_text && sources_.secrets_dir.empty()) {
      Problem(given.location, key.path,
              "file: in a tenant's file needs tenants.secrets_dir in the main configuration: the "
              "directory that tenants' secrets lie in");
      return false;
    }
    if (sources_.given_text && !IsBelow(path, sources_.secrets_dir)) {
      Problem(given.location, key.path,
              fmt::format("file:{} is not a file below tenants.secrets_dir ({}), links followed",
                          path, sources_.secrets_dir));
      return false;
    }
    struct stat info {};
    if (::stat(path.c_str(), &info) == 0 && (info.st_mode & S_IROTH) != 0) {
      Problem(given.location, key.path,
              fmt::format("{} can be read by everybody; chmod 600 {}", path, path));
      return false;
    }
    Result<std::string> content = ReadFile(path, 4096);
    if (!content) {
      Problem(given.location, key.path, content.error().message());
      return false;
    }
    std::string& text = given.value.text;
    text = *content;
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    return true;
  }

  // A value as `config show` and complaints may show it (I29).
  static std::string Shown(const ConfigKey& key, const Given& given) {
    const std::string& text = given.value.text;
    if (key.type == KeyType::kList) return fmt::format("{}", fmt::join(given.value.items, ", "));
    if (!given.reference.empty()) return given.reference;
    if (IsWhollySecret(key.path)) return text.empty() ? "" : "****";
    if (key.path == "events.out.url") return ShownTarget(text);
    return IsDatabaseUrl(key.path) ? ShownDatabaseUrl(text) : WithoutLogin(text);
  }

  void Settle(const ConfigKey& key) {
    const auto found = given_.find(std::string(key.path));
    Given given = found != given_.end()
                      ? found->second
                      : Given{.value = {std::string(key.fallback), SplitList(key.fallback)},
                              .origin = "default",
                              .location = {"default"},
                              .reference = ""};
    if (!Dereference(key, given)) return;
    const std::string expected = key.store(loaded_.config, given.value);
    const std::string shown = Shown(key, given);
    if (!expected.empty()) {
      // A list names its bad item itself.
      const bool names_item = key.type == KeyType::kList;
      const std::string what = given.reference.empty() ? fmt::format("\"{}\"", shown)
                                                       : fmt::format("the value of {}", shown);
      Problem(given.location, key.path,
              names_item ? expected : fmt::format("{}, {}", what, expected));
    }
    loaded_.keys.push_back({std::string(key.path), shown, given.origin});
  }

  // What no key can see alone.
  void CheckTogether() {
    Config& config = loaded_.config;
    const auto location = [&](const char* path) {
      return given_.contains(path) ? given_[path].location : Location{"default"};
    };
    if (config.sync.overlap && *config.sync.overlap < config.sync.lag)
      Problem(location("sync.overlap"), "sync.overlap",
              "is shorter than sync.lag, expected at least that: changes would be missed");
    if (!config.events.url.empty() && config.events.url == config.dlq.url)
      Problem(location("events.url"), "events.url",
              "is dlq.url: events and dead letters need a queue each");
    for (const auto& [path, url] :
         {std::pair{"dlq.url", &config.dlq.url}, std::pair{"events.url", &config.events.url}}) {
      if (url->empty()) continue;
      if (const std::string what = QueueUrlProblem(*url, sources_.env, config.aws.profile);
          !what.empty())
        Problem(location(path), path, what);
    }
    if (const std::string& out = config.events.out.url; !out.empty()) {
      constexpr std::string_view kBus = "eventbridge:";
      const std::string what = out.starts_with(kBus)
                                   ? BusProblem(std::string_view(out).substr(kBus.size()))
                                   : WebhookProblem(out);
      if (!what.empty()) Problem(location("events.out.url"), "events.out.url", what);
    }
    if (config.events.out.url.starts_with("http://") && !config.events.out.is_private)
      Problem(location("events.out.url"), "events.out.url",
              "is plain http, expected https; http needs events.out.private and this machine");
    if (config.server.tls_cert.empty() != config.server.tls_key.empty())
      Problem(location("server.tls_cert"), "server.tls_cert",
              "and server.tls_key belong together, expected both or neither");
    if (config.logging.include_payloads && config.logging.include_payloads_until.empty()) {
      config.logging.include_payloads_until =
          FormatRfc3339(SystemClock().Now() + std::chrono::hours(1));
      loaded_.warnings.push_back(
          fmt::format("logging.include_payloads is on and may show personal data; it ends by "
                      "itself at {} (logging.include_payloads_until)",
                      config.logging.include_payloads_until));
    }
  }

  const ConfigSources& sources_;
  LoadedConfig loaded_;
  std::map<std::string, Given> given_;
  std::vector<std::string> unknown_variables_;  // PCW_* that are not keys
  std::vector<Complaint> problems_;
};

}  // namespace

std::string ShownTarget(const std::string& url) {
  return url.empty() || url.starts_with("eventbridge:") ? url : net::ShownUrl(url);
}

Result<LoadedConfig> LoadConfig(const ConfigSources& sources) { return Loader(sources).Load(); }

std::string FormatExampleConfig() {
  std::string text =
      "# Every key of pcw with its default. Precedence: flag > PCW_* > AWS_* > this file > AWS "
      "profile > default.\n"
      "# Every key has an environment twin: database.url <-> PCW_DATABASE_URL. Secrets only by "
      "reference: env:NAME or file:PATH.\n";
  std::vector<std::string_view> open;
  for (const ConfigKey& key : ConfigKeys()) {
    std::vector<std::string_view> parts;
    for (std::string_view rest = key.path; !rest.empty();) {
      const auto dot = std::min(rest.find('.'), rest.size());
      parts.push_back(rest.substr(0, dot));
      rest.remove_prefix(std::min(dot + 1, rest.size()));
    }
    std::size_t level = 0;
    while (level + 1 < parts.size() && level < open.size() && open[level] == parts[level]) ++level;
    open.assign(parts.begin(), parts.end() - 1);
    for (; level + 1 < parts.size(); ++level)
      text += fmt::format("{}{}:\n", std::string(level * 2, ' '), parts[level]);
    const bool needs_quotes =
        key.type == KeyType::kText &&
        (key.fallback.empty() || key.fallback.find('*') != std::string_view::npos);
    const std::string value = key.type == KeyType::kList ? fmt::format("[{}]", key.fallback)
                              : needs_quotes             ? fmt::format("\"{}\"", key.fallback)
                                                         : std::string(key.fallback);
    text += fmt::format("{}{}: {}{}{}\n", std::string(level * 2, ' '), parts.back(), value,
                        key.comment.empty() ? "" : "  # ", key.comment);
  }
  return text;
}

}  // namespace pcw::config
