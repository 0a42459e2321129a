#include "pcw/api/router.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "pcw/api/problem.h"

namespace pcw::api {
namespace {

bool IsPlain(std::string_view segment) {
  return !segment.empty() && segment.size() <= 128 && segment != "." && segment != ".." &&
         segment.find_first_not_of(
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
             "0123456789._-") == std::string_view::npos;
}

std::string_view TakeSegment(std::string_view& path) {
  path.remove_prefix(1);
  const std::size_t end = std::min(path.find('/'), path.size());
  const std::string_view segment = path.substr(0, end);
  path.remove_prefix(end);
  return segment;
}

// The texts that stand for {..}, if the path is of that template.
std::optional<std::vector<std::string>> Fits(std::string_view pattern, std::string_view path) {
  std::vector<std::string> taken;
  while (!pattern.empty() && !path.empty()) {
    const std::string_view wanted = TakeSegment(pattern);
    const std::string_view found = TakeSegment(path);
    if (wanted.starts_with('{')) {
      if (!IsPlain(found)) return std::nullopt;
      taken.emplace_back(found);
    } else if (wanted != found) {
      return std::nullopt;
    }
  }
  if (!pattern.empty() || !path.empty()) return std::nullopt;
  return taken;
}

}  // namespace

Result<Match> FindRoute(std::span<const Route> routes, std::string_view method,
                        std::string_view path) {
  std::vector<std::string_view> allowed;
  for (const Route& route : routes) {
    auto taken = Fits(route.path, path);
    if (!taken) continue;
    if (route.method == method || (route.method == "GET" && method == "HEAD"))
      return Match{&route, std::move(*taken)};
    allowed.push_back(route.method);
    if (route.method == "GET") allowed.emplace_back("HEAD");
  }
  if (allowed.empty())
    return ApiError(404, "not_found", "there is no such route; /openapi.json lists them");
  const std::string allow = fmt::format("{}", fmt::join(allowed, ", "));
  return ApiError(405, "method_not_allowed", "this path answers " + allow).With("allow", allow);
}

}  // namespace pcw::api
