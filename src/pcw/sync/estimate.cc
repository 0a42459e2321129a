#include "pcw/sync/estimate.h"

#include <algorithm>

#include <fmt/format.h>

#include "pcw/base/clock.h"
#include "pcw/runs/run_totals.h"
#include "pcw/sync/page_source.h"
#include "pcw/tables/entity_table.h"

namespace pcw::sync {
namespace {

Result<CallEstimate> EstimateIncremental(pg::Connection& connection,
                                         const connector::EntityDef& def,
                                         const EstimateRequest& request, std::stop_token stop) {
  PCW_TRY(const runs::IncrementalCost cost,
          runs::CostOfIncrementals(connection, def.name, request.catalog, stop));
  CallEstimate estimate;
  estimate.list_calls = 1;
  estimate.basis = "no incremental run so far";
  if (cost.runs == 0) return estimate;
  estimate.records = cost.most_listed;
  estimate.list_calls =
      std::max<std::int64_t>(1, (estimate.records + request.page_size - 1) / request.page_size);
  estimate.detail_calls = std::max<std::int64_t>(0, cost.most_calls - estimate.list_calls);
  estimate.basis = fmt::format("the most expensive of the last {} incremental runs", cost.runs);
  return estimate;
}

}  // namespace

Result<CallEstimate> EstimateCalls(pg::Connection& connection, const connector::EntityDef& def,
                                   const connector::Mapping& mapping,
                                   const EstimateRequest& request, std::stop_token stop) {
  PCW_TRY(const runs::ScanHistory history,
          runs::LoadScanHistory(connection, def.name, request.catalog, stop));
  // Without a watermark an incremental run is a full one.
  if (request.mode == connector::RunMode::kIncremental && !request.records && history.has_watermark)
    return EstimateIncremental(connection, def, request, stop);
  PCW_TRY(const tables::EntityTable table, tables::EntityTable::Create(def, mapping));
  CallEstimate estimate;
  PCW_TRY(estimate.held, table.CountPresent(connection, request.catalog, stop));
  if (request.records) {
    estimate.records = *request.records;
    estimate.basis = "as given";
  } else if (history.last_full_listed) {
    estimate.records = *history.last_full_listed;
    estimate.basis = "the last full scan";
  } else {
    return Error(ErrorCode::kInvalidRequest,
                 fmt::format("how many {} AWS has is not known before the first full scan; add "
                             "--records N, or --count to list them now (one call per {})",
                             def.name, request.page_size))
        .As(ErrorMark::kUsage);
  }
  const auto is_hint = [](const connector::SourceDef& source) {
    return source.version_means == connector::ListedVersion::kHint;
  };
  // Where a listed version tells little, a full run fetches what is held once more.
  if (request.mode == connector::RunMode::kFull &&
      std::any_of(def.sources.begin(), def.sources.end(), is_hint))
    estimate.held = 0;
  estimate.held = std::min(estimate.held, estimate.records);
  // The last page is told by its missing token, so an empty listing still takes a call.
  estimate.list_calls =
      std::max<std::int64_t>(1, (estimate.records + request.page_size - 1) / request.page_size);
  estimate.list_calls += static_cast<std::int64_t>(def.sources.size()) - 1;
  if (def.sources.front().detail != nullptr)
    estimate.detail_calls = estimate.records - estimate.held;
  return estimate;
}

Result<std::int64_t> CountListed(aws::Caller& caller, const connector::EntityDef& def,
                                 const std::string& catalog, int page_size, std::stop_token stop) {
  std::int64_t records = 0;
  const SystemClock clock;
  for (const connector::SourceDef& source : def.sources) {
    PageSource pages(source, caller, clock,
                     {.catalog = catalog,
                      .page_size = page_size,
                      .mode = connector::RunMode::kFull,
                      .modified_after = std::nullopt},
                     stop);
    for (bool is_last = false; !is_last;) {
      PCW_TRY(const ListedPage page, pages.Next());
      records += static_cast<std::int64_t>(page.items.size());
      is_last = page.is_last;
    }
  }
  return records;
}

}  // namespace pcw::sync
