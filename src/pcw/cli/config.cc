// pcw config check|show
#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "pcw/aws/credentials/unused_settings.h"
#include "pcw/cli/cli.h"
#include "pcw/wiring/config_subject.h"

namespace pcw::cli {
namespace {

Result<int> Check(const wiring::Invocation& invocation) {
  PCW_TRY(const config::LoadedConfig loaded, invocation.Load());
  PCW_TRY_OK(wiring::CheckConfigSubject(loaded, invocation.environment));
  PCW_TRY(const aws::ProfileFiles files, aws::LoadProfiles(invocation.environment));
  for (const aws::UnusedSetting& setting :
       aws::FindUnusedSettings(invocation.environment, files,
                               aws::ProfileName(invocation.environment, loaded.config.aws.profile)))
    std::fprintf(stderr, "pcw: warning: %s is set, and pcw does not follow it: %s\n",
                 setting.name.c_str(), setting.instead.c_str());
  std::printf("%s: every setting is good\n",
              loaded.file.empty() ? "no configuration file" : loaded.file.c_str());
  return kExitOk;
}

enum class Origins { kHidden, kShown };

Result<int> ShowSettings(const wiring::Invocation& invocation, Origins origins) {
  PCW_TRY(const config::LoadedConfig loaded, invocation.Load());
  std::vector<OrderedJson> rows;
  for (const config::ShownKey& key : loaded.keys) {
    OrderedJson row{{"key", key.key}, {"value", key.value}};
    if (origins == Origins::kShown) row["origin"] = key.origin;
    rows.push_back(std::move(row));
  }
  std::vector<OutputColumn> columns{{"key", "KEY"}, {"value", "VALUE"}};
  if (origins == Origins::kShown) columns.push_back({"origin", "ORIGIN"});
  PrintRows(invocation.output, columns, rows, "no settings");
  return kExitOk;
}

}  // namespace

void AddConfig(CLI::App& root, wiring::Invocation& invocation) {
  CLI::App* noun = root.add_subcommand("config", "What pcw was told, and whether it makes sense")
                       ->require_subcommand(1);

  CLI::App* check = AddVerb(
      *noun, "check",
      "Name every mistake in the configuration, and in what it names, at once; exit 78 if there is "
      "one",
      "  pcw config check\n  pcw config check --config new.yaml\n  pcw --config new.yaml config "
      "check");
  check->callback([&invocation] { invocation.verb = [&invocation] { return Check(invocation); }; });

  CLI::App* show =
      AddVerb(*noun, "show", "Every setting in force; passwords are masked",
              "  pcw config show --origin\n  pcw config show -o json | jq '.[] | select(.origin != "
              "\"default\")'\n  pcw config show --example > pcw.yaml");
  auto has_origin = std::make_shared<bool>(false);
  auto is_example = std::make_shared<bool>(false);
  show->add_flag("--origin", *has_origin, "also where each value comes from");
  show->add_flag("--example", *is_example,
                 "print a configuration file with every key, its default and a comment");
  AddOutputOption(*show, invocation);
  show->callback([=, &invocation] {
    invocation.verb = [=, &invocation]() -> Result<int> {
      if (!*is_example)
        return ShowSettings(invocation, *has_origin ? Origins::kShown : Origins::kHidden);
      std::fputs(config::FormatExampleConfig().c_str(), stdout);
      return kExitOk;
    };
  });
}

}  // namespace pcw::cli
