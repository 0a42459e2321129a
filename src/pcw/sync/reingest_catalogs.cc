#include "pcw/sync/reingest_catalogs.h"

#include <nlohmann/json.hpp>

#include "pcw/base/json.h"

namespace pcw::sync {

Result<std::string> RunCatalogs::CatalogOf(Database& database, const ReadObject& object,
                                           std::stop_token stop) {
  if (!object.catalog.empty()) return object.catalog;
  std::string& known = known_[object.run_id];
  if (!known.empty()) return known;
  PCW_TRY(const pg::Rows rows,
          database.Exec({"reingest_catalog",
                         "SELECT catalog FROM ingestion_runs WHERE tenant_id = pcw_tenant() AND id "
                         "= $1::uuid"},
                        {object.run_id}, stop));
  if (!rows.empty()) {
    known = rows.Text(0, 0);
  } else if (!object.part.lines.empty()) {
    const Result<Json> record = ParseJson(object.part.lines.front().payload);
    if (record && record->is_object() && record->contains("Catalog") &&
        record->at("Catalog").is_string())
      known = record->at("Catalog").get<std::string>();
  }
  return known;
}

}  // namespace pcw::sync
