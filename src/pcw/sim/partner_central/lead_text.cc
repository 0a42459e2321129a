#include "pcw/sim/partner_central/lead_text.h"

#include <array>

#include <fmt/format.h>

#include "pcw/base/time.h"
#include "pcw/sim/draw.h"
#include "pcw/sim/json_text.h"
#include "pcw/sim/keys.h"
#include "pcw/sim/partner_central/resource_name.h"
#include "pcw/sim/partner_central/words.h"

namespace pcw::sim {
namespace {

using namespace std::literals;

constexpr std::string_view kAws = "aws";
constexpr std::array kMaturities{"Evaluating"sv, "Building"sv, "Optimizing"sv};
constexpr std::array kMarkets{"Enterprise"sv, "SMB"sv, "Small"sv};
constexpr std::array kSources{"Campaign"sv, "Event"sv, "Website"sv};
constexpr std::array kLeadScores{"High"sv, "Medium"sv, "Low"sv};
constexpr std::array kQualifications{"Unqualified"sv, "Qualified"sv, "Disqualified"sv};
constexpr std::array kActions{"Completed Form"sv, "Attended Webinar"sv, "Downloaded “Guide”"sv};

/// What a lead's invitation and its engagement say alike.
struct LeadFacts {
  std::string company;
  std::string_view country;
  std::string_view industry;
  std::string website;
  std::string_view maturity;
  std::string_view market;
  std::string_view source;
  std::string source_id;
  std::string_view use_case;
  std::string_view title;
  std::string_view score;
};

LeadFacts FactsOf(std::uint64_t seed, std::uint64_t number) {
  Draw draw(Mix(seed ^ 0x66616374, number));
  const auto scripts = words::CompanyScripts();
  const words::NameParts& parts = scripts[draw.Below(scripts.size())];
  LeadFacts facts;
  facts.company = fmt::format("{}{}", draw.Pick(parts.stems), draw.Pick(parts.endings));
  facts.country = parts.country;
  facts.industry = draw.Pick(words::Industries());
  if (draw.Chance(80)) facts.website = fmt::format("https://lead-{}.example.com", number);
  facts.maturity = draw.Pick(kMaturities);
  facts.market = draw.Pick(kMarkets);
  facts.source = draw.Pick(kSources);
  facts.source_id = fmt::format("SQ{:07}", draw.Below(10'000'000));
  facts.use_case = draw.Pick(words::UseCases());
  facts.title = draw.Pick(words::Titles());
  facts.score = draw.Pick(kLeadScores);
  return facts;
}

std::string TitleOf(Subject subject, std::uint64_t number) {
  return fmt::format("{} {}", subject == Subject::kLead ? "Herbst campaign lead" : "Joint project",
                     number);
}

std::string_view DescriptionOf(Subject subject) {
  return subject == Subject::kLead ? "Lead generated from campaign activity"
                                   : "A customer's project, worked on together";
}

std::string Day(WallTime time) { return FormatRfc3339(time).substr(0, 10); }

/// The parts of EngagementCustomer.
void ProjectCustomer(JsonText& json, const LeadFacts& facts, std::uint64_t number) {
  json.Key("Customer")
      .Open('{')
      .Member("Industry", facts.industry)
      .Member("CompanyName", facts.company)
      .Member("WebsiteUrl", fmt::format("https://customer-{}.example.com", number))
      .Member("CountryCode", facts.country)
      .Close('}');
}

void ProjectContext(JsonText& json, const LeadFacts& facts, const Engagement& engagement,
                    std::string_view id) {
  json.Open('{').Member("Id", id).Member("Type", "CustomerProject");
  json.Key("Payload").Open('{').Key("CustomerProject").Open('{');
  ProjectCustomer(json, facts, engagement.number);
  json.Key("Project")
      .Open('{')
      .Member("Title", fmt::format("{} platform", facts.industry))
      .Member("BusinessProblem",
              fmt::format("Runs out of capacity each winter; phase {}.", engagement.revision + 1))
      .Member("TargetCompletionDate", Day(engagement.created + std::chrono::days(240)))
      .Close('}');
  json.Close('}').Close('}').Close('}');
}

void Interaction(JsonText& json, const LeadFacts& facts) {
  json.Member("SourceType", facts.source)
      .Member("SourceId", facts.source_id)
      .Member("SourceName", fmt::format("{} of autumn", facts.source))
      .Member("Usecase", facts.use_case);
}

void LeadContext(JsonText& json, std::uint64_t seed, const LeadFacts& facts,
                 const Engagement& engagement, std::string_view id) {
  Draw draw(Mix(seed ^ 0x637478, Mix(engagement.number, engagement.revision)));
  json.Open('{').Member("Id", id).Member("Type", "Lead");
  json.Key("Payload").Open('{').Key("Lead").Open('{');
  json.Key("Insights").Open('{').Member("LeadReadinessScore", facts.score);
  // A member that AWS's model does not have.
  if (engagement.number % 3 == 1) {
    json.Key("EngagementScore").Raw(fmt::format("{}.50", draw.Below(100)));
  }
  json.Close('}').Member("QualificationStatus", draw.Pick(kQualifications));
  json.Key("Customer").Open('{').Member("Industry", facts.industry);
  json.Member("CompanyName", facts.company);
  if (!facts.website.empty()) json.Member("WebsiteUrl", facts.website);
  json.Key("Address")
      .Open('{')
      .Member("City", draw.Pick(words::Cities()))
      .Member("CountryCode", facts.country)
      .Close('}');
  json.Member("AwsMaturity", facts.maturity).Member("MarketSegment", facts.market).Close('}');
  json.Key("Interactions").Open('[');
  for (std::uint64_t i = draw.Below(2); i < 2; ++i) {
    json.Open('{');
    Interaction(json, facts);
    json.Member("InteractionDate", FormatRfc3339(engagement.created - std::chrono::hours(5 + i)))
        .Member("CustomerAction", draw.Pick(kActions))
        .Member("BusinessProblem", draw.Pick(words::Sentences()));
    json.Key("Contact")
        .Open('{')
        .Member("BusinessTitle", facts.title)
        .Member("Email", fmt::format("lead.{}@example.com", draw.Below(100'000)))
        .Member("FirstName", draw.Pick(words::FirstNames()))
        .Member("LastName", draw.Pick(words::LastNames()));
    if (draw.Chance(70)) json.Member("Phone", fmt::format("+1555555{:04}", draw.Below(10'000)));
    json.Close('}').Close('}');
  }
  json.Close(']').Close('}').Close('}').Close('}');
}

void InvitedLead(JsonText& json, const LeadFacts& facts) {
  json.Key("LeadInvitation").Open('{').Key("Customer").Open('{');
  json.Member("Industry", facts.industry).Member("CompanyName", facts.company);
  if (!facts.website.empty()) json.Member("WebsiteUrl", facts.website);
  json.Member("CountryCode", facts.country)
      .Member("AwsMaturity", facts.maturity)
      .Member("MarketSegment", facts.market)
      .Close('}');
  json.Key("Interaction").Open('{');
  Interaction(json, facts);
  json.Member("ContactBusinessTitle", facts.title).Close('}').Close('}');
}

void InvitedProject(JsonText& json, const LeadFacts& facts, const Invitation& invitation) {
  json.Key("OpportunityInvitation").Open('{');
  json.Key("ReceiverResponsibilities").Open('[').String("Services Partner").Close(']');
  ProjectCustomer(json, facts, invitation.number);
  json.Key("Project")
      .Open('{')
      .Member("BusinessProblem", "Runs out of capacity each winter.")
      .Member("Title", fmt::format("{} platform", facts.industry))
      .Member("TargetCompletionDate", Day(invitation.invited + std::chrono::days(240)));
  json.Key("ExpectedCustomerSpend").Open('[').Close(']').Close('}').Close('}');
}

/// The members that the list and the details of an invitation share; the object is left open.
void Common(JsonText& json, const LeadWriter& writer, const Invitation& invitation,
            Catalog catalog) {
  json.Open('{')
      .Member("Arn", writer.InvitationArn(invitation))
      .Member("PayloadType",
              invitation.subject == Subject::kLead ? "LeadInvitation" : "OpportunityInvitation")
      .Member("Id", writer.InvitationId(invitation));
  if (invitation.names_engagement) {
    json.Member("EngagementId", writer.EngagementId(invitation.number));
  }
  json.Member("EngagementTitle", TitleOf(invitation.subject, invitation.number))
      .Member("Status", NameOf(invitation.status))
      .Member("InvitationDate", FormatRfc3339(invitation.invited))
      .Member("ExpirationDate", FormatRfc3339(invitation.expires))
      .Member("SenderAwsAccountId", writer.SenderOf(invitation))
      .Member("SenderCompanyName", invitation.is_received ? "AWS" : "Beispiel Cloud");
  json.Key("Receiver").Open('{').Key("Account").Open('{');
  json.Member("AwsAccountId", invitation.is_received ? kAccount : "210987654321"sv);
  json.Close('}').Close('}').Member("Catalog", NameOf(catalog));
}

}  // namespace

std::string_view NameOf(InvitationStatus status) {
  constexpr std::array kNames{"PENDING"sv, "ACCEPTED"sv, "REJECTED"sv, "EXPIRED"sv};
  return kNames[static_cast<std::size_t>(status)];
}

bool HasProjectFirst(const Engagement& engagement) {
  return engagement.subject == Subject::kLead && (engagement.number / 5) % 2 == 1;
}

LeadWriter::LeadWriter(std::uint64_t seed, Catalog catalog)
    : seed_(Mix(seed ^ 0x6c656164, MixText(NameOf(catalog)))), catalog_(catalog) {}

std::string LeadWriter::EngagementId(std::uint64_t number) const {
  return "eng-" + RandomLetters(Mix(seed_ ^ 0x656e67, number), 14);
}

std::string LeadWriter::EngagementArn(std::uint64_t number) const {
  return ArnOf("", catalog_, "engagement", EngagementId(number));
}

std::string LeadWriter::InvitationId(const Invitation& invitation) const {
  const std::uint64_t way = invitation.is_received ? 0 : 1;
  return "engi-" + RandomLetters(Mix(seed_ ^ 0x656e6769, Mix(invitation.number, way)), 13);
}

std::string LeadWriter::InvitationArn(const Invitation& invitation) const {
  return ArnOf("", catalog_, "engagement-invitation", InvitationId(invitation));
}

std::string_view LeadWriter::CreatorOf(const Engagement& engagement) const {
  return engagement.subject == Subject::kLead ? kAws : kAccount;
}

std::string_view LeadWriter::SenderOf(const Invitation& invitation) const {
  return invitation.is_received ? kAws : kAccount;
}

std::string LeadWriter::Summary(const Engagement& engagement) const {
  std::string element;
  JsonText json(element);
  json.Open('{')
      .Member("Arn", EngagementArn(engagement.number))
      .Member("Id", EngagementId(engagement.number))
      .Member("Title", TitleOf(engagement.subject, engagement.number))
      .Member("CreatedAt", FormatRfc3339(engagement.created))
      .Member("CreatedBy", CreatorOf(engagement));
  json.Key("MemberCount").Raw("2");
  json.Member("ModifiedAt", FormatRfc3339(engagement.modified)).Member("ModifiedBy", kAccount);
  json.Key("ContextTypes").Open('[');
  if (engagement.subject == Subject::kProject || HasProjectFirst(engagement)) {
    json.String("CustomerProject");
  }
  if (engagement.subject == Subject::kLead) json.String("Lead");
  json.Close(']').Close('}');
  return element;
}

std::string LeadWriter::Body(const Engagement& engagement) const {
  const LeadFacts facts = FactsOf(seed_, engagement.number);
  std::string body;
  JsonText json(body);
  json.Open('{')
      .Member("Id", EngagementId(engagement.number))
      .Member("Arn", EngagementArn(engagement.number))
      .Member("Title", TitleOf(engagement.subject, engagement.number))
      .Member("Description", DescriptionOf(engagement.subject))
      .Member("CreatedAt", FormatRfc3339(engagement.created))
      .Member("CreatedBy", CreatorOf(engagement));
  json.Key("MemberCount").Raw("2");
  json.Member("ModifiedAt", FormatRfc3339(engagement.modified)).Member("ModifiedBy", kAccount);
  json.Key("Contexts").Open('[');
  const bool has_project = engagement.subject == Subject::kProject || HasProjectFirst(engagement);
  if (has_project) ProjectContext(json, facts, engagement, "1");
  if (engagement.subject == Subject::kLead) {
    LeadContext(json, seed_, facts, engagement, has_project ? "2" : "1");
  }
  json.Close(']').Close('}');
  return body;
}

std::string LeadWriter::Summary(const Invitation& invitation) const {
  std::string element;
  JsonText json(element);
  Common(json, *this, invitation, catalog_);
  json.Member("ParticipantType", invitation.is_received ? "RECEIVER" : "SENDER").Close('}');
  return element;
}

std::string LeadWriter::Body(const Invitation& invitation) const {
  const LeadFacts facts = FactsOf(seed_, invitation.number);
  std::string body;
  JsonText json(body);
  Common(json, *this, invitation, catalog_);
  if (!invitation.rejection_reason.empty()) {
    json.Member("RejectionReason", invitation.rejection_reason);
  }
  json.Key("Payload").Open('{');
  if (invitation.subject == Subject::kLead) {
    InvitedLead(json, facts);
  } else {
    InvitedProject(json, facts, invitation);
  }
  json.Close('}');
  json.Member("InvitationMessage", "A lead that matches your practice.\nInterested?")
      .Member("EngagementDescription", DescriptionOf(invitation.subject));
  json.Key("ExistingMembers").Open('[').Open('{').Member("CompanyName", "AWS");
  json.Member("WebsiteUrl", "https://aws.example.com").Close('}').Close(']');
  if (invitation.subject == Subject::kLead) {
    json.Key("EnrichmentContext").Open('{').Key("LeadInsights").Open('{');
    json.Member("LeadReadinessScore", facts.score).Close('}').Close('}');
  }
  json.Close('}');
  return body;
}

}  // namespace pcw::sim
