// Reads just enough of a list page to know what it lists; the rest of it is nobody's business here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pcw/base/result.h"
#include "pcw/connector/entity_def.h"

namespace pcw::connector {

/// One listed record.
struct PageItem {
  std::string id;
  std::string version;  ///< verbatim; empty if the item has none
};

struct Page {
  std::vector<PageItem> items;
  std::string next_token;  ///< empty = last page
};

/// Parses a list answer. kSchemaMismatch with context `index` for an item without an id, and for a
/// body without the items array. Ids, versions and tokens are taken as they are: responses are
/// never validated against modelled patterns (FACTS 1). Thread-safe.
Result<Page> ReadListPage(std::string_view body, const EntityDef& def);

}  // namespace pcw::connector
