#include "pcw/sim/partners.h"

#include <string>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/sim/draw.h"
#include "pcw/sim/json_text.h"
#include "pcw/sim/keys.h"

namespace pcw::sim {
namespace {

constexpr std::size_t kIdLetters = 13;
constexpr std::string_view kIdAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::string_view kLegalName = "Söhne & Töchter Cloud Beispiel GmbH";
constexpr std::string_view kCreatedAt = "2024-03-11T09:26:53.589Z";

/// Each catalog has a partner of its own.
std::string PartnerId(std::uint64_t seed, Catalog catalog) {
  Draw draw(Mix(seed ^ 0x70617274, MixText(NameOf(catalog))));
  std::string id = "partner-";
  for (std::size_t i = 0; i < kIdLetters; ++i) {
    id += kIdAlphabet[static_cast<std::size_t>(draw.Below(kIdAlphabet.size()))];
  }
  return id;
}

}  // namespace

Answer Partners::List(const Json& request, Catalog catalog) const {
  if (const auto token = request.find("NextToken"); token != request.end() && !token->is_null()) {
    return ValidationError(ServiceId::kPartnerCentralAccount,
                           {{"NextToken", "The page token is not valid.", "INVALID_VALUE"}});
  }
  const std::string id = PartnerId(seed_, catalog);
  Answer answer;
  JsonText(answer.body)
      .Open('{')
      .Key("PartnerSummaryList")
      .Open('[')
      .Open('{')
      .Member("Catalog", NameOf(catalog))
      .Member("Arn", fmt::format("arn:aws:partnercentral:us-east-1:{}:catalog/{}/partner/{}",
                                 kAccount, NameOf(catalog), id))
      .Member("Id", id)
      .Member("LegalName", kLegalName)
      .Member("CreatedAt", kCreatedAt)
      .Close('}')
      .Close(']')
      .Close('}');
  return answer;
}

}  // namespace pcw::sim
