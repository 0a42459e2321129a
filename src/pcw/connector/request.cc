#include "pcw/connector/request.h"

#include <nlohmann/json.hpp>

#include "pcw/base/json.h"
#include "pcw/base/time.h"

namespace pcw::connector {

std::string ListRequest(const SourceDef& source, const ListQuery& query) {
  OrderedJson body;
  body["Catalog"] = query.catalog;
  if (source.takes_page_size) body["MaxResults"] = query.page_size;
  if (!query.next_token.empty()) body["NextToken"] = query.next_token;
  if (!query.sort_by.empty())
    body["Sort"] = {{"SortBy", query.sort_by}, {"SortOrder", "ASCENDING"}};
  if (query.modified_after) {
    body[std::string(source.modified_filter)][std::string(source.modified_after)] =
        FormatRfc3339(*query.modified_after);
  }
  std::string text = DumpJson(body);
  if (!source.list_members.empty()) text.insert(1, std::string(source.list_members) + ",");
  return text;
}

std::string DetailRequest(const SourceDef& source, std::string_view catalog, std::string_view key) {
  OrderedJson body;
  body["Catalog"] = catalog;
  body[std::string(source.detail_member)] = key;
  return DumpJson(body);
}

}  // namespace pcw::connector
