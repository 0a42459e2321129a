// JSON pointers (RFC 6901) as text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pcw {

/// A member's name as a segment of a pointer: "a/b~" becomes "a~1b~0".
std::string PointerSegment(std::string_view name);

/// The names in a pointer, escapes undone. Empty for what does not begin with "/".
std::vector<std::string> SplitPointer(std::string_view pointer);

}  // namespace pcw
