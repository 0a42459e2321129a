#include "pcw/connector/entity_def.h"

#include <array>

namespace pcw::connector {

const ConnectorDef& PartnerCentral() {
  static constexpr ConnectorDef def{.kind = "partner_central",
                                    .url_name = "partner-central",
                                    .lake_prefix = "partnercentral",
                                    .title = "AWS Partner Central"};
  return def;
}

std::span<const EntityDef* const> AllEntities() {
  static const std::array<const EntityDef*, 1> entities{&Opportunities()};
  return entities;
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
