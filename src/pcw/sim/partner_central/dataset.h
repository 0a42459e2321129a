// The identity, order and dates of the seeded opportunities: arithmetic instead of storage.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pcw/base/clock.h"
#include "pcw/sim/partner_central/permutation.h"

namespace pcw::sim {

/// Precision of LastModifiedDate and CreatedDate as served. AWS documents none, so each can be
/// tried; kMixed gives about a quarter whole seconds, a seventh microseconds and milliseconds for
/// the rest.
enum class Granularity : std::uint8_t { kMixed, kSeconds, kMillis, kMicros };

/// `time` cut to `granularity`; kMixed counts as milliseconds.
WallTime CutTo(WallTime time, Granularity granularity);

struct DatasetOptions {
  std::uint64_t seed = 1;
  std::uint64_t count = 1'000;
  std::uint64_t first_id = 1'000'000'000;  ///< the number in the first id; ids have ten digits
  WallTime epoch{};                        ///< no seeded record was modified after this
  Granularity granularity = Granularity::kMixed;
  std::uint64_t ties = 20;  ///< so many of each thousand (or `ties`) share one LastModifiedDate
};

/// Seeded records are numbered [0, count): number, id, creation and modification are functions of
/// each other, so any position in any order is found without holding the records.
///
/// Ids and creation ascend with the number; modification ascends with the rank, a permutation of
/// it. Created: the year before the two years of modifications. Immutable, thread-safe.
class Dataset {
 public:
  explicit Dataset(DatasetOptions options);

  std::uint64_t count() const { return options_.count; }
  std::uint64_t seed() const { return options_.seed; }

  /// The id of a record; also defined for numbers beyond the seeded ones (inserted records).
  std::string IdOf(std::uint64_t index) const;
  /// The number that has this id; nullopt if no number has. May be beyond the seeded ones.
  std::optional<std::uint64_t> IndexOf(std::string_view id) const;

  /// Position of a seeded record in ascending order of modification, and back.
  std::uint64_t RankOf(std::uint64_t index) const { return ranks_.Forward(index); }
  std::uint64_t AtRank(std::uint64_t rank) const { return ranks_.Backward(rank); }

  /// When the seeded record was modified or created, cut to its precision. Never decreasing.
  WallTime ModifiedAtRank(std::uint64_t rank) const;
  WallTime CreatedOf(std::uint64_t index) const;

 private:
  WallTime Spread(std::uint64_t position, std::uint64_t salt,
                  std::chrono::microseconds before_epoch, std::chrono::microseconds span,
                  std::uint64_t ties) const;

  DatasetOptions options_;
  Permutation ranks_;
};

}  // namespace pcw::sim
