// A pass that stored nothing leaves nothing in the lake.
#pragma once

#include <stop_token>
#include <string_view>
#include <vector>

#include "pcw/base/result.h"
#include "pcw/lake/part.h"
#include "pcw/pg/connection.h"

namespace pcw::sync {

/// Notes of a run without parts that it has no manifest: bronze_prefix becomes NULL, and the
/// request ids of its list pages, which the manifest would have held, go to stats_json as
/// `request_ids` (of the first 1,000 pages). Inside the transaction that ends the run, behind
/// FinishRun.
Status NoteNoManifest(pg::Connection& connection, std::string_view run_id,
                      const std::vector<lake::ManifestPage>& pages, std::stop_token stop);

}  // namespace pcw::sync
