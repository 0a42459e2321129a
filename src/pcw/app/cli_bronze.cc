// pcw bronze ls|cat|verify; reingest is in a file of its own
#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "pcw/app/cli.h"
#include "pcw/app/progress.h"
#include "pcw/app/wiring.h"
#include "pcw/connector/entity_def.h"
#include "pcw/lake/layout.h"
#include "pcw/lake/verify.h"

namespace pcw::app {
namespace {

Result<std::unique_ptr<lake::BronzeStore>> Open(const Invocation& invocation, Machine& machine) {
  PCW_TRY(const LoadedConfig loaded, invocation.Load());
  return OpenLake(loaded.config, invocation.environment, machine);
}

// "--entity opportunities" or a prefix as it stands, or all of bronze.
std::string PrefixOf(const std::string& entity, const std::string& prefix) {
  if (!prefix.empty()) return prefix;
  for (const connector::EntityDef* def : connector::AllEntities()) {
    if (def->name == entity) return lake::EntityPrefix(def->connector->lake_prefix, def->name);
  }
  return "bronze/";
}

Result<int> ListKeys(const Invocation& invocation, const std::string& prefix, std::size_t tail) {
  Machine machine;
  PCW_TRY(const auto store, Open(invocation, machine));
  PCW_TRY(std::vector<lake::ObjectInfo> objects, store->List(prefix, invocation.stop));
  if (tail > 0 && objects.size() > tail)
    objects.erase(objects.begin(), objects.end() - static_cast<std::ptrdiff_t>(tail));
  std::vector<OrderedJson> rows;
  for (const lake::ObjectInfo& object : objects) {
    rows.push_back(
        {{"modified_at", object.modified_at}, {"bytes", object.bytes}, {"key", object.key}});
  }
  PrintRows(invocation.output,
            {{"modified_at", "MODIFIED"}, {"bytes", "BYTES", true}, {"key", "KEY"}}, rows,
            fmt::format("nothing below {} in {}", prefix, store->Describe()));
  return kExitOk;
}

Result<int> Cat(const Invocation& invocation, const std::string& key) {
  Machine machine;
  PCW_TRY(const auto store, Open(invocation, machine));
  PCW_TRY(const std::string content, store->Get(key, invocation.stop));
  std::fwrite(content.data(), 1, content.size(), stdout);
  return kExitOk;
}

Result<int> Verify(const Invocation& invocation, const std::string& prefix) {
  Machine machine;
  PCW_TRY(const auto store, Open(invocation, machine));
  PCW_TRY(const lake::VerifyReport report, lake::VerifyBronze(*store, prefix, invocation.stop));
  if (invocation.output == OutputFormat::kTable) {
    for (const lake::VerifyProblem& problem : report.problems)
      std::printf("ERROR (%s) %s\n", problem.key.c_str(), problem.what.c_str());
    std::printf("%s runs (%s without manifest), %s parts, %s records, %s bytes: %s\n",
                FormatCount(report.runs).c_str(), FormatCount(report.runs_without_manifest).c_str(),
                FormatCount(report.parts).c_str(), FormatCount(report.records).c_str(),
                FormatCount(static_cast<std::int64_t>(report.bytes)).c_str(),
                report.problems.empty()
                    ? "every object is what its manifest says"
                    : fmt::format("{} problems", report.problems.size()).c_str());
  } else {
    OrderedJson json{
        {"runs", report.runs},   {"runs_without_manifest", report.runs_without_manifest},
        {"parts", report.parts}, {"records", report.records},
        {"bytes", report.bytes}, {"problems", OrderedJson::array()}};
    for (const lake::VerifyProblem& problem : report.problems)
      json["problems"].push_back({{"key", problem.key}, {"what", problem.what}});
    PrintObject(invocation.output, json);
  }
  return report.problems.empty() ? kExitOk : kExitDeadLetters;
}

}  // namespace

void AddBronze(CLI::App& root, Invocation& invocation) {
  CLI::App* noun = root.add_subcommand("bronze", "The raw JSON that everything else is made from")
                       ->require_subcommand(1);
  auto entity = std::make_shared<std::string>();
  auto prefix = std::make_shared<std::string>();
  auto key = std::make_shared<std::string>();
  auto tail = std::make_shared<std::size_t>(0);

  CLI::App* list = AddVerb(*noun, "ls", "List bronze objects",
                           "  pcw bronze ls --entity opportunities --tail 20\n  pcw bronze ls "
                           "bronze/partnercentral/opportunities/2026/11/");
  list->add_option("prefix", *prefix, "list what lies below this key prefix");
  list->add_option("--entity", *entity, "only this entity")->check(KnownValues(EntityNames()));
  list->add_option("--tail", *tail, "only the last N objects");
  AddOutputOption(*list, invocation);
  list->callback([=, &invocation] {
    invocation.verb = [=, &invocation] {
      return ListKeys(invocation, PrefixOf(*entity, *prefix), *tail);
    };
  });

  CLI::App* cat = AddVerb(
      *noun, "cat", "Print one object as it is stored (JSON Lines: meta and payload)",
      "  pcw bronze cat bronze/partnercentral/opportunities/2026/11/23/run-<id>/data.json | jq .\n"
      "  pcw bronze cat <key> | jq 'select(.meta.id == \"O1234567\").payload'");
  cat->add_option("key", *key, "as `pcw bronze ls` prints it")->required();
  cat->callback(
      [=, &invocation] { invocation.verb = [=, &invocation] { return Cat(invocation, *key); }; });

  CLI::App* verify =
      AddVerb(*noun, "verify", "Prove that bronze is what its manifests say; exit 3 if not",
              "  pcw bronze verify\n  pcw bronze verify --entity opportunities -o json");
  verify->add_option("prefix", *prefix, "verify what lies below this key prefix");
  verify->add_option("--entity", *entity, "only this entity")->check(KnownValues(EntityNames()));
  AddOutputOption(*verify, invocation);
  verify->callback([=, &invocation] {
    invocation.verb = [=, &invocation] { return Verify(invocation, PrefixOf(*entity, *prefix)); };
  });
  AddBronzeReingest(*noun, invocation);
}

}  // namespace pcw::app
