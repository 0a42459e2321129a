#include "pcw/reingest/catalogs.h"

#include "pcw/base/json_form.h"
#include "pcw/runs/run_bronze.h"

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
  using Found = std::optional<std::string>;
  PCW_TRY(Found catalog, database.Run<Found>(stop, [&](pg::Connection& connection) {
    return runs::CatalogOfRun(connection, object.run_id, stop);
  }));
  if (catalog) known = std::move(*catalog);
  if (known.empty()) known = CatalogNamedIn(object.part);
  return known;
}

}  // namespace pcw::reingest
