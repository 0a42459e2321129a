// The key of a record among dead letters.
#pragma once

#include <string>
#include <string_view>

namespace pcw::dlq {

/// The key that the dead letter of a record has: its id. What PostgreSQL's text or its index does
/// not take (NUL, bytes that are not UTF-8, more than 2,000 bytes) stands there escaped and cut,
/// "#" and the first digits of its SHA-256 behind it, so that two such records keep two dead
/// letters. Doing it twice is doing it once. Pure, thread-safe.
std::string RecordKeyOf(std::string_view id);

}  // namespace pcw::dlq
