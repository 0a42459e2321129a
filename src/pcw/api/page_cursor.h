// Cursors of pages: where a list goes on, signed so that nobody can make or change one.
#pragma once

#include <string>
#include <string_view>

#include "pcw/base/result.h"

namespace pcw::api {

/// What a cursor belongs to: the same tenant, list and filters, or it is none.
struct CursorScope {
  std::string_view tenant_id;
  std::string_view list;     ///< "runs"
  std::string_view filters;  ///< as one text
};

/// "<last id>.<signature>". `last_id` is a UUID or a whole number.
std::string MakeCursor(std::string_view key, const CursorScope& scope, std::string_view last_id);

/// The id behind which the list goes on. 400 invalid_cursor for anything that MakeCursor did not
/// make for this scope under this key.
Result<std::string> ReadCursor(std::string_view key, const CursorScope& scope,
                               std::string_view cursor);

}  // namespace pcw::api
