// The only place that spells a bronze key (docs/bronze.md).
#pragma once

#include <string>
#include <string_view>

#include "pcw/base/clock.h"
#include "pcw/base/result.h"

namespace pcw::lake {

/// "bronze/partnercentral/opportunities/": where all runs of an entity lie.
std::string EntityPrefix(std::string_view lake_prefix, std::string_view entity);

/// "bronze/partnercentral/opportunities/2026/11/23/run-<id>/": the folder of one run; the date is
/// the UTC start of the run.
std::string RunPrefix(std::string_view lake_prefix, std::string_view entity, WallTime started,
                      std::string_view run_id);

/// "<run prefix>data.json" for part 1, "<run prefix>data-00002.json" for part 2 and so on.
std::string PartKey(std::string_view run_prefix, int part);

std::string ManifestKey(std::string_view run_prefix);

/// Keys also come from manifests and command lines; they must not lead out of the lake.
/// kInvalidRequest for one that is empty, longer than 1024 bytes, holds a zero byte, or has a
/// segment that is empty, "." or "..".
Status CheckKey(std::string_view key);

/// The same of the whole segments of a prefix; empty is all of the lake.
Status CheckKeyPrefix(std::string_view prefix);

}  // namespace pcw::lake
