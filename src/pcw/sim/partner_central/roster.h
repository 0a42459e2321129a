// Which of a few numbered records there are, and how often each was changed.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "pcw/base/clock.h"

namespace pcw::sim {

/// What a test asks for: records of these ids, or so many drawn ones, modified or removed; or so
/// many new ones.
struct ChangeOrder {
  enum class Kind : std::uint8_t { kModify, kInsert, kRemove };

  Kind kind = Kind::kModify;
  std::optional<std::vector<std::string>> ids{};
  std::uint64_t count = 1;  ///< without ids
  WallTime now{};
};

/// A record's number and revision: its content is a function of both.
struct Numbered {
  std::uint64_t number = 0;
  std::uint32_t revision = 0;  ///< 0 as seeded; each modification adds one
};

/// Numbers [0, count) at first; inserted records go on from there. Not thread-safe.
class Roster {
 public:
  using Naming = std::function<std::string(std::uint64_t number)>;

  Roster(std::uint64_t seed, std::uint64_t count) : seed_(seed), entries_(count) {}

  /// The records that were not removed, by number.
  std::vector<Numbered> Live() const;
  /// Carries an order out; `id_of` names the records. Returns the ids of what changed; unknown ones
  /// are passed over.
  std::vector<std::string> Apply(const ChangeOrder& order, const Naming& id_of);

 private:
  struct Entry {
    std::uint32_t revision = 0;
    bool removed = false;
  };

  std::uint64_t seed_;
  std::uint64_t drawn_ = 0;
  std::vector<Entry> entries_;
};

/// `count` of `all` (all, if there are fewer), drawn by `salt`, without repetition, by number.
std::vector<std::uint64_t> DrawSome(std::vector<std::uint64_t> all, std::uint64_t count,
                                    std::uint64_t salt);

}  // namespace pcw::sim
