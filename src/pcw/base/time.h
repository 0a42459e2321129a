// RFC 3339 timestamps and durations as text, UTC only.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "pcw/base/clock.h"
#include "pcw/base/result.h"

namespace pcw {

/// Parses RFC 3339 ("2026-11-20T08:15:30.123Z", offsets, up to nanosecond fractions; below a
/// microsecond is truncated).
///
/// Years 0001 to 9999. Returns kInvalidRequest for anything else: local times without zone, 30
/// February, leap second 60.
Result<WallTime> ParseRfc3339(std::string_view text);

/// "2026-11-20T08:15:30.123456Z"; the fraction is left out when zero, else 3 or 6 digits.
std::string FormatRfc3339(WallTime time);

/// "20261120T081530Z", the form SigV4 wants.
std::string FormatIso8601Basic(WallTime time);

/// Parses an HTTP date ("Sun, 06 Nov 1994 08:49:37 GMT"). Returns kInvalidRequest otherwise.
Result<WallTime> ParseHttpDate(std::string_view text);
std::string FormatHttpDate(WallTime time);

/// Parses "5m", "1h", "300ms", "30s", "2d": a non-negative integer and a unit. Returns
/// kInvalidRequest otherwise.
Result<std::chrono::milliseconds> ParseDuration(std::string_view text);

/// "1h 02m", "3m 20s", "12.4 s", "250 ms": for people.
std::string FormatDuration(std::chrono::milliseconds duration);

}  // namespace pcw
