// What the mappings class as PII, taken out of payloads before they are shown.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/connector/mapping.h"

namespace pcw::connector {

enum class Masking { kPii, kSecretsOnly };

/// Masks JSON texts. Immutable after construction; thread-safe.
///
/// A member is masked if the end of its path is a pointer that a mapping classes as business or
/// personal, so that it is found in a record, in a page of records and in a request alike; below it
/// every value is masked. Values that look like an e-mail address are masked wherever they stand.
/// Members that carry secrets (tokens, keys) are masked always.
class PiiMask {
 public:
  explicit PiiMask(std::span<const Mapping> mappings);

  /// The text with "***" in place of what is masked. Not the exact bytes: white space goes, and
  /// decimals become strings. What is not JSON is not shown at all.
  std::string Apply(std::string_view json, Masking masking) const;

 private:
  std::vector<std::vector<std::string>> patterns_;
};

}  // namespace pcw::connector
