// Names that a mapping may not give to a column.
#pragma once

#include <string_view>

namespace pcw::connector {

/// True for what every entity's table has beside its mapping's columns (docs/mapping.md), what only
/// a batch on its way to it has, and what any table of PostgreSQL has. Pure, thread-safe.
bool IsReservedColumn(std::string_view name);

}  // namespace pcw::connector
