#include "pcw/sim/partner_central/solutions.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/time.h"
#include "pcw/sim/draw.h"
#include "pcw/sim/json_text.h"
#include "pcw/sim/keys.h"
#include "pcw/sim/partner_central/list_page.h"
#include "pcw/sim/partner_central/resource_name.h"
#include "pcw/sim/partner_central/words.h"

namespace pcw::sim {
namespace {

using namespace std::literals;

constexpr std::array kStatuses{"Active"sv, "Active"sv, "Active"sv, "Inactive"sv, "Draft"sv};
constexpr std::array kCategories{"Software Product"sv, "Consulting Service"sv, "Managed Service"sv,
                                 "Professional Service"sv, "Training Service"sv};
constexpr std::array kOffers{"Cloud"sv,         "Forecast"sv, "Migration Practice"sv,
                             "Données & Cie"sv, "資料湖"sv,   "\"Fast\" Lane"sv};
constexpr std::uint64_t kSandboxFirst = 5'000'000;
// 2024-01-01; a solution is as old as its number says and does not move with the day.
constexpr WallTime kFirstDay{std::chrono::seconds(1'704'067'200)};

}  // namespace

struct Solutions::Row {
  std::string id;
  std::string name;
  std::string_view status;
  std::string_view category;
  WallTime created;
  std::string marketplace_arn;  ///< empty = not in the marketplace
};

Solutions::Solutions(std::uint64_t seed, Catalog catalog, std::uint64_t count, TokenMint& mint)
    : seed_(Mix(seed ^ 0x736f6c, MixText(NameOf(catalog)))),
      catalog_(catalog),
      mint_(mint),
      roster_(seed_, count) {}

// The ids of catalog AWS are those that opportunities relate to.
std::string Solutions::IdOf(std::uint64_t number) const {
  return fmt::format("S-{:07}", number + (catalog_ == Catalog::kSandbox ? kSandboxFirst : 0));
}

Solutions::Row Solutions::RowOf(const Numbered& record) const {
  Draw draw(Mix(seed_, record.number));
  Draw revised(Mix(seed_ ^ 0x726576, Mix(record.number, record.revision)));
  Row row;
  row.id = IdOf(record.number);
  const auto scripts = words::CompanyScripts();
  row.name = fmt::format("{} {}", draw.Pick(scripts[draw.Below(scripts.size())].stems),
                         draw.Pick(kOffers));
  if (record.revision > 0) row.name += fmt::format(", release {}", record.revision + 1);
  row.status = revised.Pick(kStatuses);
  row.category = draw.Pick(kCategories);
  row.created = kFirstDay + std::chrono::days(draw.Below(600)) +
                std::chrono::milliseconds(draw.Below(86'400'000));
  if (draw.Chance(30)) {
    row.marketplace_arn =
        fmt::format("arn:aws:aws-marketplace:us-east-1:{}:AWSMarketplace/SaaSProduct/prod-{}",
                    kAccount, RandomLetters(draw.Next(), 13));
  }
  return row;
}

std::string Solutions::ElementOf(const Row& row) const {
  std::string element;
  JsonText json(element);
  json.Open('{')
      .Member("Catalog", NameOf(catalog_))
      .Member("Id", row.id)
      .Member("Arn", ArnOf(kAccount, catalog_, "solution", row.id))
      .Member("Name", row.name)
      .Member("Status", row.status)
      .Member("Category", row.category)
      .Member("CreatedDate", FormatRfc3339(row.created));
  if (!row.marketplace_arn.empty()) json.Member("AwsMarketplaceSolutionArn", row.marketplace_arn);
  json.Close('}');
  return element;
}

Answer Solutions::List(const CheckedCall& call) const {
  const auto ids = TextsOf(call.request, "Identifier");
  const auto statuses = TextsOf(call.request, "Status");
  const auto categories = TextsOf(call.request, "Category");
  const auto arns = TextsOf(call.request, "AwsMarketplaceSolutionArn");
  std::vector<Row> rows;
  {
    const std::lock_guard lock(mutex_);
    for (const Numbered& record : roster_.Live()) {
      Row row = RowOf(record);
      if (Admits(ids, row.id) && Admits(statuses, std::string(row.status)) &&
          Admits(categories, std::string(row.category)) && Admits(arns, row.marketplace_arn)) {
        rows.push_back(std::move(row));
      }
    }
  }
  // By number already, which is the order of the ids.
  const std::string sort = SortNameOf(call.request, "Identifier");
  const auto by = [&](const auto& key) {
    std::stable_sort(rows.begin(), rows.end(),
                     [&](const Row& a, const Row& b) { return key(a) < key(b); });
  };
  if (sort == "Name") by([](const Row& row) { return std::string_view(row.name); });
  if (sort == "Status") by([](const Row& row) { return row.status; });
  if (sort == "Category") by([](const Row& row) { return row.category; });
  if (sort == "CreatedDate") by([](const Row& row) { return row.created; });
  if (IsDescending(call.request)) std::reverse(rows.begin(), rows.end());
  return AnswerPage(call, mint_,
                    {.service = ServiceId::kPartnerCentralSelling,
                     .member = "SolutionSummaries",
                     .page_size = kDefaultPageSize,
                     .count = rows.size(),
                     .element = [&](std::size_t i) { return ElementOf(rows[i]); }});
}

std::vector<std::string> Solutions::Apply(const ChangeOrder& order) {
  const std::lock_guard lock(mutex_);
  return roster_.Apply(order, [this](std::uint64_t number) { return IdOf(number); });
}

void Solutions::ForEach(
    const std::function<void(const std::string& id, std::string_view element)>& visit) const {
  const std::lock_guard lock(mutex_);
  for (const Numbered& record : roster_.Live()) {
    visit(IdOf(record.number), ElementOf(RowOf(record)));
  }
}

}  // namespace pcw::sim
