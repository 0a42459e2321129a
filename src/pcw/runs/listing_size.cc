#include "pcw/runs/listing_size.h"

#include <cstdlib>

namespace pcw::runs {

ListingSize SizeOf(const FullListing& listing) {
  if (listing.is_accepted) return ListingSize::kUsual;
  if (listing.listed == 0 && listing.rows_present > 0) return ListingSize::kEmpty;
  const std::int64_t before = listing.last_listed >= 0 ? listing.last_listed : listing.rows_present;
  if (listing.listed * 100 >= before * listing.shrank_below_percent) return ListingSize::kUsual;
  const bool is_repeated =
      listing.shrunk_listed >= 0 &&
      std::abs(listing.listed - listing.shrunk_listed) * 20 <= listing.shrunk_listed;
  return is_repeated ? ListingSize::kUsual : ListingSize::kShrank;
}

}  // namespace pcw::runs
