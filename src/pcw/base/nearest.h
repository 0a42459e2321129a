// The nearest known name to a misspelt one, for "did you mean".
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace pcw {

/// The candidate with the smallest edit distance to `name`, if it is close enough to be a plausible
/// slip (a third of its length, at least 2). Case does not count: "debug" is near "DEBUG".
std::optional<std::string> NearestName(std::string_view name, std::span<const std::string> known);

}  // namespace pcw
