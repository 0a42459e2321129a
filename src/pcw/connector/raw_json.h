// The text of a value as it stands in its document, where a parsed one has lost digits.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pcw::connector {

/// The value at a plain JSON pointer, without white space between its tokens; every number has the
/// digits that were sent. nullopt if it is not found, or the document is not JSON up to there.
/// Parses the document anew: for the rare value that needs it. Thread-safe.
std::optional<std::string> RawJsonAt(std::string_view document, std::string_view pointer);

}  // namespace pcw::connector
