// UUIDv7: run ids that sort by time (RFC 9562).
#pragma once

#include <string>
#include <string_view>

#include "pcw/base/clock.h"
#include "pcw/base/rng.h"

namespace pcw {

/// A version 7 UUID of `now` (ms) in lower-case canonical form.
std::string MakeUuidV7(WallTime now, Rng& rng);

/// True for the canonical 8-4-4-4-12 hex form, any version, either case.
bool IsUuid(std::string_view text);

}  // namespace pcw
