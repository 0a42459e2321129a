#include "pcw/connector/request.h"

#include <nlohmann/json.hpp>

#include "pcw/base/json.h"
#include "pcw/base/time.h"

namespace pcw::connector {

std::string ListRequest(const EntityDef& def, const ListQuery& query) {
  OrderedJson body;
  body["Catalog"] = query.catalog;
  body["MaxResults"] = query.page_size;
  if (!query.next_token.empty()) body["NextToken"] = query.next_token;
  if (!query.sort_by.empty())
    body["Sort"] = {{"SortBy", query.sort_by}, {"SortOrder", "ASCENDING"}};
  if (query.modified_after) {
    body[std::string(def.modified_filter)][std::string(def.modified_after)] =
        FormatRfc3339(*query.modified_after);
  }
  return DumpJson(body);
}

std::string DetailRequest(const EntityDef& def, std::string_view catalog, std::string_view id) {
  OrderedJson body;
  body["Catalog"] = catalog;
  body[std::string(def.detail_id_member)] = id;
  return DumpJson(body);
}

}  // namespace pcw::connector
