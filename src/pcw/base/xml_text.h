// Text inside of XML.
#pragma once

#include <string>
#include <string_view>

namespace pcw {

/// The text with &, <, > and " escaped, for elements and quoted attributes.
std::string XmlEscape(std::string_view text);

}  // namespace pcw
