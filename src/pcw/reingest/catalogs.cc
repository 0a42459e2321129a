#include "pcw/reingest/catalogs.h"

#include "pcw/base/json_form.h"

namespace pcw::reingest {

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
  // Else the first record that names one: not each can be read.
  for (auto line = object.part.lines.begin(); known.empty() && line != object.part.lines.end();
       ++line) {
    RawMembers members(line->payload);
    for (RawMember member; members.Next(member);) {
      const bool is_text = member.name == "Catalog" && member.value.size() > 2 &&
                           member.value.front() == '"' && member.value.back() == '"';
      if (is_text) known = member.value.substr(1, member.value.size() - 2);
    }
  }
  return known;
}

}  // namespace pcw::reingest
