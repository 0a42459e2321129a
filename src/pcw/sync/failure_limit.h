// When so many records fail that the run is of no use (docs/errors.md).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "pcw/base/result.h"

namespace pcw::sync {

/// Watches the outcomes of the last records: so many of them, and the share that may fail. Not
/// thread-safe.
class FailureLimit {
 public:
  /// `percent` 0 = never. `window` is at least 1.
  FailureLimit(int percent, int window)
      : percent_(percent), last_(static_cast<std::size_t>(window)) {}

  void Note(bool is_failure);
  /// True once more than the set share of at least 50 records (or the window, if that is less) had
  /// failed at any moment.
  bool is_exceeded() const { return worst_of_ > 0; }
  /// "150 of the last 200"; of the moment when the limit was exceeded.
  std::string Worst() const;

 private:
  static constexpr std::size_t kLeast = 50;
  int percent_;
  std::vector<bool> last_;
  std::size_t next_ = 0;
  std::size_t seen_ = 0;      ///< at most the window
  std::size_t failures_ = 0;  ///< of those seen
  std::size_t worst_failures_ = 0, worst_of_ = 0;
};

}  // namespace pcw::sync
