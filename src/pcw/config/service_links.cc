#include "pcw/config/service_links.h"

#include <regex>
#include <string>

namespace pcw::config {

bool IsServiceLink(std::string_view name, std::string_view value) {
  if (!name.starts_with("PCW_")) return false;
  static const std::regex kLink(
      "PCW_(.*_)?(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT_[0-9]+_(TCP|UDP|SCTP)(_.*)?)");
  if (std::regex_match(name.begin(), name.end(), kLink)) return true;
  // A setting may be named so; only the value tells it from a link.
  const bool is_port = name == "PCW_PORT" || name.ends_with("_PORT");
  static const std::regex kAddress("(tcp|udp|sctp)://.+");
  return is_port && std::regex_match(value.begin(), value.end(), kAddress);
}

}  // namespace pcw::config
