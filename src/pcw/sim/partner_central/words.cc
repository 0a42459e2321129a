#include "pcw/sim/partner_central/words.h"

namespace pcw::sim::words {
namespace {

using namespace std::literals;

// clang-format off
constexpr std::array kLatinStems{"Brindlemere"sv, "Quillon"sv, "Tessellate"sv, "Halcyon"sv, "Ostrava Vale"sv, "Northwick"sv, "Pemberlane"sv, "Corvid"sv, "Larkspur"sv, "Umbra & Sons"sv, "O'Keelan"sv, "Three \"Rivers\""sv, "Back\\Slash"sv, "Ridge/Field"sv};
constexpr std::array kLatinEndings{" Foods"sv, " Clinics Group"sv, " Rail Freight"sv, " Ledger Inc."sv, " Power Ltd"sv, " Learning"sv, " Mutual"sv, " Aerospace"sv, ", LLC"sv};
constexpr std::array kGermanStems{"Müllerfeld"sv, "Großbrück"sv, "Öhringhaus"sv, "Straßwald"sv};
constexpr std::array kGermanEndings{" Maschinenbau GmbH"sv, " Bäckereien KG"sv, " Energie AG"sv};
constexpr std::array kFrenchStems{"Société Belœuvre"sv, "Châtelmont"sv, "L’Étoile d’Orvanne"sv};
constexpr std::array kFrenchEndings{" S.A."sv, " & Cie"sv, " Logistique"sv};
constexpr std::array kPolishStems{"Żółtowicz"sv, "Źródlana"sv, "Łąkowski"sv};
constexpr std::array kPolishEndings{" Sp. z o.o."sv, " Spółka Akcyjna"sv};
constexpr std::array kTurkishStems{"İstinyeli"sv, "Ilgazlı"sv, "Çığır"sv};
constexpr std::array kTurkishEndings{" Sanayi A.Ş."sv, " Lojistik"sv};
constexpr std::array kGreekStems{"Αιγαιόραμα"sv, "Ολυμπιόσημα"sv};
constexpr std::array kGreekEndings{" Α.Ε."sv, " Τεχνική"sv};
constexpr std::array kCyrillicStems{"Северолист"sv, "Ясеневка"sv, "Їжаківка"sv};
constexpr std::array kCyrillicEndings{" Логистика"sv, " Енерго"sv};
constexpr std::array kArabicStems{"شركة النخيل الذهبي"sv, "مجموعة الواحة"sv, "مؤسسة البحر"sv};
constexpr std::array kArabicEndings{" للتجارة"sv, " القابضة"sv, " (MENA)"sv};
constexpr std::array kHebrewStems{"ארזי הצפון"sv, "גלי ים"sv};
constexpr std::array kHebrewEndings{" בע״מ"sv, " טכנולוגיות"sv};
constexpr std::array kHindiStems{"हिमगिरि"sv, "स्वर्णपथ"sv, "क्षितिज"sv};
constexpr std::array kHindiEndings{" उद्योग"sv, " लिमिटेड"sv};
constexpr std::array kThaiStems{"ธาราทอง"sv, "ฟ้าใส"sv};
constexpr std::array kThaiEndings{" จำกัด"sv, " โลจิสติกส์"sv};
constexpr std::array kChineseStems{"云岭"sv, "远航星"sv, "𠮷野家園"sv};
constexpr std::array kChineseEndings{"科技有限公司"sv, "物流集团"sv};
constexpr std::array kJapaneseStems{"株式会社ミナトノ"sv, "青葉森"sv, "ﾊﾝｶｸ"sv};
constexpr std::array kJapaneseEndings{"製作所"sv, "ホールディングス"sv};
constexpr std::array kKoreanStems{"한빛누리"sv, "새벽강"sv};
constexpr std::array kKoreanEndings{" 주식회사"sv, " 전자"sv};
// Combining marks, a zero-width joiner, a bidirectional override pair, emoji of several code points.
constexpr std::array kOddStems{"Cafe\u0301 Zu\u0308rich"sv, "Rocket \U0001F680 Freight"sv, "Family \U0001F468\u200D\U0001F469\u200D\U0001F467"sv, "Flag \U0001F1EB\U0001F1EE"sv, "\u202BMixed\u202C Dir"sv, "Zero\u200BWidth"sv};
constexpr std::array kOddEndings{""sv, " \u2764\uFE0F"sv, " e\u0323\u0302tude"sv};

constexpr std::array kScripts{
    NameParts{kLatinStems, kLatinEndings, "US"}, NameParts{kLatinStems, kLatinEndings, "US"},
    NameParts{kLatinStems, kLatinEndings, "GB"}, NameParts{kLatinStems, kLatinEndings, "CA"},
    NameParts{kLatinStems, kLatinEndings, "AU"}, NameParts{kLatinStems, kLatinEndings, "US"},
    NameParts{kGermanStems, kGermanEndings, "DE"}, NameParts{kFrenchStems, kFrenchEndings, "FR"},
    NameParts{kPolishStems, kPolishEndings, "PL"}, NameParts{kTurkishStems, kTurkishEndings, "TR"},
    NameParts{kGreekStems, kGreekEndings, "GR"}, NameParts{kCyrillicStems, kCyrillicEndings, "UA"},
    NameParts{kArabicStems, kArabicEndings, "AE"}, NameParts{kHebrewStems, kHebrewEndings, "IL"},
    NameParts{kHindiStems, kHindiEndings, "IN"}, NameParts{kThaiStems, kThaiEndings, "TH"},
    NameParts{kChineseStems, kChineseEndings, "CN"}, NameParts{kJapaneseStems, kJapaneseEndings, "JP"},
    NameParts{kKoreanStems, kKoreanEndings, "KR"}, NameParts{kOddStems, kOddEndings, "NL"}};

constexpr std::array kStages{"Prospect"sv, "Qualified"sv, "Technical Validation"sv, "Business Validation"sv, "Committed"sv, "Launched"sv, "Closed Lost"sv};
constexpr std::array kReviewStatuses{"Pending Submission"sv, "Submitted"sv, "In review"sv, "Approved"sv, "Rejected"sv, "Action Required"sv};
constexpr std::array kClosedLostReasons{"Customer Deficiency"sv, "Delay / Cancellation of Project"sv, "Legal / Tax / Regulatory"sv, "Lost to Competitor - Google"sv, "Lost to Competitor - Microsoft"sv, "Lost to Competitor - SoftLayer"sv, "Lost to Competitor - VMWare"sv, "Lost to Competitor - Other"sv, "No Opportunity"sv, "On Premises Deployment"sv, "Partner Gap"sv, "Price"sv, "Security / Compliance"sv, "Technical Limitations"sv, "Customer Experience"sv, "Other"sv, "People/Relationship/Governance"sv, "Product/Technology"sv, "Financial/Commercial"sv};
constexpr std::array kIndustries{"Aerospace"sv, "Agriculture"sv, "Automotive"sv, "Computers and Electronics"sv, "Consumer Goods"sv, "Education"sv, "Energy - Oil and Gas"sv, "Energy - Power and Utilities"sv, "Financial Services"sv, "Gaming"sv, "Government"sv, "Healthcare"sv, "Hospitality"sv, "Life Sciences"sv, "Manufacturing"sv, "Marketing and Advertising"sv, "Media and Entertainment"sv, "Mining"sv, "Non-Profit Organization"sv, "Professional Services"sv, "Real Estate and Construction"sv, "Retail"sv, "Software and Internet"sv, "Telecommunications"sv, "Transportation and Logistics"sv, "Travel"sv, "Wholesale and Distribution"sv, "Other"sv};
constexpr std::array kDeliveryModels{"SaaS or PaaS"sv, "BYOL or AMI"sv, "Managed Services"sv, "Professional Services"sv, "Resell"sv, "Other"sv};
constexpr std::array kPrimaryNeeds{"Co-Sell - Architectural Validation"sv, "Co-Sell - Business Presentation"sv, "Co-Sell - Competitive Information"sv, "Co-Sell - Pricing Assistance"sv, "Co-Sell - Technical Consultation"sv, "Co-Sell - Total Cost of Ownership Evaluation"sv, "Co-Sell - Deal Support"sv, "Co-Sell - Support for Public Tender / RFx"sv};
constexpr std::array kSalesActivities{"Initialized discussions with customer"sv, "Customer has shown interest in solution"sv, "Conducted POC / Demo"sv, "In evaluation / planning stage"sv, "Agreed on solution to Business Problem"sv, "Completed Action Plan"sv, "Finalized Deployment Need"sv, "SOW Signed"sv};
constexpr std::array kCompetitors{"Oracle Cloud"sv, "On-Prem"sv, "Co-location"sv, "Akamai"sv, "AliCloud"sv, "Google Cloud Platform"sv, "IBM Softlayer"sv, "Microsoft Azure"sv, "Other- Cost Optimization"sv, "No Competition"sv, "*Other"sv};
constexpr std::array kChannels{"AWS Marketing Central"sv, "Content Syndication"sv, "Display"sv, "Email"sv, "Live Event"sv, "Out Of Home (OOH)"sv, "Print"sv, "Search"sv, "Social"sv, "Telemarketing"sv, "TV"sv, "Video"sv, "Virtual Event"sv};
constexpr std::array kRevenueModels{"Contract"sv, "Pay-as-you-go"sv, "Subscription"sv};
constexpr std::array kOpportunityTypes{"Net New Business"sv, "Flat Renewal"sv, "Expansion"sv};
constexpr std::array kCurrencies{"USD"sv, "USD"sv, "USD"sv, "USD"sv, "USD"sv, "USD"sv, "EUR"sv, "EUR"sv, "GBP"sv, "JPY"sv, "INR"sv, "CHF"sv, "AED"sv, "KWD"sv, "BRL"sv, "PLN"sv};
constexpr std::array kUseCases{"Business Applications & Contact Center"sv, "Migration / Database Migration"sv, "Data Lakes and Analytics"sv, "Security & Compliance"sv, "Media & High performance computing"sv, "Backup & Recovery"sv};
constexpr std::array kAwsProducts{"AWSLambda"sv, "AmazonS3"sv, "AmazonEC2"sv, "AmazonRDS"sv, "AmazonBedrock"sv, "AmazonEKS"sv, "AWSGlue"sv, "AmazonConnect"sv};
constexpr std::array kFirstNames{"Dana"sv, "Ines"sv, "Søren"sv, "José María"sv, "Zoë"sv, "Nguyễn"sv, "अमित"sv, "美咲"sv, "محمد"sv, "Олена"sv, "Sam"sv, "Ürsula"sv};
constexpr std::array kLastNames{"Sample"sv, "O'Brien"sv, "Łukasiewicz"sv, "von der Heide"sv, "Nakamura"sv, "الفارسي"sv, "İnönü"sv, "Smith-Jones"sv, "Ñandú"sv, "D’Arcy"sv};
constexpr std::array kTitles{"VP Supply Chain"sv, "CIO"sv, "Head of Platform"sv, "Directeur général"sv, "IT-Leiter"sv, "Procurement \"Lead\""sv};
constexpr std::array kCities{"Exampleton"sv, "Köln"sv, "São Paulo"sv, "Łódź"sv, "東京"sv, "دبي"sv, "Reykjavík"sv, "Coeur d'Alene"sv};
constexpr std::array kStates{"California"sv, "Texas"sv, "New York"sv, "Washington"sv, "Dist. of Columbia"sv, "Example Region"sv};
constexpr std::array kSentences{
    "Forecasts are produced in spreadsheets once a week; the customer wants hourly demand signals and less spoilage."sv,
    "The current platform is \"good enough\" until the lease of the data centre ends in Q3, and nobody wants to renew it."sv,
    "Nightly batches take eleven hours, so branch managers see yesterday's figures at lunchtime."sv,
    "Kundendaten müssen die EU nicht verlassen; eine Prüfung durch die Aufsicht ist für den Herbst angesetzt."sv,
    "Le client souhaite réduire ses coûts d’exploitation d’environ 30 % sur trois ans, sans réécrire l’existant."sv,
    "Peak load is 40x the average on two days a year; the rest of the time the machines idle."sv,
    "お客様は監視を一つの画面にまとめたいと考えています。"sv,
    "Two acquisitions left three ERP systems behind:\n- one on the mainframe\n- one hosted by a reseller\n- one nobody owns"sv,
    "The licence key path is C:\\Program Files\\Legacy\\keys and must not change.\tSee annex B."sv,
    "Security asked for customer managed keys, private networking and an audit trail of every read."sv,
    "Success = time to first report < 5 minutes & cost per report <= $0.02 \U0001F3AF"sv,
    "يريد العميل تقارير فورية باللغتين العربية والإنجليزية."sv};
constexpr std::array kSteps{
    "Architecture workshop"sv, "Intro call held"sv, "Send TCO model\nConfirm sponsor\nBook executive briefing"sv,
    "Security review; questionnaire v2"sv, "POC ends Friday \u2013 collect results"sv, "Angebot prüfen & freigeben"sv,
    "Waiting for legal:\r\n1) DPA\r\n2) SLA annex"sv, "\U0001F4C5 follow-up next week"sv, "Send corrected address"sv,
    "次回：技術検証の結果共有"sv};
// clang-format on

}  // namespace

std::span<const NameParts> CompanyScripts() { return kScripts; }
Words Stages() { return kStages; }
Words ReviewStatuses() { return kReviewStatuses; }
Words ClosedLostReasons() { return kClosedLostReasons; }
Words Industries() { return kIndustries; }
Words DeliveryModels() { return kDeliveryModels; }
Words PrimaryNeeds() { return kPrimaryNeeds; }
Words SalesActivities() { return kSalesActivities; }
Words Competitors() { return kCompetitors; }
Words Channels() { return kChannels; }
Words RevenueModels() { return kRevenueModels; }
Words OpportunityTypes() { return kOpportunityTypes; }
Words Currencies() { return kCurrencies; }
Words UseCases() { return kUseCases; }
Words AwsProducts() { return kAwsProducts; }
Words FirstNames() { return kFirstNames; }
Words LastNames() { return kLastNames; }
Words Titles() { return kTitles; }
Words Cities() { return kCities; }
Words States() { return kStates; }
Words Sentences() { return kSentences; }
Words Steps() { return kSteps; }

}  // namespace pcw::sim::words
