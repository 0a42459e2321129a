#include "pcw/sim/partner_central/aws_summaries.h"

#include <array>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/sim/draw.h"
#include "pcw/sim/json_text.h"
#include "pcw/sim/partner_central/words.h"
#include "pcw/sim/spoil.h"

namespace pcw::sim {
namespace {

using namespace std::literals;

constexpr std::array kStages{"Not Started"sv, "In Progress"sv, "Engaged"sv, "Qualified"sv,
                             "Committed"sv,   "On-hold"sv,     "Launched"sv};
constexpr std::array kScores{"High"sv, "Medium"sv, "Low"sv};
constexpr std::array kTeamTitles{
    "AWSSalesRep"sv, "AWSAccountOwner"sv, "WWPSPDM"sv, "PDM"sv, "PSM"sv, "ISVSM"sv};

void Person(JsonText& json, Draw& draw, std::string_view title) {
  json.Open('{')
      .Member("Email", fmt::format("person.{}@example.com", draw.Below(100'000)))
      .Member("FirstName", draw.Pick(words::FirstNames()))
      .Member("LastName", draw.Pick(words::LastNames()))
      .Member("BusinessTitle", title)
      .Close('}');
}

}  // namespace

AwsSummaries::AwsSummaries(std::uint64_t seed, Catalog catalog, const Collection& opportunities)
    : seed_(Mix(seed ^ 0x617773, MixText(NameOf(catalog)))),
      catalog_(catalog),
      opportunities_(opportunities) {}

std::uint32_t AwsSummaries::RevisionOf(std::uint64_t index) const {
  const std::lock_guard lock(mutex_);
  const auto found = revisions_.find(index);
  return found == revisions_.end() ? 0 : found->second;
}

std::string AwsSummaries::BodyOf(const RecordVersion& opportunity) const {
  const std::uint32_t revision = RevisionOf(opportunity.index);
  Draw draw(Mix(seed_, opportunity.index));
  Draw revised(Mix(seed_ ^ 0x726576, Mix(opportunity.index, revision)));
  std::string body;
  JsonText json(body);
  json.Open('{')
      .Member("RelatedOpportunityId", opportunities_.IdOf(opportunity.index))
      .Member("Origin", draw.Chance(30) ? "AWS Referral" : "Partner Referral")
      .Member("InvolvementType", draw.Chance(70) ? "Co-Sell" : "For Visibility Only")
      .Member("Visibility", draw.Chance(80) ? "Full" : "Limited");
  json.Key("LifeCycle")
      .Open('{')
      .Member("TargetCloseDate", opportunities_.writer().TargetCloseDate(opportunity))
      .Member("Stage", revised.Pick(kStages))
      .Member("NextSteps", revised.Pick(words::Steps()))
      .Close('}');
  json.Key("OpportunityTeam").Open('[');
  for (std::uint64_t i = draw.Below(3); i < 3; ++i) Person(json, draw, draw.Pick(kTeamTitles));
  json.Close(']');
  json.Key("Insights")
      .Open('{')
      .Member("NextBestActions",
              fmt::format("Review {}: {}", revision + 1, revised.Pick(words::Sentences())))
      .Member("EngagementScore", revised.Pick(kScores))
      .Close('}');
  json.Key("RelatedEntityIds").Open('{').Key("AwsProducts").Open('[');
  if (draw.Chance(60)) json.String(draw.Pick(words::AwsProducts()));
  json.Close(']').Key("Solutions").Open('[');
  if (draw.Chance(60)) json.String(fmt::format("S-{:07}", draw.Below(60)));
  json.Close(']').Close('}');
  json.Key("Customer").Open('{').Key("Contacts").Open('[');
  if (draw.Chance(70)) Person(json, draw, draw.Pick(words::Titles()));
  json.Close(']').Close('}');
  json.Key("Project").Open('{').Key("ExpectedCustomerSpend").Open('[');
  // The total contract value may come first: AWS promises no order.
  const bool has_total = opportunity.index % 4 == 1;
  if (has_total) {
    json.Open('{')
        .Member("Amount", fmt::format("{}.", 90'000 + revised.Below(900'000)))
        .Member("CurrencyCode", "USD")
        .Member("Frequency", "None")
        .Member("TargetCompany", "Self")
        .Close('}');
  }
  if (draw.Chance(80)) {
    json.Open('{')
        .Member("Amount", fmt::format("{}.{:02}", revised.Below(90'000), revised.Below(100)))
        .Member("CurrencyCode", has_total ? "USD" : draw.Pick(words::Currencies()))
        .Member("Frequency", "Monthly")
        .Member("TargetCompany", "AWS")
        .Close('}');
  }
  json.Close(']').Close('}').Member("Catalog", NameOf(catalog_)).Close('}');
  return body;
}

Answer AwsSummaries::Get(const CheckedCall& call) const {
  const auto& id = call.request["RelatedOpportunityIdentifier"].get_ref<const std::string&>();
  const auto opportunity =
      call.faults.Find(FaultKind::kNotFound) == nullptr ? opportunities_.Get(id) : std::nullopt;
  if (!opportunity) {
    return ServiceError(ServiceId::kPartnerCentralSelling, "ResourceNotFoundException",
                        fmt::format("Opportunity with identifier {} not found.", id));
  }
  Answer answer;
  answer.body = BodyOf(*opportunity);
  SpoilRecord(answer.body, call.faults);
  return answer;
}

std::vector<std::string> AwsSummaries::Modify(const ChangeOrder& order) {
  std::vector<std::uint64_t> chosen;
  if (order.ids) {
    for (const std::string& id : *order.ids) {
      if (const auto opportunity = opportunities_.Get(id)) chosen.push_back(opportunity->index);
    }
  } else {
    opportunities_.ForEach([&](const RecordVersion& record) { chosen.push_back(record.index); });
  }
  const std::lock_guard lock(mutex_);
  if (!order.ids) chosen = DrawSome(std::move(chosen), order.count, Mix(seed_, drawn_++));
  std::vector<std::string> ids;
  for (const std::uint64_t index : chosen) {
    ++revisions_[index];
    ids.push_back(opportunities_.IdOf(index));
  }
  return ids;
}

void AwsSummaries::ForEach(
    const std::function<void(const std::string& id, std::string_view body)>& visit) const {
  opportunities_.ForEach([&](const RecordVersion& record) {
    visit(opportunities_.IdOf(record.index), BodyOf(record));
  });
}

}  // namespace pcw::sim
