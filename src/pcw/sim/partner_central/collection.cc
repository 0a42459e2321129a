#include "pcw/sim/partner_central/collection.h"

#include <algorithm>
#include <utility>

namespace pcw::sim {
namespace {

bool Within(const std::set<std::string>& wanted, std::string_view value) {
  return wanted.empty() || wanted.contains(std::string(value));
}

bool WithinTimes(WallTime value, const std::optional<WallTime>& from,
                 const std::optional<WallTime>& before) {
  return (!from || value >= *from) && (!before || value < *before);
}

std::int64_t Micros(WallTime time) { return time.time_since_epoch().count(); }

/// The filter on the sort field itself, as bounds of the key: it becomes a binary search.
struct KeyRange {
  std::optional<SortKey> from;
  std::optional<SortKey> before;
};

KeyRange RangeOf(const ListQuery& query) {
  const auto times = [](const std::optional<WallTime>& from,
                        const std::optional<WallTime>& before) {
    KeyRange range;
    if (from) range.from = SortKey{Micros(*from), {}, 0};
    if (before) range.before = SortKey{Micros(*before), {}, 0};
    return range;
  };
  switch (query.sort_by) {
    case SortBy::kLastModifiedDate:
      return times(query.modified_from, query.modified_before);
    case SortBy::kCreatedDate:
      return times(query.created_from, query.created_before);
    case SortBy::kTargetCloseDate: {
      KeyRange range;
      if (query.close_from) range.from = SortKey{0, *query.close_from, 0};
      if (query.close_before) range.before = SortKey{0, *query.close_before, 0};
      return range;
    }
    case SortBy::kIdentifier:
    case SortBy::kCustomerCompanyName:
      return {};
  }
  return {};
}

/// True if only the filter on the sort field is set, so that every record in range matches.
bool OnlyRange(const ListQuery& query) {
  const bool modified = query.modified_from || query.modified_before;
  const bool created = query.created_from || query.created_before;
  const bool close = query.close_from || query.close_before;
  return (!modified || query.sort_by == SortBy::kLastModifiedDate) &&
         (!created || query.sort_by == SortBy::kCreatedDate) &&
         (!close || query.sort_by == SortBy::kTargetCloseDate) && query.identifiers.empty() &&
         query.stages.empty() && query.review_statuses.empty() && query.company_names.empty();
}

}  // namespace

/// Steps through the records of one order and direction: seeded ones that did not change, merged
/// with the changed ones (or just the ones asked for by id). Holds no locks; lives inside List.
class Collection::Walk {
 public:
  Walk(const Collection& collection, const ListQuery& query, std::optional<WallTime> as_of)
      : collection_(collection),
        query_(query),
        changed_(query.identifiers.empty() ? collection.PlacedChanges(query.sort_by, as_of)
                                           : collection.PlacedIds(query, as_of)),
        ascending_(query.order == SortOrder::kAscending) {
    const KeyRange range = RangeOf(query);
    if (query.identifiers.empty()) {
      low_ = range.from ? FirstSeededNotBelow(*range.from) : 0;
      high_ = range.before ? FirstSeededNotBelow(*range.before) : collection.dataset_.count();
      high_ = std::max(low_, high_);
    }
    changed_low_ = range.from ? FirstChangedNotBelow(*range.from) : 0;
    changed_high_ = range.before ? FirstChangedNotBelow(*range.before) : changed_->size();
    changed_high_ = std::max(changed_low_, changed_high_);
  }

  /// Continues behind `key`.
  void StartAfter(const SortKey& key) {
    SortKey behind = key;
    if (ascending_) {
      ++behind.tie;
      low_ = std::clamp(FirstSeededNotBelow(behind), low_, high_);
      changed_low_ = std::clamp(FirstChangedNotBelow(behind), changed_low_, changed_high_);
    } else {
      high_ = std::clamp(FirstSeededNotBelow(key), low_, high_);
      changed_high_ = std::clamp(FirstChangedNotBelow(key), changed_low_, changed_high_);
    }
  }

  /// Jumps over `count` seeded records; only right if none changed and all match.
  void Jump(std::uint64_t count) {
    count = std::min(count, high_ - low_);
    if (ascending_) {
      low_ += count;
    } else {
      high_ -= count;
    }
  }

  bool unchanged() const { return changed_->empty() && collection_.overlay_.empty(); }

  /// The next record in order, whether it matches the filters or not.
  std::optional<Placed> Next() {
    SkipChangedSeeds();
    const bool seeded_left = low_ < high_;
    const bool changed_left = changed_low_ < changed_high_;
    if (!seeded_left && !changed_left) return std::nullopt;
    if (seeded_left && changed_left) {
      const SortKey seeded = SeededKey();
      const SortKey& changed = ChangedHere().key;
      return (ascending_ ? seeded < changed : changed < seeded) ? TakeSeeded() : TakeChanged();
    }
    return seeded_left ? TakeSeeded() : TakeChanged();
  }

 private:
  std::uint64_t Position() const { return ascending_ ? low_ : high_ - 1; }
  const Placed& ChangedHere() const {
    return (*changed_)[ascending_ ? changed_low_ : changed_high_ - 1];
  }
  SortKey SeededKey() const { return collection_.SeededKeyAt(query_.sort_by, Position()); }

  void Step() {
    if (ascending_) {
      ++low_;
    } else {
      --high_;
    }
  }

  void SkipChangedSeeds() {
    if (collection_.overlay_.empty()) return;
    while (low_ < high_ &&
           collection_.overlay_.contains(collection_.SeededAt(query_.sort_by, Position()))) {
      Step();
    }
  }

  Placed TakeSeeded() {
    Placed taken{SeededKey(), collection_.Seeded(collection_.SeededAt(query_.sort_by, Position()))};
    Step();
    return taken;
  }

  Placed TakeChanged() {
    Placed taken = ChangedHere();
    if (ascending_) {
      ++changed_low_;
    } else {
      --changed_high_;
    }
    return taken;
  }

  std::uint64_t FirstSeededNotBelow(const SortKey& key) const {
    std::uint64_t low = 0;
    std::uint64_t high = collection_.dataset_.count();
    while (low < high) {
      const std::uint64_t middle = low + (high - low) / 2;
      if (collection_.SeededKeyAt(query_.sort_by, middle) < key) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  std::size_t FirstChangedNotBelow(const SortKey& key) const {
    const auto found =
        std::lower_bound(changed_->begin(), changed_->end(), key,
                         [](const Placed& placed, const SortKey& k) { return placed.key < k; });
    return static_cast<std::size_t>(found - changed_->begin());
  }

  const Collection& collection_;
  const ListQuery& query_;
  const std::shared_ptr<const std::vector<Placed>> changed_;
  const bool ascending_;
  std::uint64_t low_ = 0;  ///< seeded positions still to come: [low_, high_)
  std::uint64_t high_ = 0;
  std::size_t changed_low_ = 0;
  std::size_t changed_high_ = 0;
};

Collection::Collection(DatasetOptions options, Catalog catalog)
    : dataset_(options),
      granularity_(options.granularity),
      writer_(dataset_, catalog),
      next_index_(options.count) {}

RecordVersion Collection::Seeded(std::uint64_t index) const {
  return {index, 0, dataset_.ModifiedAtRank(dataset_.RankOf(index)), dataset_.CreatedOf(index)};
}

std::optional<RecordVersion> Collection::StateOf(std::uint64_t index, const Entry& entry,
                                                 std::optional<WallTime> as_of) const {
  const auto last = std::find_if(entry.changes.rbegin(), entry.changes.rend(),
                                 [&](const Change& c) { return !as_of || c.at <= *as_of; });
  if (last == entry.changes.rend() && !entry.trimmed) {
    if (entry.inserted) return std::nullopt;
    return Seeded(index);
  }
  const Change& state = last == entry.changes.rend() ? entry.changes.front() : *last;
  if (state.removed) return std::nullopt;
  return RecordVersion{index, state.revision, state.modified,
                       entry.inserted ? *entry.inserted : dataset_.CreatedOf(index)};
}

std::optional<RecordVersion> Collection::At(std::uint64_t index,
                                            std::optional<WallTime> as_of) const {
  const auto changed = overlay_.find(index);
  if (changed != overlay_.end()) return StateOf(index, changed->second, as_of);
  if (index >= dataset_.count()) return std::nullopt;
  return Seeded(index);
}

std::optional<RecordVersion> Collection::Get(std::string_view id) const {
  const auto index = dataset_.IndexOf(id);
  if (!index) return std::nullopt;
  const std::shared_lock lock(mutex_);
  return At(*index, std::nullopt);
}

SortKey Collection::KeyOf(SortBy sort, const RecordVersion& version, std::uint64_t tie) const {
  switch (sort) {
    case SortBy::kLastModifiedDate:
      return {Micros(version.modified), {}, tie};
    case SortBy::kIdentifier:
      return {0, {}, version.index};
    case SortBy::kCreatedDate:
      return {Micros(version.created), {}, version.index};
    case SortBy::kCustomerCompanyName:
      return {0, writer_.CompanyName(version.index), version.index};
    case SortBy::kTargetCloseDate:
      return {0, writer_.TargetCloseDate(version), version.index};
  }
  return {};
}

std::uint64_t Collection::SeededAt(SortBy sort, std::uint64_t position) const {
  switch (sort) {
    case SortBy::kLastModifiedDate:
      return dataset_.AtRank(position);
    case SortBy::kIdentifier:
    case SortBy::kCreatedDate:
      return position;
    case SortBy::kCustomerCompanyName:
    case SortBy::kTargetCloseDate:
      return Materialised(sort)[position];
  }
  return position;
}

SortKey Collection::SeededKeyAt(SortBy sort, std::uint64_t position) const {
  // The common order needs no inverse permutation: time is a function of the rank.
  if (sort == SortBy::kLastModifiedDate) {
    return {Micros(dataset_.ModifiedAtRank(position)), {}, position};
  }
  const std::uint64_t index = SeededAt(sort, position);
  return KeyOf(sort, Seeded(index), index);
}

const std::vector<std::uint32_t>& Collection::Materialised(SortBy sort) const {
  const std::lock_guard lock(cache_mutex_);
  std::vector<std::uint32_t>& order = materialised_[sort];
  if (order.size() == dataset_.count()) return order;
  std::vector<std::pair<std::string, std::uint32_t>> keyed;
  keyed.reserve(dataset_.count());
  for (std::uint32_t i = 0; i < dataset_.count(); ++i) {
    keyed.emplace_back(KeyOf(sort, Seeded(i), i).text, i);
  }
  std::sort(keyed.begin(), keyed.end());
  order.reserve(keyed.size());
  for (const auto& [text, index] : keyed) order.push_back(index);
  return order;
}

Collection::Placed Collection::Place(SortBy sort, const RecordVersion& version) const {
  // Changed records stand behind every seeded one of the same instant.
  const bool as_seeded = version.revision == 0 && version.index < dataset_.count();
  const std::uint64_t tie =
      as_seeded ? dataset_.RankOf(version.index) : dataset_.count() + version.index;
  return {KeyOf(sort, version, tie), version};
}

std::shared_ptr<const std::vector<Collection::Placed>> Collection::PlacedIds(
    const ListQuery& query, std::optional<WallTime> as_of) const {
  auto placed = std::make_shared<std::vector<Placed>>();
  for (const std::string& id : query.identifiers) {
    const auto index = dataset_.IndexOf(id);
    const auto version = index ? At(*index, as_of) : std::nullopt;
    if (version) placed->push_back(Place(query.sort_by, *version));
  }
  std::sort(placed->begin(), placed->end(),
            [](const Placed& a, const Placed& b) { return a.key < b.key; });
  return placed;
}

std::shared_ptr<const std::vector<Collection::Placed>> Collection::PlacedChanges(
    SortBy sort, std::optional<WallTime> as_of) const {
  if (!as_of) {
    const std::lock_guard lock(cache_mutex_);
    const auto found = placed_.find(sort);
    if (found != placed_.end() && found->second.first == version_) return found->second.second;
  }
  auto placed = std::make_shared<std::vector<Placed>>();
  for (const auto& [index, entry] : overlay_) {
    if (const auto state = StateOf(index, entry, as_of)) placed->push_back(Place(sort, *state));
  }
  std::sort(placed->begin(), placed->end(),
            [](const Placed& a, const Placed& b) { return a.key < b.key; });
  if (!as_of) {
    const std::lock_guard lock(cache_mutex_);
    placed_[sort] = {version_, placed};
  }
  return placed;
}

bool Collection::Matches(const ListQuery& query, const RecordVersion& version) const {
  if (!WithinTimes(version.modified, query.modified_from, query.modified_before)) return false;
  if (!WithinTimes(version.created, query.created_from, query.created_before)) return false;
  if (!query.stages.empty() && !Within(query.stages, writer_.Stage(version))) return false;
  if (!query.review_statuses.empty() &&
      !Within(query.review_statuses, writer_.ReviewStatus(version))) {
    return false;
  }
  if (!query.company_names.empty() &&
      !Within(query.company_names, writer_.CompanyName(version.index))) {
    return false;
  }
  if (query.close_from || query.close_before) {
    const std::string day = writer_.TargetCloseDate(version);
    if (query.close_from && day < *query.close_from) return false;
    if (query.close_before && day >= *query.close_before) return false;
  }
  return true;
}

ListPage Collection::List(const ListQuery& query, const ListPosition& from,
                          std::optional<WallTime> as_of) const {
  const std::shared_lock lock(mutex_);
  Walk walk(*this, query, as_of);
  std::uint64_t skip = from.skip;
  if (from.after) walk.StartAfter(*from.after);
  if (skip > 0 && walk.unchanged() && OnlyRange(query)) {
    walk.Jump(skip);
    skip = 0;
  }
  ListPage page;
  while (auto placed = walk.Next()) {
    if (!Matches(query, placed->version)) continue;
    if (skip > 0) {
      --skip;
      continue;
    }
    if (page.records.size() == query.max_results) {
      page.has_more = true;
      break;
    }
    page.records.push_back(placed->version);
    page.last = std::move(placed->key);
  }
  return page;
}

void Collection::ForEach(const std::function<void(const RecordVersion&)>& visit) const {
  const std::shared_lock lock(mutex_);
  for (std::uint64_t index = 0; index < next_index_; ++index) {
    if (const auto version = At(index, std::nullopt)) visit(*version);
  }
}

}  // namespace pcw::sim
