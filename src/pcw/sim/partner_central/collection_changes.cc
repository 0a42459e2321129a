// How records of a collection change: the writing half of Collection.
#include <algorithm>
#include <numeric>
#include <utility>

#include "pcw/sim/draw.h"
#include "pcw/sim/partner_central/collection.h"

namespace pcw::sim {
namespace {

constexpr std::size_t kMaxChangesKept = 8;

std::chrono::microseconds Granule(Granularity granularity) {
  switch (granularity) {
    case Granularity::kSeconds:
      return std::chrono::seconds(1);
    case Granularity::kMicros:
      return std::chrono::microseconds(1);
    case Granularity::kMixed:
    case Granularity::kMillis:
      return std::chrono::milliseconds(1);
  }
  return std::chrono::milliseconds(1);
}

}  // namespace

void Collection::Touch(std::uint64_t index, WallTime now, bool removed) {
  const std::optional<RecordVersion> before = At(index, std::nullopt);
  WallTime modified = CutTo(now, granularity_);
  // Two versions of a record never share a date: whoever compares by it must be able to tell.
  if (before) {
    modified = std::max(modified, CutTo(before->modified, granularity_) + Granule(granularity_));
  }
  Entry& entry = overlay_[index];
  if (!before) entry.inserted = modified;
  if (entry.changes.size() == kMaxChangesKept) {
    entry.changes.erase(entry.changes.begin());
    entry.trimmed = true;
  }
  entry.changes.push_back({now, before ? before->revision + 1 : 0, modified, removed});
  ++version_;
  // There is no event of a removal: the API knows none either.
  if (on_change_ && !removed) on_change_(IdOf(index), !before.has_value(), modified);
}

std::vector<std::string> Collection::TouchAll(const std::vector<std::uint64_t>& indexes,
                                              WallTime now, bool removed) {
  std::vector<std::string> ids;
  for (const std::uint64_t index : indexes) {
    Touch(index, now, removed);
    ids.push_back(IdOf(index));
  }
  return ids;
}

std::vector<std::uint64_t> Collection::LiveOf(const std::vector<std::string>& ids) const {
  std::vector<std::uint64_t> live;
  for (const std::string& id : ids) {
    const auto index = dataset_.IndexOf(id);
    if (index && At(*index, std::nullopt)) live.push_back(*index);
  }
  return live;
}

std::vector<std::uint64_t> Collection::DrawLive(std::uint64_t count) {
  std::set<std::uint64_t> drawn;
  if (next_index_ == 0) return {};
  // Bounded, because almost everything may have been removed.
  for (std::uint64_t tries = 0; drawn.size() < count && tries < 8 * count + 1'000; ++tries) {
    const std::uint64_t index = Mix(dataset_.seed() ^ 0x746f756368, drawn_++) % next_index_;
    if (At(index, std::nullopt)) drawn.insert(index);
  }
  return {drawn.begin(), drawn.end()};
}

std::vector<std::string> Collection::Modify(const std::vector<std::string>& ids, WallTime now) {
  const std::unique_lock lock(mutex_);
  return TouchAll(LiveOf(ids), now, false);
}

std::vector<std::string> Collection::ModifySome(std::uint64_t count, WallTime now) {
  const std::unique_lock lock(mutex_);
  return TouchAll(DrawLive(count), now, false);
}

std::vector<std::string> Collection::Insert(std::uint64_t count, WallTime now) {
  const std::unique_lock lock(mutex_);
  std::vector<std::uint64_t> fresh(count);
  std::iota(fresh.begin(), fresh.end(), next_index_);
  next_index_ += count;
  return TouchAll(fresh, now, false);
}

std::vector<std::string> Collection::Remove(const std::vector<std::string>& ids, WallTime now) {
  const std::unique_lock lock(mutex_);
  return TouchAll(LiveOf(ids), now, true);
}

std::vector<std::string> Collection::RemoveSome(std::uint64_t count, WallTime now) {
  const std::unique_lock lock(mutex_);
  return TouchAll(DrawLive(count), now, true);
}

}  // namespace pcw::sim
