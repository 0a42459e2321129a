// One catalog's opportunities: the seeded ones by arithmetic, changes in a small overlay, queries
// over both.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pcw/sim/partner_central/dataset.h"
#include "pcw/sim/partner_central/opportunity.h"

namespace pcw::sim {

enum class SortBy : std::uint8_t {
  kLastModifiedDate,
  kIdentifier,
  kCustomerCompanyName,
  kCreatedDate,
  kTargetCloseDate
};
enum class SortOrder : std::uint8_t { kAscending, kDescending };

/// A record's place in an order: the sort value (number or text), then a tie-breaker.
struct SortKey {
  std::int64_t number = 0;
  std::string text;
  std::uint64_t tie = 0;
  auto operator<=>(const SortKey&) const = default;
};

/// ListOpportunities without its token. Lower bounds are inclusive, upper ones exclusive; an empty
/// set means no filter.
struct ListQuery {
  SortBy sort_by = SortBy::kLastModifiedDate;
  SortOrder order = SortOrder::kDescending;
  std::optional<WallTime> modified_from{}, modified_before{}, created_from{}, created_before{};
  std::optional<std::string> close_from{}, close_before{};  ///< YYYY-MM-DD
  std::set<std::string> identifiers{}, stages{}, review_statuses{}, company_names{};
  std::size_t max_results = 20;
};

/// Where the next page begins: behind a key, or behind so many records.
struct ListPosition {
  std::optional<SortKey> after;
  std::uint64_t skip = 0;
};

struct ListPage {
  std::vector<RecordVersion> records;
  std::optional<SortKey> last;  ///< key of the last record; set if the page has one
  bool has_more = false;
};

/// Thread-safe. Memory: constant for the seeded records (plus 4 bytes a record once somebody sorts
/// by company or close date), a few hundred bytes for each changed one.
class Collection {
 public:
  Collection(DatasetOptions options, Catalog catalog);

  /// One page, as the records stood at `as_of` (now, if absent).
  ListPage List(const ListQuery& query, const ListPosition& from,
                std::optional<WallTime> as_of = std::nullopt) const;
  /// The record as it is now; nullopt if unknown or removed.
  std::optional<RecordVersion> Get(std::string_view id) const;

  /// What `listener` is told of every record that is made or modified, with the lock held: it must
  /// not call back. To be set before anybody else uses the collection.
  using Changed = std::function<void(const std::string& id, bool is_new, WallTime now)>;
  void OnChange(Changed listener) { on_change_ = std::move(listener); }

  /// Gives the records (existing ones of `ids`, or `count` drawn ones) a new revision, dated `now`.
  /// Returns their ids.
  std::vector<std::string> Modify(const std::vector<std::string>& ids, WallTime now);
  std::vector<std::string> ModifySome(std::uint64_t count, WallTime now);
  std::vector<std::string> Insert(std::uint64_t count, WallTime now);
  std::vector<std::string> Remove(const std::vector<std::string>& ids, WallTime now);
  std::vector<std::string> RemoveSome(std::uint64_t count, WallTime now);

  /// Calls `visit` for every live record, by number. Holds the lock: `visit` must not call back.
  void ForEach(const std::function<void(const RecordVersion&)>& visit) const;

  const OpportunityWriter& writer() const { return writer_; }
  std::string IdOf(std::uint64_t index) const { return dataset_.IdOf(index); }

 private:
  /// What became of a changed record, oldest first. `at` is when it became so.
  struct Change {
    WallTime at;
    std::uint32_t revision;
    WallTime modified;
    bool removed;
  };
  struct Entry {
    std::optional<WallTime> inserted;
    std::vector<Change> changes;  ///< the latest few
    bool trimmed = false;         ///< older ones were dropped
  };
  struct Placed {
    SortKey key;
    RecordVersion version;
  };
  using Overlay = std::map<std::uint64_t, Entry>;

  class Walk;

  RecordVersion Seeded(std::uint64_t index) const;
  std::optional<RecordVersion> At(std::uint64_t index, std::optional<WallTime> as_of) const;
  std::optional<RecordVersion> StateOf(std::uint64_t index, const Entry& entry,
                                       std::optional<WallTime> as_of) const;
  SortKey KeyOf(SortBy sort, const RecordVersion& version, std::uint64_t tie) const;
  std::uint64_t SeededAt(SortBy sort, std::uint64_t position) const;
  SortKey SeededKeyAt(SortBy sort, std::uint64_t position) const;
  const std::vector<std::uint32_t>& Materialised(SortBy sort) const;
  Placed Place(SortBy sort, const RecordVersion& version) const;
  std::shared_ptr<const std::vector<Placed>> PlacedChanges(SortBy sort,
                                                           std::optional<WallTime> as_of) const;
  std::shared_ptr<const std::vector<Placed>> PlacedIds(const ListQuery& query,
                                                       std::optional<WallTime> as_of) const;
  bool Matches(const ListQuery& query, const RecordVersion& version) const;
  void Touch(std::uint64_t index, WallTime now, bool removed);
  std::vector<std::uint64_t> DrawLive(std::uint64_t count);
  std::vector<std::uint64_t> LiveOf(const std::vector<std::string>& ids) const;
  std::vector<std::string> TouchAll(const std::vector<std::uint64_t>& indexes, WallTime now,
                                    bool removed);

  const Dataset dataset_;
  const Granularity granularity_;
  const OpportunityWriter writer_;
  Changed on_change_;

  mutable std::shared_mutex mutex_;
  Overlay overlay_;
  std::uint64_t next_index_;  ///< number of the next inserted record
  std::uint64_t drawn_ = 0;
  std::uint64_t version_ = 0;  ///< counts changes of the overlay

  /// Orders that are held because they cannot be computed, and overlay orders of one version.
  mutable std::mutex cache_mutex_;
  mutable std::map<SortBy, std::vector<std::uint32_t>> materialised_;
  mutable std::map<SortBy, std::pair<std::uint64_t, std::shared_ptr<const std::vector<Placed>>>>
      placed_;
};

}  // namespace pcw::sim
