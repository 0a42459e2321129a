// Compares every record of a run with the shape that AWS's model gives it, and counts.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/base/result.h"
#include "pcw/connector/drift.h"
#include "pcw/connector/entity_def.h"
#include "pcw/connector/mapping.h"
#include "pcw/connector/response_shape.h"

namespace simdjson::dom {
class element;
}

namespace pcw::connector {

/// Watches the records that a Mapper maps. One pass over the parsed record, without an allocation
/// for what is as the model says. Not thread-safe.
///
/// Nothing of a PII member's value is kept: of a new enum value there only "a value" is said.
class DriftObserver {
 public:
  /// `accepted` findings are neither counted nor acted upon. Both views outlive it. Of one place
  /// (the members of a structure, the values of an enum) ten departures are kept apart, those that
  /// earlier runs left `open` or that are accepted among them, and of the entity 200: whatever is
  /// beyond is one finding a place, "<structure>/*". A source that makes up names fills neither the
  /// table nor the memory, over any number of runs.
  DriftObserver(const EntityDef& entity, const Mapping& mapping, std::set<DriftKey> accepted,
                const std::set<DriftKey>& open = {});

  /// The next record: its id and the place that a finding names.
  void Begin(std::string_view record_id, int line);
  /// Looks at one answer of it. kSchemaMismatch because of kSchemaFrozen or kSchemaQuarantined if
  /// it departs where the mapping has such a mode, `pointer` and `found`; the worst of them.
  Status Observe(const simdjson::dom::element& document, std::string_view operation);
  /// Counts the columns of the row made of it, and its misfits: as Observe. `is_sparse`: columns
  /// that it leaves alone are not NULLs.
  Status ObserveRow(const Row& row, std::string_view operation, bool is_sparse);

  /// Departures since the last call.
  DriftFindings TakeFindings();
  /// Rates of all that was seen.
  RateTallies Tallies() const;
  const std::set<DriftKey>& accepted() const { return accepted_; }

 private:
  struct Watched {
    ResponseShape shape;
    std::int64_t records = 0;
    std::vector<std::int64_t> present;  ///< by node
  };
  struct Columns {
    std::string operation;
    std::int64_t records = 0;
    std::vector<std::int64_t> filled;  ///< by column of the mapping
  };
  void Walk(Watched& watched, const simdjson::dom::element& value, std::uint32_t at);
  void Depart(DriftKey key, std::string expected);
  bool IsKeptApart(const DriftKey& key);
  bool IsPii(std::string_view pointer) const;
  DriftMode ModeOf(std::string_view pointer) const;
  Columns& ColumnsOf(std::string_view operation);

  const Mapping& mapping_;
  std::set<DriftKey> accepted_;
  std::vector<std::vector<std::string>> pii_;                          ///< segments
  std::vector<std::pair<std::vector<std::string>, DriftMode>> modes_;  ///< segments
  std::vector<Watched> watched_;
  std::vector<Columns> columns_;
  struct Counted {
    DriftCount count;
    std::int64_t last_record = 0;
  };
  std::map<DriftKey, Counted> found_;
  std::map<DriftKey, std::set<DriftKey>> kept_;  ///< by place; of all runs
  std::size_t kept_count_ = 0;
  std::int64_t serial_ = 0;  ///< of the record in hand
  std::string record_id_;
  int line_ = 0;
  std::optional<Error> verdict_;  ///< of the record in hand
};

}  // namespace pcw::connector
