// How many calls a sync would take, before it is made.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include "pcw/aws/caller.h"
#include "pcw/connector/entity_def.h"
#include "pcw/connector/mapping.h"
#include "pcw/pg/connection.h"
#include "pcw/runs/run_store.h"

namespace pcw::sync {

struct CallEstimate {
  std::int64_t records = 0;  ///< that AWS would list
  std::int64_t held = 0;     ///< of them in the table already, and supposed unchanged
  std::int64_t list_calls = 0;
  std::int64_t detail_calls = 0;
  std::string basis;  ///< where `records` comes from: "the last full scan"

  std::int64_t calls() const { return list_calls + detail_calls; }
};

struct EstimateRequest {
  std::string catalog;
  connector::RunMode mode = connector::RunMode::kFull;
  int page_size = 100;
  std::optional<std::int64_t> records;  ///< known from elsewhere; absent = what was seen last
};

/// A full scan lists everything and fetches what is not held; an incremental one is supposed to
/// cost what the most expensive of the last five did. kInvalidRequest when nothing tells how many
/// records there are.
Result<CallEstimate> EstimateCalls(pg::Connection& connection, const connector::EntityDef& def,
                                   const connector::Mapping& mapping,
                                   const EstimateRequest& request, std::stop_token stop);

/// Lists the entity to its end: one call a page. Errors as PageSource.
Result<std::int64_t> CountListed(aws::Caller& caller, const connector::EntityDef& def,
                                 const std::string& catalog, int page_size, std::stop_token stop);

}  // namespace pcw::sync
