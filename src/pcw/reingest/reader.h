// Reads bronze ahead of a re-ingest, on a thread of its own: one whole, proven object after the
// other.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "pcw/base/clock.h"
#include "pcw/lake/bronze_store.h"
#include "pcw/lake/part.h"
#include "pcw/lake/part_reader.h"
#include "pcw/lake/selection.h"

namespace pcw::reingest {

/// An object that is not what it should be. None of its records is taken.
struct RejectedObject {
  std::string key;
  std::string reason;  ///< one sentence
};

/// An object as it is handed over: proven, or rejected.
struct ReadObject {
  std::string key;
  std::string run_id;
  std::string catalog;  ///< of the run's manifest; empty = it has none
  std::string text;
  lake::ScannedPart part;  ///< views into `text`, which never moves: it is long
  std::optional<std::string> rejected;
};

/// Which objects are wanted at all.
struct ObjectFilter {
  std::string run;                ///< only the run whose id begins so; empty = every
  std::optional<WallTime> since;  ///< runs that ended before it are left out
  std::string until_day;          ///< "2026/11/23": runs of a later day are left out; empty = none
  std::set<std::string> keys;     ///< only these; empty = every
  std::string after_key;          ///< only what is read behind it; empty = everything
};

/// Takes the run folders of an entity in the order given. Runs with a manifest are read by it: each
/// object's digest, length and count are proved. Those without one, which did not finish, are read
/// line by line and each payload's digest is proved.
///
/// At most two objects are in memory beside the one in the caller's hands. Next is for one thread.
class BronzeReader {
 public:
  BronzeReader(lake::BronzeStore& store, std::vector<lake::RunFolder> folders, ObjectFilter filter,
               std::stop_token stop);
  ~BronzeReader();

  /// The next object, rejected ones too; nullopt at the end. The error of a store that is out of
  /// reach.
  Result<std::optional<ReadObject>> Next();

 private:
  void Work(std::stop_token stop);
  Status ReadFolder(const lake::RunFolder& folder, std::stop_token stop);
  Status ReadByManifest(const lake::RunFolder& folder, const lake::Manifest& manifest,
                        std::stop_token stop);
  Status ReadOne(ReadObject object, const lake::ManifestPart* promised, std::uint64_t listed_bytes,
                 std::stop_token stop);
  bool IsWanted(const std::string& key) const;
  Status Reject(const lake::RunFolder& folder, std::string key, std::string reason,
                std::stop_token stop);
  Status HandOver(ReadObject object, std::stop_token stop);

  lake::BronzeStore& store_;
  const std::vector<lake::RunFolder> folders_;
  std::size_t first_folder_ = 0;  ///< where after_key lies, if anywhere
  const ObjectFilter filter_;
  std::stop_token caller_stop_;

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<ReadObject> next_;  // guarded by mutex_
  std::optional<Error> failure_;    // guarded by mutex_
  bool is_done_ = false;            // guarded by mutex_
  std::jthread thread_;
};

}  // namespace pcw::reingest
