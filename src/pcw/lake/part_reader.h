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
  std::string_view id, operation, request_id, fetched_at, served_at, version, source;
  int index = -1;            ///< position in its list page; -1 = of no page
  Sha256Digest sha256{};     ///< of the payload's original bytes
  bool is_respaced = false;  ///< those are not the stored bytes
  bool accepts_older = false;
  std::string_view payload;
  std::string_view companion;  ///< empty = none
  std::string_view companion_operation, companion_request_id;
  Sha256Digest companion_sha256{};
  /// Why payload or companion is not well-formed JSON, as meta has it; empty if both are. The views
  /// are of the original bytes all the same.
  std::string_view malformed;
};

/// A line that is not what it should be.
struct UnreadableLine {
  int line = 0;     ///< from 1
  std::string why;  ///< one sentence, with "line N: " in front
};

struct ScannedPart {
  std::vector<ScannedLine> lines;          ///< those that can be read, in order
  std::vector<UnreadableLine> unreadable;  ///< the others: they cost none of their neighbours
  /// What the views look into where it does not stand in the text: texts of meta that held an
  /// escape, payloads that lay in base64.
  std::deque<std::string> unescaped;

  /// Lines of the object, whether they can be read or not.
  std::size_t size() const { return lines.size() + unreadable.size(); }
};

/// Whether the payloads' digests are to be checked line by line, or the object's own is vouched
/// for.
enum class LineDigests { kCheck, kVouched };

/// The longest answer that a call takes (net::HttpLimits; the reader of a re-ingest asserts that it
/// is the same).
inline constexpr std::size_t kLongestAnswer = 16U << 20U;
/// A line longer than this is not one of ours: at most it holds two answers, both in base64.
inline constexpr std::size_t kLongestLine = 2 * (kLongestAnswer / 3 * 4) + (1U << 20U);

/// Reads 64 lower-case hex digits. False if it is anything else.
bool ReadHexDigest(std::string_view hex, Sha256Digest& digest);

/// Splits a part at the speed of memory and checks every line: it has meta with id and operation,
/// and a payload whose SHA-256 is meta.sha256 where the line was not respaced. A line that fails,
/// holds a NUL byte, is longer than kLongestLine or is cut off at the end is unreadable; the others
/// are read. Refuses only what is not a part at all, kSchemaMismatch: no bytes, gzip. Members of
/// meta that are not known are passed over, and so are bytes in them that are not UTF-8. The one
/// reader of parts: what it reads, verify counts and a re-ingest takes. Thread-safe.
Result<ScannedPart> ScanPart(std::string_view text, LineDigests digests);

}  // namespace pcw::lake
