// NextToken: opaque, bound to its request, expiring, in two styles.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pcw/base/clock.h"
#include "pcw/base/result.h"
#include "pcw/sim/partner_central/collection.h"

namespace pcw::sim {

/// What a token remembers. AWS does not say which it is, so clients must survive both: an offset
/// loses or repeats records when others move between pages, a key does not.
enum class TokenStyle : std::uint8_t { kKeyset, kOffset };

struct TokenContent {
  ListPosition position;
  std::optional<SortKey> last;  ///< key of the last record before
  std::uint64_t served = 0;     ///< records on the pages before
};

/// Makes and reads tokens. They carry a checksum, the fingerprint of the request and their time of
/// issue; they hold across a restart with the same seed. Thread-safe.
class TokenMint {
 public:
  TokenMint(TokenStyle style, std::uint64_t seed, std::chrono::seconds life)
      : style_(style), seed_(seed), life_(life) {}

  /// The token for the page behind `last` (absent: from the start), after `served` records. Two
  /// calls never give the same token.
  std::string Make(const std::optional<SortKey>& last, std::uint64_t served,
                   std::uint64_t fingerprint, WallTime now);

  /// What a token says. kInvalidRequest: not a token of ours, of another request, or expired; the
  /// message is what AWS would tell.
  Result<TokenContent> Read(std::string_view token, std::uint64_t fingerprint, WallTime now) const;

 private:
  std::string Checksum(std::string_view content) const;

  TokenStyle style_;
  std::uint64_t seed_;
  std::chrono::seconds life_;
  std::atomic<std::uint64_t> made_{0};
};

}  // namespace pcw::sim
