// From method and path to a route.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/api/route.h"

namespace pcw::api {

struct Match {
  const Route* route = nullptr;
  std::vector<std::string> path;  ///< what stood for {..}
};

/// 404 not_found, or 405 method_not_allowed with context `allow`. Paths are compared as they stand:
/// nothing is unescaped, joined or shortened, and a {..} takes letters, digits, '.', '_' and '-'.
Result<Match> FindRoute(std::span<const Route> routes, std::string_view method,
                        std::string_view path);

}  // namespace pcw::api
