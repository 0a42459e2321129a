// The order in which runs filled bronze: what a re-ingest reads first.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "pcw/base/clock.h"
#include "pcw/lake/bronze_store.h"
#include "pcw/lake/selection.h"
#include "pcw/pg/database.h"

namespace pcw::reingest {

/// Puts run folders into the order in which AWS answered (I9): by the Date of the first answer in a
/// folder, or the database's time where AWS sent none; folders of one second by the start of their
/// runs. The name of a folder says when its run was asked for, which is another order.
///
/// Runs of an entity follow each other, so the first answer of each is enough. It comes from the
/// run's row, else from the manifest, else from the first line of the first part; only for runs
/// that neither tells is an object read here. A folder that tells nothing goes by its name's day.
/// The error of a store or a database that is out of reach.
Result<std::vector<lake::RunFolder>> InServedOrder(std::vector<lake::RunFolder> folders,
                                                   lake::BronzeStore& store, pg::Database& database,
                                                   std::int64_t connector_id,
                                                   std::string_view entity, std::stop_token stop);

/// When a run's first answer was served, and when the run began.
struct RunTimes {
  std::optional<WallTime> served, started;
};
/// By run id, as their rows have them.
using KnownRunTimes = std::map<std::string, RunTimes, std::less<>>;

/// The same with the runs' rows at hand.
Result<std::vector<lake::RunFolder>> InServedOrder(std::vector<lake::RunFolder> folders,
                                                   lake::BronzeStore& store,
                                                   const KnownRunTimes& known,
                                                   std::stop_token stop);

/// Where each run folder stands among the others. Immutable; thread-safe.
class FolderPlaces {
 public:
  FolderPlaces() = default;
  explicit FolderPlaces(const std::vector<lake::RunFolder>& folders);

  /// What lies at `key` was fetched by an earlier run than what lies at `other`. An object of a
  /// folder that is gone is earlier than any.
  bool IsEarlierRun(std::string_view key, std::string_view other) const;

 private:
  std::int64_t PlaceOf(std::string_view key) const;
  std::map<std::string, std::int64_t, std::less<>> places_;
};

}  // namespace pcw::reingest
