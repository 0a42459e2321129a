#include "pcw/reingest/letters.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/json.h"
#include "pcw/base/json_form.h"
#include "pcw/tables/held_digests.h"

namespace pcw::reingest {

Status ReingestLetters::LoadOpen(pg::Database& database, std::int64_t connector_id,
                                 const std::string& entity, std::stop_token stop) {
  PCW_TRY(const pg::Rows letters,
          database.Exec({"reingest_open_letters",
                         "SELECT record_key FROM dead_letters WHERE tenant_id = pcw_tenant() AND "
                         "connector_id = $1::bigint AND entity = $2 AND state = 'open' AND "
                         "bronze_key IS NOT NULL"},
                        {std::to_string(connector_id), entity}, stop));
  for (std::size_t row = 0; row < letters.size(); ++row)
    open_.insert(tables::HeldDigests::HashOf(letters.Text(row, 0)));
  return Ok{};
}

Status ReingestLetters::LoadPatches(pg::Database& database, std::int64_t connector_id,
                                    const std::string& entity, std::stop_token stop) {
  PCW_TRY(const pg::Rows patches,
          database.Exec({"reingest_patches",
                         "SELECT bronze_key, bronze_line, patch FROM dead_letters WHERE tenant_id "
                         "= pcw_tenant() AND connector_id = $1::bigint AND entity = $2 AND patch "
                         "IS NOT NULL AND bronze_key IS NOT NULL AND state <> 'dropped' ORDER BY "
                         "last_seen_at"},
                        {std::to_string(connector_id), entity}, stop));
  for (std::size_t row = 0; row < patches.size(); ++row) {
    patches_[{std::string(patches.Text(row, 0)), static_cast<int>(patches.Int(row, 1))}] =
        patches.Text(row, 2);
  }
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
