#include "pcw/sim/partner_central/partners.h"

#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/sim/draw.h"
#include "pcw/sim/json_text.h"
#include "pcw/sim/keys.h"
#include "pcw/sim/partner_central/list_page.h"
#include "pcw/sim/partner_central/resource_name.h"
#include "pcw/sim/partner_central/words.h"
#include "pcw/sim/spoil.h"

namespace pcw::sim {
namespace {

using namespace std::literals;

constexpr std::size_t kIdLetters = 13;
constexpr std::size_t kPageSize = 50;
constexpr std::string_view kLegalName = "Söhne & Töchter Cloud Beispiel GmbH";
constexpr std::array kSolutionTypes{"SOFTWARE_PRODUCTS"sv, "CONSULTING_SERVICES"sv,
                                    "MANAGED_SERVICES"sv, "PROFESSIONAL_SERVICES"sv};
constexpr std::array kSegments{"EDUCATION"sv, "FINANCIAL_SERVICES"sv, "HEALTHCARE"sv,
                               "MANUFACTURING"sv, "LIFE_SCIENCES"sv};

/// The members that every answer about a partner begins with.
JsonText Begin(std::string& out, Catalog catalog, const std::string& id) {
  JsonText json(out);
  json.Open('{')
      .Member("Catalog", NameOf(catalog))
      .Member("Arn", ArnOf(kAccount, catalog, "partner", id))
      .Member("Id", id);
  return json;
}

std::string CreatedAt(std::uint64_t number) {
  return fmt::format("2024-{:02}-{:02}T09:26:53.589Z", 1 + (number + 2) % 12,
                     1 + (number + 10) % 28);
}

}  // namespace

Partners::Partners(std::uint64_t seed, Catalog catalog, std::uint64_t count, TokenMint& mint)
    : seed_(Mix(seed ^ 0x70617274, MixText(NameOf(catalog)))),
      catalog_(catalog),
      mint_(mint),
      roster_(seed_, count) {}

/// Each catalog has partners of its own.
std::string Partners::IdOf(std::uint64_t number) const {
  return "partner-" + RandomLetters(number == 0 ? seed_ : Mix(seed_, number), kIdLetters);
}

std::string Partners::ProfileIdOf(std::uint64_t number) const {
  return "pprofile-" + RandomLetters(Mix(seed_ ^ 0x7070, number), kIdLetters);
}

std::string Partners::LegalNameOf(std::uint64_t number) const {
  if (number == 0) return std::string(kLegalName);
  Draw draw(Mix(seed_ ^ 0x6c6567, number));
  const auto scripts = words::CompanyScripts();
  const words::NameParts& parts = scripts[draw.Below(scripts.size())];
  return fmt::format("{}{}", draw.Pick(parts.stems), draw.Pick(parts.endings));
}

std::string Partners::ElementOf(std::uint64_t number) const {
  std::string element;
  Begin(element, catalog_, IdOf(number))
      .Member("LegalName", LegalNameOf(number))
      .Member("CreatedAt", CreatedAt(number))
      .Close('}');
  return element;
}

std::string Partners::BodyOf(const Numbered& record) const {
  Draw draw(Mix(seed_ ^ 0x70726f, record.number));
  const std::string site = fmt::format("https://partner-{}.example.com", record.number);
  std::string body;
  JsonText json = Begin(body, catalog_, IdOf(record.number));
  json.Member("LegalName", LegalNameOf(record.number))
      .Member("CreatedAt", CreatedAt(record.number));
  json.Key("Profile").Open('{');
  json.Member("DisplayName", fmt::format("Beispiel Cloud {}", record.number));
  json.Member("Description",
              fmt::format("{} Edition {}.", draw.Pick(words::UseCases()), record.revision + 1));
  json.Member("WebsiteUrl", site).Member("LogoUrl", site + "/logo.png");
  json.Member("PrimarySolutionType", draw.Pick(kSolutionTypes));
  json.Key("IndustrySegments").Open('[').String(draw.Pick(kSegments)).Close(']');
  json.Member("TranslationSourceLocale", "en-US");
  json.Key("LocalizedContents").Open('[');
  if (draw.Chance(30)) {
    json.Open('{')
        .Member("DisplayName", "Beispiel-Wolke")
        .Member("Description", "Vorhersagen für den Mittelstand.")
        .Member("WebsiteUrl", site + "/de")
        .Member("LogoUrl", site + "/logo.png")
        .Member("Locale", "de-DE")
        .Close('}');
  }
  json.Close(']');
  if (draw.Chance(70)) {
    json.Key("Headquarters").Open('{').Member("CountryCode", "US");
    json.Member("SubdivisionCode", "WA").Close('}');
  }
  json.Member("ProfileId", ProfileIdOf(record.number)).Close('}');
  json.Key("AwsTrainingCertificationEmailDomains").Open('[');
  if (draw.Chance(60)) {
    json.Open('{').Member("DomainName", fmt::format("partner-{}.example.com", record.number));
    json.Member("RegisteredAt", "2025-12-02T09:00:00Z").Close('}');
  }
  json.Close(']').Close('}');
  return body;
}

std::string_view Partners::VisibilityOf(const Numbered& record) const {
  return (Mix(seed_, record.number) + record.revision) % 2 == 0 ? "PUBLIC" : "PRIVATE";
}

std::string Partners::VisibilityBodyOf(const Numbered& record) const {
  std::string body;
  Begin(body, catalog_, IdOf(record.number))
      .Member("Visibility", VisibilityOf(record))
      .Member("ProfileId", ProfileIdOf(record.number))
      .Close('}');
  return body;
}

std::vector<Numbered> Partners::Live() const {
  const std::lock_guard lock(mutex_);
  return roster_.Live();
}

Answer Partners::List(const CheckedCall& call) const {
  const std::vector<Numbered> live = Live();
  return AnswerPage(call, mint_,
                    {.service = ServiceId::kPartnerCentralAccount,
                     .member = "PartnerSummaryList",
                     .page_size = kPageSize,
                     .count = live.size(),
                     .element = [&](std::size_t i) { return ElementOf(live[i].number); }});
}

/// What `write` says about the partner that is meant; ResourceNotFoundException if there is none.
template <typename Write>
Answer Partners::Found(const CheckedCall& call, const Write& write) const {
  const auto& identifier = call.request["Identifier"].get_ref<const std::string&>();
  if (call.faults.Find(FaultKind::kNotFound) == nullptr) {
    for (const Numbered& record : Live()) {
      const std::string id = IdOf(record.number);
      if (!IsMeant(identifier, id, ArnOf(kAccount, catalog_, "partner", id))) continue;
      Answer answer;
      answer.body = write(record);
      SpoilRecord(answer.body, call.faults);
      return answer;
    }
  }
  return ServiceError(ServiceId::kPartnerCentralAccount, "ResourceNotFoundException",
                      fmt::format("Partner with identifier {} not found.", identifier));
}

Answer Partners::Get(const CheckedCall& call) const {
  return Found(call, [this](const Numbered& record) { return BodyOf(record); });
}

Answer Partners::GetVisibility(const CheckedCall& call) const {
  return Found(call, [this](const Numbered& record) { return VisibilityBodyOf(record); });
}

std::vector<std::string> Partners::Apply(const ChangeOrder& order) {
  const std::lock_guard lock(mutex_);
  return roster_.Apply(order, [this](std::uint64_t number) { return IdOf(number); });
}

void Partners::ForEach(const std::function<void(const PartnerTruth&)>& visit) const {
  for (const Numbered& record : Live()) {
    visit({IdOf(record.number), BodyOf(record), VisibilityOf(record), VisibilityBodyOf(record)});
  }
}

}  // namespace pcw::sim
