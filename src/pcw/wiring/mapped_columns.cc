#include "pcw/wiring/mapped_columns.h"

#include "pcw/config/mapping_choice.h"
#include "pcw/connector/entity_def.h"
#include "pcw/tables/entity_columns.h"

namespace pcw::wiring {

Result<int> AddMappedColumns(const config::Config& config, pg::Connection& admin,
                             std::stop_token stop) {
  if (config.partner_central.mappings.empty()) return 0;
  int added = 0;
  for (const connector::EntityDef* entity : connector::AllEntities()) {
    PCW_TRY(const connector::Mapping mapping, config::MappingFor(config, entity->name));
    PCW_TRY(const int more, tables::AddColumns(admin, *entity, mapping, stop));
    added += more;
  }
  return added;
}

}  // namespace pcw::wiring
