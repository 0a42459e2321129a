#include "pcw/reingest/dead_letters.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/json.h"
#include "pcw/base/json_form.h"
#include "pcw/dlq/replay_letters.h"
#include "pcw/tables/held_digests.h"

namespace pcw::reingest {

Status ReingestLetters::LoadOpen(pg::Database& database, std::int64_t connector_id,
                                 const std::string& entity, std::stop_token stop) {
  using Keys = std::vector<std::string>;
  PCW_TRY(const Keys keys, database.Run<Keys>(stop, [&](pg::Connection& connection) {
    return dlq::RecordKeysInBronze(connection, connector_id, entity, stop);
  }));
  for (const std::string& key : keys) open_.insert(tables::HeldDigests::HashOf(key));
  return Ok{};
}

Status ReingestLetters::LoadPatches(pg::Database& database, std::int64_t connector_id,
                                    const std::string& entity, std::stop_token stop) {
  using Patches = std::vector<dlq::StoredPatch>;
  PCW_TRY(Patches patches, database.Run<Patches>(stop, [&](pg::Connection& connection) {
    return dlq::LoadPatches(connection, connector_id, entity, stop);
  }));
  for (dlq::StoredPatch& patch : patches)
    patches_[{patch.bronze_key, patch.bronze_line}] = std::move(patch.patch_json);
  return Ok{};
}

Result<std::string> ReingestLetters::Patched(const std::string& key,
                                             const lake::ScannedLine& line) const {
  if (patches_.empty()) return std::string();
  const auto found = patches_.find({key, line.line});
  if (found == patches_.end()) return std::string();
  Result<Json> document = ParseJson(
      line.payload,
      {.max_bytes = lake::kLongestAnswer, .max_depth = kDeepestJson, .max_values = 10'000'000});
  if (!document) {
    return Error(
        ErrorCode::kSchemaMismatch,
        fmt::format("the patch of this record cannot be applied: {}", document.error().message()));
  }
  PCW_TRY(const Json patch, ParseJson(found->second));
  document->merge_patch(patch);
  return DumpJson(*document);
}

}  // namespace pcw::reingest
