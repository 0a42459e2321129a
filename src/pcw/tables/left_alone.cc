#include "pcw/tables/left_alone.h"

#include <map>

#include <fmt/format.h>

#include "pcw/tables/entity_sql.h"
#include "pcw/tables/entity_table.h"

namespace pcw::tables {

Status FillLeftAlone(pg::Connection& connection, const connector::EntityDef& def,
                     const connector::Mapping& mapping, const MergeLocation& location,
                     std::span<const LeftAlone> left_alone, std::stop_token stop) {
  std::map<std::size_t, std::vector<std::string>> ids;
  for (const LeftAlone& one : left_alone) ids[one.column].push_back(one.id);
  for (const auto& [column, of] : ids) {
    const std::string sql = fmt::format(
        "UPDATE {0} AS s SET {1} = t.{1} FROM {2} AS t WHERE t.tenant_id = (SELECT "
        "pcw_tenant()) AND t.catalog = $1 AND t.{3} = s.{3} AND s.{3} = ANY ($2::text[])",
        location.staging, Quoted(mapping.columns[column].column), location.table, def.id_column);
    PCW_TRY_OK(connection.Exec({"fill_left_alone", sql},
                               {std::string(location.catalog), ArrayLiteral(of)}, stop));
  }
  return Ok{};
}

}  // namespace pcw::tables
