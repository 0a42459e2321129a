// pcw bronze ls; the other verbs are in files of their own
#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "pcw/cli/cli.h"
#include "pcw/connector/entity_def.h"
#include "pcw/lake/layout.h"
#include "pcw/wiring/wiring.h"

namespace pcw::cli {
namespace {

Result<std::unique_ptr<lake::BronzeStore>> Open(const wiring::Invocation& invocation,
                                                wiring::Machine& machine) {
  PCW_TRY(const config::LoadedConfig loaded, invocation.Load());
  return wiring::OpenLake(loaded.config, invocation.environment, machine);
}

Result<int> ListKeys(const wiring::Invocation& invocation, const std::string& prefix,
                     std::size_t tail) {
  wiring::Machine machine;
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

}  // namespace

std::string BronzePrefix(const std::string& entity, const std::string& prefix) {
  if (!prefix.empty()) return prefix;
  for (const connector::EntityDef* def : connector::AllEntities()) {
    if (def->name == entity) return lake::EntityPrefix(def->connector->lake_prefix, def->name);
  }
  return "bronze/";
}

void AddBronze(CLI::App& root, wiring::Invocation& invocation) {
  CLI::App* noun = root.add_subcommand("bronze", "The raw JSON that everything else is made from")
                       ->require_subcommand(1);
  auto entity = std::make_shared<std::string>();
  auto prefix = std::make_shared<std::string>();
  auto tail = std::make_shared<std::size_t>(0);

  CLI::App* list = AddVerb(*noun, "ls", "List bronze objects",
                           "  pcw bronze ls --entity opportunities --tail 20\n  pcw bronze ls "
                           "bronze/partnercentral/opportunities/2026/11/");
  list->add_option("prefix", *prefix, "list what lies below this key prefix");
  list->add_option("--entity", *entity, "only this entity")
      ->check(KnownValues(connector::EntityNames()));
  list->add_option("--tail", *tail, "only the last N objects");
  AddOutputOption(*list, invocation);
  list->callback([=, &invocation] {
    invocation.verb = [=, &invocation] {
      return ListKeys(invocation, BronzePrefix(*entity, *prefix), *tail);
    };
  });

  AddBronzeCat(*noun, invocation);
  AddBronzeVerify(*noun, invocation);
  AddBronzeReingest(*noun, invocation);
}

}  // namespace pcw::cli
