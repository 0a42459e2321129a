// Reads a whole part without parsing its payloads: where each record stands and what meta says of
// it.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/base/digest.h"
#include "pcw/base/result.h"

namespace pcw::lake {

/// One line of a part. Views into the part's text, or into ScannedPart::unescaped.
struct ScannedLine {
  int line = 0;  ///< from 1
  std::string_view id, operation, request_id, fetched_at, served_at, version;
  Sha256Digest sha256{};     ///< of the payload's original bytes
  bool is_respaced = false;  ///< those are not the stored bytes
  bool accepts_older = false;
  std::string_view payload;
  std::string_view companion;  ///< empty = none
  std::string_view companion_operation;
  Sha256Digest companion_sha256{};
};

struct ScannedPart {
  std::vector<ScannedLine> lines;
  std::deque<std::string> unescaped;  ///< texts of meta that held an escape
};

/// Whether the payloads' digests are to be checked line by line, or the object's own is vouched
/// for.
enum class LineDigests { kCheck, kVouched };

/// A line longer than this is not one of ours: the largest answer taken is smaller.
inline constexpr std::size_t kLongestLine = 10U << 20U;

/// Reads 64 lower-case hex digits. False if it is anything else.
bool ReadHexDigest(std::string_view hex, Sha256Digest& digest);

/// Splits a part as ReadPart does and refuses what it refuses, at the speed of memory. Refuses the
/// part as a whole, kSchemaMismatch with context `line`, also for: no bytes, gzip, a byte order
/// mark, NUL bytes, a line longer than kLongestLine, no line break at the end, meta without id or
/// operation. Members of meta that are not known are passed over. Thread-safe.
Result<ScannedPart> ScanPart(std::string_view text, LineDigests digests);

}  // namespace pcw::lake
