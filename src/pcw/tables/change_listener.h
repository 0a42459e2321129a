// Whoever wants to know what a run really changed, inside the transaction that changes it.
#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/base/clock.h"
#include "pcw/connector/run_types.h"
#include "pcw/pg/connection.h"

namespace pcw::tables {

/// A record whose row is made or replaced because AWS served other bytes. A row that only another
/// mapping rewrote is none.
struct LandedChange {
  std::string id;
  bool is_new = false;               ///< there was no row
  std::string version;               ///< source_version, verbatim
  WallTime modified_at;              ///< source_modified_at
  std::string payload_sha256;        ///< hex
  std::vector<std::string> columns;  ///< mapped columns that differ; of a new row none
};

/// The run that lands them.
struct ChangeScope {
  std::string_view run_id;
  std::int64_t connector_id = 0;
  std::string_view entity, catalog;
  connector::RunMode mode = connector::RunMode::kFull;
};

/// Told of every part's changes of runs that read AWS (full, incremental, fetch), once, within the
/// transaction that commits them: what it writes lands with them or not at all. Its error rolls the
/// part back. Called on the committer's thread.
class ChangeListener {
 public:
  virtual ~ChangeListener() = default;
  virtual Status OnChanges(pg::Connection& connection, const ChangeScope& scope,
                           std::span<const LandedChange> changes, std::stop_token stop) = 0;
};

}  // namespace pcw::tables
