// One log line a key and minute, whatever comes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "pcw/base/clock.h"

namespace pcw::api {

/// Decides which lines of a flood are written: the first of each key, then one a minute that tells
/// how many were left out. Thread-safe. Remembers at most `most` keys; what comes beyond shares
/// one.
class LineLimit {
 public:
  explicit LineLimit(const Clock& clock, std::size_t most = 4'096) : clock_(clock), most_(most) {}

  /// How many lines of the key were left out since its last one; nullopt: leave this one out too.
  std::optional<std::uint64_t> Allows(std::string_view key);

 private:
  struct Entry {
    SteadyTime next;
    std::uint64_t left_out = 0;
  };
  const Clock& clock_;
  const std::size_t most_;
  std::mutex mutex_;
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace pcw::api
