// Whether a filter of dead letters says what it can mean, whoever made it: command line or REST.
#pragma once

#include <string_view>

#include "pcw/base/result.h"
#include "pcw/dlq/dead_letter.h"

namespace pcw::dlq {

/// True for a UUID in lower-case canonical form, or its first 8 to 35 characters.
bool IsUuidStart(std::string_view text);

/// Every member that is set has a form that its column can have: ids in hex, times in RFC 3339,
/// names of lower-case letters. Nothing that matches more than it shows (a wildcard, a NUL that
/// ends the text early) passes. kInvalidRequest with the member and what is expected.
Status CheckFilter(const DeadLetterFilter& filter);

/// True if anything narrows the filter. Its state and limit do not.
bool HasSelection(const DeadLetterFilter& filter);

/// Whether all dead letters are meant, which is said and never follows from an empty filter.
enum class Meant { kFilter, kAll };

/// As CheckFilter, for what drops or replays: something narrows the filter, or all are meant, and
/// not both.
Status CheckSelection(const DeadLetterFilter& filter, Meant meant);

}  // namespace pcw::dlq
