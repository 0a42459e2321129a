// Where bronze objects live. Immutable objects under keys; one implementation a kind of lake.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/base/result.h"

namespace pcw::lake {

struct ObjectInfo {
  std::string key;
  std::uint64_t bytes = 0;
  std::string modified_at;  ///< RFC 3339
};

/// Stores immutable objects. Thread-safe.
class BronzeStore {
 public:
  virtual ~BronzeStore() = default;

  /// Stores `content` under a new key and returns only when it is durable. If the key exists with
  /// the same bytes, that is our own earlier write and success (T11); with other bytes kConflict:
  /// bronze is never overwritten (I9).
  virtual Status Put(std::string_view key, std::string_view content, std::stop_token stop) = 0;
  /// kNotFound if absent.
  virtual Result<std::string> Get(std::string_view key, std::stop_token stop) = 0;
  /// Every object below `prefix`, in key order.
  virtual Result<std::vector<ObjectInfo>> List(std::string_view prefix, std::stop_token stop) = 0;
  /// Can the lake be reached, and listed, now? Writes nothing, so a refused write may still come.
  /// For diagnosis, and before work that would be in vain. Errors as the other calls: a directory
  /// that cannot be written is kConfig; a bucket that is not there kNotFound.
  virtual Status Probe(std::stop_token stop) = 0;
  /// Is there room for a part? Called once before work whose calls would be spent in vain: a lake
  /// in a directory writes 1 MiB and removes it; a bucket has room. Errors as Put.
  virtual Status CheckRoom(std::stop_token stop);
  /// For people: "file:///var/lib/pcw/lake", "s3://pcw-lake-dev/prefix".
  virtual std::string Describe() const = 0;
};

/// A lake in a directory: write to a temporary file, fsync, link under the final name, fsync the
/// directory. Refuses keys with "..", empty segments or a leading slash, and never follows a
/// symbolic link below its root.
class DirectoryBronzeStore final : public BronzeStore {
 public:
  explicit DirectoryBronzeStore(std::filesystem::path root);
  Status Put(std::string_view key, std::string_view content, std::stop_token stop) override;
  Result<std::string> Get(std::string_view key, std::stop_token stop) override;
  Result<std::vector<ObjectInfo>> List(std::string_view prefix, std::stop_token stop) override;
  Status Probe(std::stop_token stop) override;
  /// Also removes what writes that were killed have left.
  Status CheckRoom(std::stop_token stop) override;
  std::string Describe() const override;

 private:
  std::filesystem::path root_;
};

}  // namespace pcw::lake
