#include "pcw/sim/partner_central/resource_name.h"

#include <fmt/format.h>

#include "pcw/sim/draw.h"

namespace pcw::sim {

std::string RandomLetters(std::uint64_t salt, std::size_t count) {
  constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
  Draw draw(salt);
  std::string letters;
  for (std::size_t i = 0; i < count; ++i) {
    letters += kAlphabet[static_cast<std::size_t>(draw.Below(kAlphabet.size()))];
  }
  return letters;
}

std::string ArnOf(std::string_view account, Catalog catalog, std::string_view kind,
                  std::string_view id) {
  return fmt::format("arn:aws:partnercentral:us-east-1:{}:catalog/{}/{}/{}", account,
                     NameOf(catalog), kind, id);
}

bool IsMeant(std::string_view identifier, std::string_view id, std::string_view arn) {
  return identifier == id || identifier == arn;
}

}  // namespace pcw::sim
