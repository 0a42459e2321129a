#include "pcw/connector/reserved_columns.h"

#include <algorithm>
#include <array>

namespace pcw::connector {
namespace {

constexpr std::array<std::string_view, 28> kReserved{
    "tenant_id", "catalog", "payload_json", "payload_sha256", "mapping_version", "bronze_key",
    "bronze_line", "first_seen_at", "last_seen_run", "missed_full_scans", "missing_since",
    "updated_at", "source_rank", "companion_json", "companion_sha256", "kept_from",
    "listed_version", "accepted_key", "older_seen", "older_since",
    // of a batch
    "is_sparse", "fetched_run",
    // of PostgreSQL
    "tableoid", "ctid", "xmin", "xmax", "cmin", "cmax"};

}  // namespace

bool IsReservedColumn(std::string_view name) {
  return std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end();
}

}  // namespace pcw::connector
