#include "pcw/sync/empty_pass.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "pcw/base/json.h"

namespace pcw::sync {
namespace {

constexpr std::size_t kMostPages = 1000;

}  // namespace

Status NoteNoManifest(pg::Connection& connection, std::string_view run_id,
                      const std::vector<lake::ManifestPage>& pages, std::stop_token stop) {
  Json ids = Json::array();
  for (std::size_t i = 0; i < std::min(pages.size(), kMostPages); ++i)
    ids.push_back(pages[i].request_id);
  PCW_TRY_OK(connection.Exec(
      {"run_no_manifest",
       "UPDATE ingestion_runs SET bronze_prefix = NULL, stats_json = stats_json || "
       "jsonb_build_object('request_ids', $2::jsonb) WHERE tenant_id = pcw_tenant() AND id = "
       "$1::uuid"},
      {std::string(run_id), DumpJson(ids)}, stop));
  return Ok{};
}

}  // namespace pcw::sync
