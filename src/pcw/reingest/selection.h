// What a re-ingest takes from bronze: as it is asked for, and as objects and records.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/base/json.h"
#include "pcw/connector/entity_def.h"
#include "pcw/lake/part_reader.h"
#include "pcw/pg/connection.h"
#include "pcw/reingest/reader.h"

namespace pcw::reingest {

/// As asked for; everything that is set must hold. Nothing set = all of the entity.
struct ReingestSelection {
  std::optional<WallTime> since;  ///< fetched then or later
  std::optional<WallTime> until;  ///< fetched before
  std::string run;                ///< id, or its first 8 or more characters
  std::vector<std::string> ids;
  std::string null_column;  ///< records whose row has NULL there
  bool letters = false;     ///< records with an open dead letter of stage map, from where it points
  std::string finding;  ///< a finding of drift (its id, or its column): records since its first run

  bool is_all() const {
    return !since && !until && run.empty() && ids.empty() && null_column.empty() && !letters &&
           finding.empty();
  }
};

/// For stats_json, so that --resume goes on with the same selection.
OrderedJson ToJson(const ReingestSelection& selection);
/// kConfig if it is not what ToJson writes.
Result<ReingestSelection> ParseSelection(const Json& json);

/// Decides for each record; its meta is enough.
class RecordFilter {
 public:
  bool Takes(const lake::ScannedLine& line) const;
  /// Each way of naming records narrows what the others leave: from now on only records of these
  /// hashes (HashOfId) are taken, in any order.
  void NarrowTo(std::vector<std::uint64_t> hashes);

  std::optional<WallTime> since, until;
  bool is_by_id = false;
  std::vector<std::uint64_t> id_hashes;  ///< sorted; 8 bytes an id, whatever its length
};

std::uint64_t HashOfId(std::string_view id);

/// The folder of the day in which a run begins at the latest that fetched before `until`.
std::string UntilDay(WallTime until);
/// kInvalidRequest for what is not the beginning of a run id.
Status CheckRunStart(std::string_view run);

struct ResolvedSelection {
  ObjectFilter objects;
  RecordFilter records;
};

/// Asks the database for what only it knows. kInvalidRequest for a column or run that is none,
/// kNotFound for a finding.
Result<ResolvedSelection> Resolve(pg::Connection& connection, const connector::EntityDef& def,
                                  std::int64_t connector_id, const ReingestSelection& selection,
                                  std::stop_token stop);

}  // namespace pcw::reingest
