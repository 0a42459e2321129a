#include "pcw/reingest/reader.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "pcw/aws/caller.h"
#include "pcw/base/failpoint.h"
#include "pcw/base/time.h"
#include "pcw/lake/layout.h"
#include "pcw/lake/unreadable.h"

namespace pcw::reingest {
namespace {

// What one call may answer, one line of bronze must hold: else a record is stored and never read.
static_assert(lake::kLongestAnswer == net::HttpLimits{}.max_body_bytes);

}  // namespace

BronzeReader::BronzeReader(lake::BronzeStore& store, std::vector<lake::RunFolder> folders,
                           ObjectFilter filter, std::stop_token stop)
    : store_(store),
      folders_(std::move(folders)),
      filter_(std::move(filter)),
      caller_stop_(std::move(stop)) {
  if (const auto after = lake::SplitKey(filter_.after_key)) {
    const auto found =
        std::find_if(folders_.begin(), folders_.end(),
                     [&](const lake::RunFolder& folder) { return folder.prefix == after->prefix; });
    if (found != folders_.end()) first_folder_ = static_cast<std::size_t>(found - folders_.begin());
  }
  thread_ = std::jthread([this](std::stop_token own) { Work(own); });
}

BronzeReader::~BronzeReader() = default;

Result<std::optional<ReadObject>> BronzeReader::Next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, caller_stop_, [this] { return next_ || failure_ || is_done_; });
  if (!next_ && failure_) return *failure_;
  std::optional<ReadObject> object = std::exchange(next_, std::nullopt);
  changed_.notify_all();
  return object;
}

void BronzeReader::Work(std::stop_token stop) {
  std::optional<Error> failure;
  try {
    for (std::size_t i = first_folder_; i < folders_.size(); ++i) {
      if (Status read = ReadFolder(folders_[i], stop); !read) {
        failure = std::move(read).error();
        break;
      }
    }
  } catch (const std::exception& problem) {
    failure = Error(ErrorCode::kInternal,
                    fmt::format("unexpected exception while reading bronze: {}", problem.what()));
  }
  const std::lock_guard lock(mutex_);
  failure_ = std::move(failure);
  is_done_ = true;
  changed_.notify_all();
}

bool BronzeReader::IsWanted(const std::string& key) const {
  if (!filter_.keys.empty() && !filter_.keys.contains(key)) return false;
  const auto after = lake::SplitKey(filter_.after_key);
  // Of the folder that holds after_key the parts behind it; folders before it are not read at all.
  // A manifest may name anything: what is not a part is refused where it is read.
  const auto own = lake::SplitKey(key);
  return !after || !own || own->prefix != after->prefix || lake::IsBefore(filter_.after_key, key);
}

Status BronzeReader::Reject(const lake::RunFolder& folder, std::string key, std::string reason,
                            std::stop_token stop) {
  ReadObject object;
  object.key = std::move(key);
  object.run_id = folder.run_id;
  object.rejected = std::move(reason);
  return HandOver(std::move(object), stop);
}

Status BronzeReader::ReadFolder(const lake::RunFolder& folder, std::stop_token stop) {
  if (!filter_.run.empty() && !folder.run_id.starts_with(filter_.run)) return Ok{};
  if (!filter_.until_day.empty()) {
    // ".../YYYY/MM/DD/run-<id>/": the day the run began.
    const std::string_view prefix = folder.prefix;
    const std::size_t run = prefix.rfind("/run-");
    if (run >= 10 && prefix.substr(run - 10, 10) > filter_.until_day) return Ok{};
  }
  if (!filter_.keys.empty()) {
    // None of its objects is wanted: not even its manifest is read.
    const auto first = filter_.keys.lower_bound(folder.prefix);
    if (first == filter_.keys.end() || !first->starts_with(folder.prefix)) return Ok{};
  }
  const std::string manifest_key = lake::ManifestKey(folder.prefix);
  if (folder.has_manifest) {
    Result<std::string> text = store_.Get(manifest_key, stop);
    if (!text && !lake::IsOfTheObject(text.error())) return std::move(text).error();
    Result<lake::Manifest> manifest =
        text ? lake::ParseManifest(*text) : Result<lake::Manifest>(std::move(text).error());
    if (manifest) {
      const Result<WallTime> ended = ParseRfc3339(manifest->ended_at);
      if (filter_.since && ended && *ended < *filter_.since) return Ok{};
      return ReadByManifest(folder, *manifest, stop);
    }
    if (IsWanted(manifest_key)) {
      PCW_TRY_OK(Reject(folder, manifest_key,
                        manifest.error().message() + "; its parts are read line by line", stop));
    }
  }
  for (const lake::FolderObject& found : folder.objects) {
    if (!IsWanted(found.key)) continue;
    if (found.part == 0) {
      PCW_TRY_OK(Reject(folder, found.key, "lies in a run folder and is not a part", stop));
      continue;
    }
    ReadObject object;
    object.key = found.key;
    object.run_id = folder.run_id;
    PCW_TRY_OK(ReadOne(std::move(object), nullptr, found.bytes, stop));
  }
  return Ok{};
}

Status BronzeReader::ReadByManifest(const lake::RunFolder& folder, const lake::Manifest& manifest,
                                    std::stop_token stop) {
  std::set<std::string_view> promised;
  for (const lake::ManifestPart& part : manifest.parts) {
    promised.insert(part.key);
    if (!IsWanted(part.key)) continue;
    const auto parts = lake::SplitKey(part.key);
    if (!parts || parts->prefix != folder.prefix || parts->part == 0) {
      PCW_TRY_OK(Reject(folder, lake::ManifestKey(folder.prefix),
                        fmt::format("names {}, which is not a part of this run", part.key), stop));
      continue;
    }
    ReadObject object;
    object.key = part.key;
    object.run_id = folder.run_id;
    object.catalog = manifest.catalog;
    const auto listed =
        std::find_if(folder.objects.begin(), folder.objects.end(),
                     [&](const lake::FolderObject& found) { return found.key == part.key; });
    PCW_TRY_OK(ReadOne(std::move(object), &part, listed != folder.objects.end() ? listed->bytes : 0,
                       stop));
  }
  for (const lake::FolderObject& found : folder.objects) {
    if (promised.contains(found.key) || !IsWanted(found.key)) continue;
    PCW_TRY_OK(Reject(folder, found.key, "lies in a run folder but is not in its manifest", stop));
  }
  return Ok{};
}

Status BronzeReader::ReadOne(ReadObject object, const lake::ManifestPart* promised,
                             std::uint64_t listed_bytes, std::stop_token stop) {
  const auto reject = [&](std::string reason) {
    object.rejected = std::move(reason);
    object.text.clear();
    object.part = {};
    return HandOver(std::move(object), stop);
  };
  Result<std::string> text = store_.Get(object.key, stop);
  if (!text) {
    if (!lake::IsOfTheObject(text.error())) return std::move(text).error();
    return reject(lake::WhyUnreadable(text.error(), promised == nullptr || listed_bytes > 0));
  }
  object.text = std::move(*text);
  if (promised != nullptr &&
      (promised->bytes != object.text.size() || promised->sha256 != Sha256Hex(object.text))) {
    return reject(
        fmt::format("is not what the manifest says: {} bytes with another SHA-256 or "
                    "length (promised {} bytes)",
                    object.text.size(), promised->bytes));
  }
  if (promised == nullptr && object.text.size() != listed_bytes) {
    return reject(fmt::format("was replaced since it was listed: {} bytes instead of {}",
                              object.text.size(), listed_bytes));
  }
  Result<lake::ScannedPart> part = lake::ScanPart(
      object.text, promised != nullptr ? lake::LineDigests::kVouched : lake::LineDigests::kCheck);
  if (!part) return reject(part.error().message());
  object.part = std::move(*part);
  if (promised != nullptr && promised->records != static_cast<int>(object.part.size())) {
    return reject(fmt::format("holds {} records, the manifest says {}", object.part.size(),
                              promised->records));
  }
  return HandOver(std::move(object), stop);
}

Status BronzeReader::HandOver(ReadObject object, std::stop_token stop) {
  PCW_FAILPOINT("reingest.read.after");
  std::unique_lock lock(mutex_);
  changed_.wait(lock, stop, [this] { return !next_ || caller_stop_.stop_requested(); });
  if (stop.stop_requested() || caller_stop_.stop_requested())
    return Error(ErrorCode::kCancelled, "stopped while reading bronze");
  next_ = std::move(object);
  changed_.notify_all();
  return Ok{};
}

}  // namespace pcw::reingest
