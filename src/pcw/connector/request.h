// The bodies of list and detail requests, built from a SourceDef.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "pcw/base/clock.h"
#include "pcw/connector/entity_def.h"

namespace pcw::connector {

/// One list request. Sort order is always ascending.
struct ListQuery {
  std::string_view catalog;
  int page_size = 100;
  std::string_view next_token;             ///< empty = first page
  std::string_view sort_by;                ///< empty = the service's default
  std::optional<WallTime> modified_after;  ///< inclusive lower bound of the modification time
};

/// JSON text of a list call.
std::string ListRequest(const SourceDef& source, const ListQuery& query);

/// JSON text of a detail call, and of its companion.
std::string DetailRequest(const SourceDef& source, std::string_view catalog, std::string_view key);

}  // namespace pcw::connector
