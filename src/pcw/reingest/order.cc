#include "pcw/reingest/order.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "pcw/base/time.h"
#include "pcw/lake/layout.h"
#include "pcw/lake/part.h"
#include "pcw/lake/part_reader.h"
#include "pcw/lake/unreadable.h"
#include "pcw/runs/run_bronze.h"

namespace pcw::reingest {
namespace {

std::optional<WallTime> TimeIn(std::string_view text) {
  const Result<WallTime> time = ParseRfc3339(text);
  return time ? std::optional<WallTime>(*time) : std::nullopt;
}

Result<KnownRunTimes> LoadTimes(pg::Database& database, std::int64_t connector_id,
                                std::string_view entity, std::stop_token stop) {
  using Stored = std::vector<runs::StoredRunTimes>;
  PCW_TRY(const Stored stored, database.Run<Stored>(stop, [&](pg::Connection& connection) {
    return runs::LoadRunTimes(connection, connector_id, entity, stop);
  }));
  std::map<std::string, RunTimes, std::less<>> times;
  for (const runs::StoredRunTimes& run : stored)
    times.emplace(run.run_id, RunTimes{.served = run.served_from, .started = run.started_at});
  return times;
}

// What the folder itself says. What cannot be read tells nothing here; the reader names it.
Status AskFolder(const lake::RunFolder& folder, lake::BronzeStore& store, RunTimes& times,
                 std::stop_token stop) {
  if (folder.has_manifest) {
    const Result<std::string> text = store.Get(lake::ManifestKey(folder.prefix), stop);
    if (!text && !lake::IsOfTheObject(text.error())) return text.error();
    const Result<lake::Manifest> manifest =
        text ? lake::ParseManifest(*text) : Result<lake::Manifest>(text.error());
    if (manifest) {
      times.served = TimeIn(manifest->served_from);
      if (!times.started) times.started = TimeIn(manifest->started_at);
    }
  }
  if (times.served) return Ok{};
  const auto first = std::find_if(folder.objects.begin(), folder.objects.end(),
                                  [](const lake::FolderObject& object) { return object.part > 0; });
  if (first == folder.objects.end()) return Ok{};
  const Result<std::string> text = store.Get(first->key, stop);
  if (!text && !lake::IsOfTheObject(text.error())) return text.error();
  if (!text) return Ok{};
  const std::string_view line = std::string_view(*text).substr(0, text->find('\n') + 1);
  const Result<lake::ScannedPart> part = lake::ScanPart(line, lake::LineDigests::kVouched);
  if (!part || part->lines.empty()) return Ok{};
  times.served = TimeIn(part->lines.front().served_at);
  if (!times.served) times.served = TimeIn(part->lines.front().fetched_at);
  return Ok{};
}

// ".../YYYY/MM/DD/run-<id>/": midnight of that day.
WallTime DayOf(std::string_view prefix) {
  const std::size_t run = prefix.rfind("/run-");
  if (run == std::string_view::npos || run < 10) return {};
  std::string day(prefix.substr(run - 10, 10));
  std::replace(day.begin(), day.end(), '/', '-');
  return TimeIn(day + "T00:00:00Z").value_or(WallTime{});
}

}  // namespace

Result<std::vector<lake::RunFolder>> InServedOrder(std::vector<lake::RunFolder> folders,
                                                   lake::BronzeStore& store, pg::Database& database,
                                                   std::int64_t connector_id,
                                                   std::string_view entity, std::stop_token stop) {
  if (folders.size() < 2) return folders;
  PCW_TRY(const KnownRunTimes known, LoadTimes(database, connector_id, entity, stop));
  return InServedOrder(std::move(folders), store, known, std::move(stop));
}

Result<std::vector<lake::RunFolder>> InServedOrder(std::vector<lake::RunFolder> folders,
                                                   lake::BronzeStore& store,
                                                   const KnownRunTimes& known,
                                                   std::stop_token stop) {
  using Key = std::tuple<WallTime, WallTime, std::size_t>;
  std::vector<Key> keys;
  keys.reserve(folders.size());
  for (const lake::RunFolder& folder : folders) {
    if (stop.stop_requested()) return Error(ErrorCode::kCancelled, "stopped");
    const auto found = known.find(folder.run_id);
    RunTimes times = found != known.end() ? found->second : RunTimes{};
    if (!times.served) PCW_TRY_OK(AskFolder(folder, store, times, stop));
    const WallTime served =
        times.served ? *times.served : times.started.value_or(DayOf(folder.prefix));
    keys.emplace_back(served, times.started.value_or(served), keys.size());
  }
  std::sort(keys.begin(), keys.end());
  std::vector<lake::RunFolder> ordered;
  ordered.reserve(folders.size());
  for (const Key& key : keys) ordered.push_back(std::move(folders[std::get<2>(key)]));
  return ordered;
}

FolderPlaces::FolderPlaces(const std::vector<lake::RunFolder>& folders) {
  std::int64_t place = 0;
  for (const lake::RunFolder& folder : folders) places_.emplace(folder.prefix, place++);
}

std::int64_t FolderPlaces::PlaceOf(std::string_view key) const {
  const auto parts = lake::SplitKey(key);
  const auto found = parts ? places_.find(parts->prefix) : places_.end();
  return found == places_.end() ? -1 : found->second;
}

bool FolderPlaces::IsEarlierRun(std::string_view key, std::string_view other) const {
  return PlaceOf(key) < PlaceOf(other);
}

}  // namespace pcw::reingest
