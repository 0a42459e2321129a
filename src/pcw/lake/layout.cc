#include "pcw/lake/layout.h"

#include <fmt/format.h>

#include "pcw/base/time.h"

namespace pcw::lake {

std::string EntityPrefix(std::string_view lake_prefix, std::string_view entity) {
  return fmt::format("bronze/{}/{}/", lake_prefix, entity);
}

std::string RunPrefix(std::string_view lake_prefix, std::string_view entity, WallTime started,
                      std::string_view run_id) {
  const std::string day = FormatIso8601Basic(started);
  return fmt::format("{}{}/{}/{}/run-{}/", EntityPrefix(lake_prefix, entity), day.substr(0, 4),
                     day.substr(4, 2), day.substr(6, 2), run_id);
}

std::string PartKey(std::string_view run_prefix, int part) {
  return part == 1 ? fmt::format("{}data.json", run_prefix)
                   : fmt::format("{}data-{:05}.json", run_prefix, part);
}

std::string ManifestKey(std::string_view run_prefix) {
  return fmt::format("{}manifest.json", run_prefix);
}

}  // namespace pcw::lake
