// UUIDv7: run ids that sort by time (RFC 9562).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pcw/base/clock.h"
#include "pcw/base/rng.h"

namespace pcw {

/// A version 7 UUID of `now` (ms) in lower-case canonical form.
std::string MakeUuidV7(WallTime now, Rng& rng);

/// True for the canonical 8-4-4-4-12 hex form, any version, either case.
bool IsUuid(std::string_view text);

/// A UUID in 16 bytes, as PostgreSQL's binary format has it.
using PackedUuid = std::array<std::uint8_t, 16>;

/// nullopt for what IsUuid refuses.
std::optional<PackedUuid> PackUuid(std::string_view text);

/// The lower-case canonical form.
std::string UnpackUuid(const PackedUuid& packed);

}  // namespace pcw
