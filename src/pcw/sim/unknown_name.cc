#include "pcw/sim/unknown_name.h"

#include <fmt/format.h>

#include "pcw/base/nearest.h"

namespace pcw::sim {

std::string UnknownName(std::string_view what, std::string_view name,
                        std::span<const std::string> known) {
  const auto nearest = NearestName(name, known);
  return nearest ? fmt::format("unknown {} \"{}\"; did you mean \"{}\"?", what, name, *nearest)
                 : fmt::format("unknown {} \"{}\"; known: {}", what, name, fmt::join(known, ", "));
}

}  // namespace pcw::sim
