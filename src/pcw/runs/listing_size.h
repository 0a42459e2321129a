// Whether a full listing is believed when it tells of far fewer records than before: the rule
// alone, without any I/O.
#pragma once

#include <cstdint>

namespace pcw::runs {

/// What a full scan listed, and what it is measured by.
struct FullListing {
  std::int64_t listed = 0;
  std::int64_t last_listed = -1;    ///< of the last full scan that was believed; -1 = none
  std::int64_t shrunk_listed = -1;  ///< of the last full scan if it was not; -1 = it was
  std::int64_t rows_present = 0;    ///< held, not marked missing
  int shrank_below_percent = 50;    ///< of the last listing; 0 = every size is believed
  bool is_accepted = false;         ///< by a person (--accept-shrink)
};

enum class ListingSize {
  kUsual,   ///< what it does not list may be counted as absent
  kEmpty,   ///< nothing, although records are held: a lost permission or a wrong catalog
  kShrank,  ///< far fewer than before: a listing that was cut short looks the same
};

/// A shrunk listing is believed once the next one is within 5 % of it. An empty one is never
/// believed without a person: a wrong catalog repeats itself.
ListingSize SizeOf(const FullListing& listing);

}  // namespace pcw::runs
