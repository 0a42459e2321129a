// What a whole table holds, in some 40 bytes a row: tells a re-ingest what is unchanged without a
// question to the server.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "pcw/base/digest.h"
#include "pcw/base/result.h"
#include "pcw/pg/database.h"
#include "pcw/tables/bulk_table.h"

namespace pcw::tables {

/// Digests of every row of one catalog that this mapping version made. A look into the primary key
/// costs the server 11 us a record, reading the table once 2.
///
/// A row is known by 64 bits of its id's hash and 64 of what it holds. Two contents of one id are
/// taken for the same with a chance of 2^-64. Not thread-safe; loaded once, it knows nothing of
/// what is written later: Forget what is sent to the table.
class HeldDigests {
 public:
  /// A table with more rows than that is asked record by record, so that memory stays bounded.
  static constexpr std::size_t kMostRows = 1'000'000;

  /// nullopt: the table has more than `most_rows`. Failures are those of pg::Connection.
  static Result<std::optional<HeldDigests>> Load(pg::Database& database, const BulkTable& table,
                                                 std::string_view catalog, std::stop_token stop,
                                                 std::size_t most_rows = kMostRows);

  /// What this and a re-ingest's other maps know a record by.
  static std::uint64_t HashOf(std::string_view id) { return std::hash<std::string_view>{}(id); }

  /// Notes a row: digests as PostgreSQL prints bytea, their first 8 bytes are enough; nullopt = it
  /// has no companion.
  void Note(std::string_view id, std::string_view payload_sha256,
            std::optional<std::string_view> companion_sha256, int rank);
  /// The table holds exactly that of the record, or held it before it was sent to it.
  bool Holds(std::uint64_t id_hash, const KnownVersion& version) const;
  /// From now on the record is not known.
  void Forget(std::uint64_t id_hash) { rows_.erase(id_hash); }
  std::size_t size() const { return rows_.size(); }

 private:
  std::unordered_map<std::uint64_t, std::uint64_t> rows_;  // hash of the id -> content
};

}  // namespace pcw::tables
