#include "pcw/reingest/catalogs.h"

#include "pcw/base/json_form.h"

namespace pcw::reingest {

std::string CatalogNamedIn(const lake::ScannedPart& part) {
  for (const lake::ScannedLine& line : part.lines) {
    std::string catalog;
    RawMembers members(line.payload);
    for (RawMember member; members.Next(member);) {
      const bool is_text = member.name == "Catalog" && member.value.size() > 2 &&
                           member.value.front() == '"' && member.value.back() == '"';
      if (is_text) catalog = member.value.substr(1, member.value.size() - 2);
    }
    if (!catalog.empty()) return catalog;  // not each record can be read
  }
  return "";
}

Result<std::string> RunCatalogs::CatalogOf(pg::Database& database, const ReadObject& object,
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
  }
  if (known.empty()) known = CatalogNamedIn(object.part);
  return known;
}

}  // namespace pcw::reingest
