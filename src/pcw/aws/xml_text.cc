#include "pcw/aws/xml_text.h"

#include <array>
#include <utility>

namespace pcw::aws {

std::optional<std::string> XmlText(std::string_view xml, std::string_view name) {
  const std::string open = "<" + std::string(name) + ">";
  const std::string close = "</" + std::string(name) + ">";
  const auto start = xml.find(open);
  if (start == std::string_view::npos) return std::nullopt;
  const auto end = xml.find(close, start);
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view text = xml.substr(start + open.size(), end - start - open.size());
  if (text.find('<') != std::string_view::npos) return std::nullopt;

  static constexpr std::array<std::pair<std::string_view, char>, 5> kEntities{
      {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}}};
  std::string out;
  while (!text.empty()) {
    if (text.front() != '&') {
      out += text.front();
      text.remove_prefix(1);
      continue;
    }
    bool is_known = false;
    for (const auto& [entity, character] : kEntities) {
      if (!text.starts_with(entity)) continue;
      out += character;
      text.remove_prefix(entity.size());
      is_known = true;
      break;
    }
    if (!is_known) return std::nullopt;
  }
  return out;
}

}  // namespace pcw::aws
