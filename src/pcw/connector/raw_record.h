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
  std::string key;          ///< what the detail call takes
  std::string version;      ///< verbatim, or "sha256:<hex>" of the item's bytes if it names none
  int index = 0;            ///< position in the page, from 0
  bool has_detail = false;  ///< its details are to be fetched; else the item is the record
  std::string bytes;        ///< of an item that is the record: exactly as AWS sent it
};

struct Page {
  std::vector<PageItem> items;
  std::string next_token;  ///< empty = last page
};

/// Parses a list answer. kSchemaMismatch with context `index` for an item without an id, and for a
/// body without the items array (unless AWS does not promise one: then the page is empty). Ids,
/// versions and tokens are taken as they are: responses are never validated against modelled
/// patterns (FACTS 1). Thread-safe.
Result<Page> ReadListPage(std::string_view body, const SourceDef& source);

}  // namespace pcw::connector
