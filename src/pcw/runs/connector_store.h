// Connectors of the session's tenant, as the last command or service wrote them down.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/pg/connection.h"

namespace pcw::runs {

struct StoredConnector {
  std::int64_t id = 0;
  std::string kind, title;
  std::string status;  ///< enabled | disabled
};

/// By kind.
Result<std::vector<StoredConnector>> ListConnectors(pg::Connection& connection,
                                                    std::stop_token stop);

/// nullopt: no command has opened the database with it yet.
Result<std::optional<std::int64_t>> FindConnectorId(pg::Connection& connection,
                                                    std::string_view kind, std::stop_token stop);

}  // namespace pcw::runs
