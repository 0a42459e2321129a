#include "pcw/lake/layout.h"

#include <fmt/format.h>

#include "pcw/base/storable_text.h"
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

Status CheckKey(std::string_view key) {
  bool is_bad = key.empty() || key.size() > 1024 || key.front() == '/' || key.back() == '/' ||
                key.find('\0') != std::string_view::npos;
  std::string_view rest = key;
  while (!is_bad && !rest.empty()) {
    const auto slash = rest.find('/');
    const std::string_view segment = rest.substr(0, slash);
    is_bad = segment.empty() || segment == "." || segment == "..";
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  if (!is_bad) return Ok{};
  return Error(ErrorCode::kInvalidRequest,
               fmt::format("\"{}\" is not a bronze key; `pcw bronze ls` shows them",
                           CutAtCharacter(key, 80)));
}

Status CheckKeyPrefix(std::string_view prefix) {
  const auto slash = prefix.rfind('/');
  if (slash == std::string_view::npos) return Ok{};
  return CheckKey(prefix.substr(0, slash));
}

}  // namespace pcw::lake
