#include "pcw/sim/partner_central/opportunity.h"

#include <chrono>
#include <vector>

#include <fmt/format.h>

#include "pcw/base/time.h"
#include "pcw/sim/draw.h"
#include "pcw/sim/json_text.h"
#include "pcw/sim/partner_central/words.h"

namespace pcw::sim {
namespace {

// Each topic draws from its own stream, so that one field can be computed without the others.
enum class Topic : std::uint64_t {
  kCompany = 1,
  kStage,
  kReview,
  kClose,
  kCustomer,
  kProject,
  kSpend,
  kMarketing,
  kRevenue,
  kLifeCycle,
  kTeam,
  kRelated,
  kShape
};

Draw DrawOf(const Dataset& dataset, Topic topic, std::uint64_t index, std::uint32_t revision = 0) {
  return Draw(Mix(Mix(dataset.seed(), static_cast<std::uint64_t>(topic)), Mix(index, revision)));
}

// In each form that AWS's pattern of an amount allows, but the empty text.
std::string Amount(Draw& draw, std::string_view currency) {
  const std::uint64_t units = draw.Below(draw.Chance(10) ? 100'000'000 : 90'000);
  if (currency == "JPY") return std::to_string(units * 100);
  switch (draw.Below(16)) {
    case 3:
      return fmt::format("{}.", units);
    case 4:
      return "0.";
    case 0:
      return std::to_string(units);
    case 1:
      return fmt::format("{}.5", units);
    case 2:
      return "0";
    default:
      return fmt::format("{}.{:02}", units, draw.Below(100));
  }
}

std::string Paragraph(Draw& draw, std::uint64_t sentences) {
  std::string text;
  for (std::uint64_t i = 0; i < sentences; ++i) {
    if (i > 0) text += draw.Chance(15) ? "\n\n" : " ";
    text += draw.Pick(words::Sentences());
  }
  return text;
}

void StringList(JsonText& json, std::string_view name, Draw& draw, words::Words choices,
                std::uint64_t count) {
  json.Key(name).Open('[');
  const std::uint64_t first = draw.Below(choices.size());
  for (std::uint64_t i = 0; i < count; ++i) json.String(choices[(first + i) % choices.size()]);
  json.Close(']');
}

void Person(JsonText& json, Draw& draw, std::string_view title) {
  json.Open('{')
      .Member("Email", fmt::format("contact.{}@brindlemere.example.com", draw.Below(100'000)))
      .Member("FirstName", draw.Pick(words::FirstNames()))
      .Member("LastName", draw.Pick(words::LastNames()))
      .Member("BusinessTitle", title);
  if (draw.Chance(80)) json.Member("Phone", fmt::format("+1555555{:04}", draw.Below(10'000)));
  json.Close('}');
}

std::string Day(WallTime time) { return FormatRfc3339(time).substr(0, 10); }

/// One record being written; holds what several of its parts need.
class Page {
 public:
  Page(const Dataset& dataset, const OpportunityWriter& writer, Catalog catalog,
       const RecordVersion& version, std::string& out)
      : dataset_(dataset),
        writer_(writer),
        catalog_(catalog),
        version_(version),
        shape_(Mix(dataset.seed() ^ 0x7368, version.index)),
        json_(out, shape_ % 20 == 3 ? Escaping::kAscii : Escaping::kUtf8) {}

  void Full();
  void Summary();

 private:
  Draw Stream(Topic topic) const { return DrawOf(dataset_, topic, version_.index); }
  Draw RevisedStream(Topic topic) const {
    return DrawOf(dataset_, topic, version_.index, version_.revision);
  }
  /// True for about one record in `n`: which optional parts are absent.
  bool Lacks(std::uint64_t n, std::uint64_t part) const { return Mix(shape_, part) % n == 0; }
  /// The record tells a total contract value and the contract's duration.
  bool HasTotal() const { return !Lacks(8, 5) && !Lacks(19, 6) && Lacks(3, 19); }

  void Identity();
  void Dates();
  void Customer(bool full);
  void Contacts();
  void Project(bool full);
  void Spend(bool full);
  void LifeCycle(bool full);
  void Marketing();
  void SoftwareRevenue();
  void Related();
  void Team();

  const Dataset& dataset_;
  const OpportunityWriter& writer_;
  Catalog catalog_;
  const RecordVersion& version_;
  std::uint64_t shape_;
  JsonText json_;
};

void Page::Identity() {
  const std::string id = dataset_.IdOf(version_.index);
  json_.Member("Catalog", NameOf(catalog_)).Member("Id", id);
  json_.Member(
      "Arn", fmt::format("arn:aws:partnercentral:us-east-1:123456789012:catalog/{}/opportunity/{}",
                         NameOf(catalog_), id));
  if (!Lacks(9, 1)) {
    json_.Member("PartnerOpportunityIdentifier", fmt::format("HLS-CRM-{:06}", version_.index));
  }
  Draw draw = Stream(Topic::kShape);
  json_.Member("OpportunityType", draw.Pick(words::OpportunityTypes()));
}

void Page::Dates() {
  json_.Member("LastModifiedDate", FormatRfc3339(version_.modified));
  json_.Member("CreatedDate", FormatRfc3339(version_.created));
}

void Page::Customer(bool full) {
  const std::string company = writer_.CompanyName(version_.index);
  if (company.empty()) return;
  Draw draw = Stream(Topic::kCustomer);
  json_.Key("Customer").Open('{').Key("Account").Open('{');
  const std::string_view industry = draw.Pick(words::Industries());
  json_.Member("Industry", industry);
  if (industry == "Other") json_.Member("OtherIndustry", "Vertical farming & robotics");
  json_.Member("CompanyName", company);
  if (!Lacks(11, 2)) {
    json_.Member("WebsiteUrl", fmt::format("https://customer-{}.example.com/", version_.index));
  }
  if (full && draw.Chance(40)) {
    json_.Member("AwsAccountId", fmt::format("{:012}", draw.Below(1'000'000'000'000)));
  }
  const auto scripts = words::CompanyScripts();
  Draw name = Stream(Topic::kCompany);
  const std::string_view country = scripts[name.Below(scripts.size())].country;
  json_.Key("Address").Open('{');
  json_.Member("City", draw.Pick(words::Cities()));
  // Leading zeros and letters: a postal code is text.
  json_.Member("PostalCode",
               country == "GB" ? "EX4 0MP" : fmt::format("{:05}", draw.Below(99'999)));
  if (country == "US") json_.Member("StateOrRegion", draw.Pick(words::States()));
  json_.Member("CountryCode", country);
  if (full)
    json_.Member("StreetAddress",
                 fmt::format("{} Sample Way\nFloor {}", draw.Below(999), draw.Below(40)));
  json_.Close('}');
  if (full && draw.Chance(30))
    json_.Member("Duns", fmt::format("{:09}", draw.Below(1'000'000'000)));
  json_.Close('}');
  if (full) Contacts();
  json_.Close('}');
}

void Page::Contacts() {
  if (Lacks(13, 3)) return;
  Draw draw = RevisedStream(Topic::kCustomer);
  json_.Key("Contacts").Open('[');
  for (std::uint64_t i = Lacks(17, 4) ? 3 : draw.Below(3); i < 3; ++i) {
    Person(json_, draw, draw.Pick(words::Titles()));
  }
  json_.Close(']');
}

// What AWS lists: the monthly amount spent at AWS, beside it in one of three records the total
// contract value (company Self, frequency None, with the contract's duration), in no promised order
// and in one currency. Now and then there is another company's amount, as older records have them.
void Page::Spend(bool full) {
  if (Lacks(8, 5)) return;
  Draw draw = RevisedStream(Topic::kSpend);
  const std::string_view currency = draw.Pick(words::Currencies());
  const bool has_url = full && !HasTotal() && draw.Chance(50);
  std::vector<std::string> elements;
  const auto add = [&](std::string_view company, std::string_view frequency) {
    JsonText json(elements.emplace_back());
    json.Open('{');
    if (!Lacks(15, 8)) json.Member("Amount", Amount(draw, currency));
    json.Member("CurrencyCode", currency).Member("Frequency", frequency);
    json.Member("TargetCompany", company);
    if (has_url && company == "AWS") {
      json.Member("EstimationUrl",
                  fmt::format("https://calculator.aws/#/estimate?id={:032x}", draw.Next()));
    }
    json.Close('}');
  };
  if (!Lacks(19, 6)) {
    add("AWS", "Monthly");
    if (HasTotal()) add("Self", "None");
    if (Lacks(12, 7)) add("Brindlemere Foods", "Monthly");
    if (Lacks(30, 18)) elements.erase(elements.begin());
  }
  json_.Key("ExpectedCustomerSpend").Open('[');
  const std::uint64_t first = elements.empty() ? 0 : draw.Below(elements.size());
  for (std::size_t i = 0; i < elements.size(); ++i)
    json_.Raw(elements[(first + i) % elements.size()]);
  json_.Close(']');
}

void Page::Project(bool full) {
  if (Lacks(50, 9)) return;
  Draw draw = Stream(Topic::kProject);
  json_.Key("Project").Open('{');
  StringList(json_, "DeliveryModels", draw, words::DeliveryModels(), 1 + draw.Below(3));
  Spend(full);
  const std::uint64_t half_years = 1 + draw.Below(10);
  if (HasTotal()) {
    json_.Key("ExpectedContractDuration").Open('{').Member("Term", "Months");
    json_.Member("Value", std::to_string(6 * half_years)).Close('}');
  }
  if (full) {
    const std::string_view industry = draw.Pick(words::Industries());
    json_.Member("Title", fmt::format("{} platform, phase {}", industry, 1 + draw.Below(4)));
    json_.Member("CustomerBusinessProblem", Paragraph(draw, 5 + draw.Below(5)));
    json_.Member("CustomerUseCase", draw.Pick(words::UseCases()));
    StringList(json_, "SalesActivities", draw, words::SalesActivities(), 1 + draw.Below(4));
    json_.Member("CompetitorName", draw.Pick(words::Competitors()));
    if (draw.Chance(20)) json_.Member("OtherCompetitorNames", "Acme Cloud, Überhost");
    if (draw.Chance(60)) json_.Member("OtherSolutionDescription", "Halcyon Forecast Cloud");
    if (draw.Chance(60)) json_.Member("AdditionalComments", draw.Pick(words::Sentences()));
    if (draw.Chance(10)) json_.Key("ApnPrograms").Open('[').Close(']');
  }
  json_.Close('}');
}

void Page::LifeCycle(bool full) {
  Draw draw = RevisedStream(Topic::kLifeCycle);
  const std::string_view stage = writer_.Stage(version_);
  const std::string_view review = writer_.ReviewStatus(version_);
  json_.Key("LifeCycle").Open('{');
  json_.Member("Stage", stage);
  if (stage == "Closed Lost")
    json_.Member("ClosedLostReason", draw.Pick(words::ClosedLostReasons()));
  if (!Lacks(12, 10)) json_.Member("NextSteps", draw.Pick(words::Steps()));
  json_.Member("TargetCloseDate", writer_.TargetCloseDate(version_));
  json_.Member("ReviewStatus", review);
  if (review == "Action Required" || review == "Rejected") {
    json_.Member("ReviewComments", draw.Pick(words::Sentences()));
    json_.Member("ReviewStatusReason",
                 review == "Rejected" ? "Next steps unclear" : "Customer problem unclear");
  }
  if (full && !Lacks(7, 11)) {
    json_.Key("NextStepsHistory").Open('[');
    const std::uint64_t steps = 2 + draw.Below(5);
    for (std::uint64_t i = 0; i < steps; ++i) {
      const auto ago = std::chrono::hours(26 * (steps - i));
      json_.Open('{').Member("Value", draw.Pick(words::Steps()));
      json_.Member("Time", FormatRfc3339(version_.modified - ago)).Close('}');
    }
    json_.Close(']');
  }
  json_.Close('}');
}

void Page::Marketing() {
  if (Lacks(5, 12)) return;
  Draw draw = Stream(Topic::kMarketing);
  json_.Key("Marketing").Open('{');
  if (draw.Chance(40)) {
    json_.Member("Source", "None");
  } else {
    json_.Member("CampaignName", "Autumn 2026 “retail” webinar")
        .Member("Source", "Marketing Activity");
    StringList(json_, "Channels", draw, words::Channels(), 1 + draw.Below(3));
    json_.Member("AwsFundingUsed", draw.Chance(30) ? "Yes" : "No");
  }
  json_.Close('}');
}

void Page::SoftwareRevenue() {
  if (Lacks(3, 13)) return;
  Draw draw = Stream(Topic::kRevenue);
  const std::string_view currency = draw.Pick(words::Currencies());
  json_.Key("SoftwareRevenue").Open('{');
  json_.Member("DeliveryModel", draw.Pick(words::RevenueModels()));
  json_.Key("Value").Open('{').Member("Amount", Amount(draw, currency));
  json_.Member("CurrencyCode", currency).Close('}');
  json_.Member("EffectiveDate", Day(version_.created + std::chrono::days(200)));
  json_.Member("ExpirationDate", Day(version_.created + std::chrono::days(565))).Close('}');
}

void Page::Related() {
  Draw draw = Stream(Topic::kRelated);
  json_.Key("RelatedEntityIdentifiers").Open('{');
  json_.Key("AwsMarketplaceOffers").Open('[').Close(']');
  json_.Key("AwsMarketplaceOfferSets").Open('[').Close(']');
  json_.Key("Solutions").Open('[');
  for (std::uint64_t i = draw.Below(3); i < 2; ++i) {
    json_.String(fmt::format("S-{:07}", draw.Below(60)));
  }
  json_.Close(']');
  StringList(json_, "AwsProducts", draw, words::AwsProducts(), draw.Below(5));
  json_.Key("AwsMarketplaceSolutions").Open('[').Close(']');
  json_.Key("AwsMarketplaceProducts").Open('[').Close(']').Close('}');
}

void Page::Team() {
  if (Lacks(6, 14)) return;
  Draw draw = Stream(Topic::kTeam);
  json_.Key("OpportunityTeam").Open('[');
  Person(json_, draw, "PartnerAccountManager");
  if (draw.Chance(30)) Person(json_, draw, "OpportunityOwner");
  json_.Close(']');
}

void Page::Full() {
  json_.Open('{');
  Identity();
  Draw draw = Stream(Topic::kShape);
  if (!Lacks(10, 15)) {
    StringList(json_, "PrimaryNeedsFromAws", draw, words::PrimaryNeeds(), draw.Below(4));
  }
  if (!Lacks(4, 16)) json_.Member("NationalSecurity", draw.Chance(5) ? "Yes" : "No");
  Customer(true);
  Project(true);
  Marketing();
  SoftwareRevenue();
  Dates();
  Related();
  LifeCycle(true);
  Team();
  json_.Close('}');
}

void Page::Summary() {
  json_.Open('{');
  Identity();
  Dates();
  LifeCycle(false);
  Customer(false);
  Project(false);
  json_.Close('}');
}

}  // namespace

std::string_view NameOf(Catalog catalog) { return catalog == Catalog::kAws ? "AWS" : "Sandbox"; }

std::string OpportunityWriter::Body(const RecordVersion& version) const {
  std::string out;
  out.reserve(4'608);
  Page(dataset_, *this, catalog_, version, out).Full();
  return out;
}

void OpportunityWriter::AppendSummary(std::string& out, const RecordVersion& version) const {
  if (!out.empty() && out.back() == '}') out += ',';
  std::string element;
  element.reserve(1'024);
  Page(dataset_, *this, catalog_, version, element).Summary();
  out += element;
}

std::string_view OpportunityWriter::Stage(const RecordVersion& version) const {
  return DrawOf(dataset_, Topic::kStage, version.index, version.revision).Pick(words::Stages());
}

std::string_view OpportunityWriter::ReviewStatus(const RecordVersion& version) const {
  return DrawOf(dataset_, Topic::kReview, version.index, version.revision)
      .Pick(words::ReviewStatuses());
}

std::string OpportunityWriter::CompanyName(std::uint64_t index) const {
  if (Mix(Mix(dataset_.seed() ^ 0x7368, index), 17) % 200 == 0) return {};
  Draw draw = DrawOf(dataset_, Topic::kCompany, index);
  const auto scripts = words::CompanyScripts();
  const words::NameParts& parts = scripts[draw.Below(scripts.size())];
  std::string name(draw.Pick(parts.stems));
  name += draw.Pick(parts.endings);
  if (draw.Chance(50)) name += fmt::format(" {}", draw.Below(1'000));
  return name;
}

std::string OpportunityWriter::TargetCloseDate(const RecordVersion& version) const {
  Draw draw = DrawOf(dataset_, Topic::kClose, version.index);
  return Day(version.created + std::chrono::days(400 + draw.Below(900)));
}

}  // namespace pcw::sim
