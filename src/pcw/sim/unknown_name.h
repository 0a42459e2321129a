// What is said about a name that is not known, wherever the simulator reads JSON from a person.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace pcw::sim {

/// `unknown key "linkd"; did you mean "linked"?`, or the known names if none is near.
std::string UnknownName(std::string_view what, std::string_view name,
                        std::span<const std::string> known);

}  // namespace pcw::sim
