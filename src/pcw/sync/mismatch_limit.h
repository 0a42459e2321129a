// When so many records do not fit that the run is of no use (HOUSE 3: stop above a set ratio).
#pragma once

#include <bitset>
#include <cstddef>

#include "pcw/base/result.h"

namespace pcw::sync {

/// Watches the fates of the last 200 records. Not thread-safe.
class MismatchLimit {
 public:
  explicit MismatchLimit(int percent) : percent_(percent) {}

  void Note(bool is_mismatch);
  /// kSchemaMismatch with reason `too_many_mismatches` once more than the set share of at least 50
  /// records were mismatches at any moment.
  Status Check() const;

 private:
  static constexpr std::size_t kWindow = 200;
  static constexpr std::size_t kLeast = 50;
  int percent_;
  std::bitset<kWindow> last_;
  std::size_t next_ = 0;
  std::size_t seen_ = 0;                             ///< at most kWindow
  std::size_t worst_mismatches_ = 0, worst_of_ = 0;  ///< when it went over the limit
};

}  // namespace pcw::sync
