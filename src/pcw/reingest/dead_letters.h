// What a re-ingest knows of dead letters: records that are looked at again, and patches.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_set>
#include <utility>

#include "pcw/lake/part_reader.h"
#include "pcw/pg/database.h"

namespace pcw::reingest {

/// Dead letters of one entity whose bytes lie in bronze. Not thread-safe.
class ReingestLetters {
 public:
  /// Reads which records have an open dead letter. Failures are those of pg::Connection.
  Status LoadOpen(pg::Database& database, std::int64_t connector_id, const std::string& entity,
                  std::stop_token stop);
  /// Reads every patch. The same failures.
  Status LoadPatches(pg::Database& database, std::int64_t connector_id, const std::string& entity,
                     std::stop_token stop);

  bool has_open() const { return !open_.empty(); }
  bool IsOpen(std::uint64_t id_hash) const { return open_.contains(id_hash); }
  void Open(std::uint64_t id_hash) { open_.insert(id_hash); }

  /// The record's payload with its patch; empty if it has none. Patches apply whenever their record
  /// is mapped from bronze, so that a rebuild gives what the replay gave (I9). kSchemaMismatch, of
  /// that record alone, if its bytes are not what a patch can be applied to.
  Result<std::string> Patched(const std::string& key, const lake::ScannedLine& line) const;

 private:
  std::unordered_set<std::uint64_t> open_;  // hashes of ids (HeldDigests::HashOf)
  // JSON texts, by bronze key and line.
  std::map<std::pair<std::string, int>, std::string> patches_;
};

}  // namespace pcw::reingest
