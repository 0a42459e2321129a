#include "pcw/connector/entity_def.h"

#include <algorithm>
#include <array>

namespace pcw::connector {

const SourceDef* EntityDef::SourceOf(std::string_view operation) const {
  const auto found = std::find_if(sources.begin(), sources.end(), [&](const SourceDef& source) {
    return source.list->name == operation ||
           (source.detail != nullptr && source.detail->name == operation);
  });
  return found == sources.end() ? nullptr : &*found;
}

bool EntityDef::has_companion() const {
  return std::any_of(sources.begin(), sources.end(),
                     [](const SourceDef& source) { return source.companion != nullptr; });
}

bool EntityDef::has_sparse() const {
  return std::any_of(sources.begin(), sources.end(),
                     [](const SourceDef& source) { return !source.detail_when.empty(); });
}

bool IsSparse(const SourceDef& source, std::string_view operation) {
  return !source.detail_when.empty() && operation == source.list->name;
}

const ConnectorDef& PartnerCentral() {
  static constexpr ConnectorDef def{.kind = "partner_central",
                                    .url_name = "partner-central",
                                    .lake_prefix = "partnercentral",
                                    .title = "AWS Partner Central"};
  return def;
}

std::span<const EntityDef* const> AllEntities() {
  static const std::array<const EntityDef*, 5> entities{&Opportunities(), &Leads(), &Solutions(),
                                                        &Profiles(), &AwsSummaries()};
  return entities;
}

std::vector<std::string> EntityNames() {
  std::vector<std::string> names;
  for (const EntityDef* entity : AllEntities()) names.emplace_back(entity->name);
  return names;
}

const ConnectorDef* FindConnector(std::string_view spelling) {
  const ConnectorDef& def = PartnerCentral();
  return spelling == def.kind || spelling == def.url_name || spelling == def.lake_prefix ? &def
                                                                                         : nullptr;
}

const EntityDef* FindEntity(const ConnectorDef& connector, std::string_view name) {
  for (const EntityDef* entity : AllEntities()) {
    if (entity->connector == &connector && entity->name == name) return entity;
  }
  return nullptr;
}

}  // namespace pcw::connector
