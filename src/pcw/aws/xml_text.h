// The text of one element in the small, flat XML answers of STS.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pcw::aws {

/// The decoded text of the first `<name>text</name>`; nullopt if there is none, it holds elements,
/// or an entity is unknown.
std::optional<std::string> XmlText(std::string_view xml, std::string_view name);

}  // namespace pcw::aws
