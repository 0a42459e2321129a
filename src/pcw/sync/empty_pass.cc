#include "pcw/sync/empty_pass.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "pcw/base/json.h"
#include "pcw/runs/run_bronze.h"

namespace pcw::sync {
namespace {

constexpr std::size_t kMostPages = 1000;

}  // namespace

Status NoteNoManifest(pg::Connection& connection, std::string_view run_id,
                      const std::vector<lake::ManifestPage>& pages, std::stop_token stop) {
  Json ids = Json::array();
  for (std::size_t i = 0; i < std::min(pages.size(), kMostPages); ++i)
    ids.push_back(pages[i].request_id);
  return runs::SaveNoFolder(connection, run_id, DumpJson(ids), stop);
}

}  // namespace pcw::sync
