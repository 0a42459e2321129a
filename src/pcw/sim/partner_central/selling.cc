#include "pcw/sim/partner_central/selling.h"

#include <optional>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/time.h"
#include "pcw/sim/json_text.h"
#include "pcw/sim/partner_central/request_reader.h"
#include "pcw/sim/spoil.h"

namespace pcw::sim {
namespace {

std::optional<std::string> TextAt(const Json& request, const char* group, const char* name) {
  const Json* filter = MemberOf(request, group);
  const Json* value = filter != nullptr ? MemberOf(*filter, name) : nullptr;
  if (value == nullptr) return std::nullopt;
  return value->get<std::string>();
}

std::optional<WallTime> TimeAt(const Json& request, const char* group, const char* name) {
  const auto text = TextAt(request, group, name);
  if (!text) return std::nullopt;
  const auto time = ParseRfc3339(*text);  // its form was checked with the request
  return time ? std::optional<WallTime>(*time) : std::nullopt;
}

SortBy SortNamed(const std::string& name) {
  if (name == "Identifier") return SortBy::kIdentifier;
  if (name == "CustomerCompanyName") return SortBy::kCustomerCompanyName;
  if (name == "CreatedDate") return SortBy::kCreatedDate;
  if (name == "TargetCloseDate") return SortBy::kTargetCloseDate;
  return SortBy::kLastModifiedDate;
}

/// What happens to the catalog while somebody pages through it.
void ChangeBetweenPages(Collection& collection, const FaultDecision& faults, WallTime now) {
  const auto count = [](const FaultRule& rule) {
    return static_cast<std::uint64_t>(rule.Number("n"));
  };
  if (const FaultRule* rule = faults.Find(FaultKind::kModifyBetweenPages)) {
    collection.ModifySome(count(*rule), now);
  }
  if (const FaultRule* rule = faults.Find(FaultKind::kInsertBetweenPages)) {
    collection.Insert(count(*rule), now);
  }
  if (const FaultRule* rule = faults.Find(FaultKind::kRemoveBetweenPages)) {
    collection.RemoveSome(count(*rule), now);
  }
}

}  // namespace

ListQuery Selling::QueryOf(const Json& request) const {
  ListQuery query;
  if (const Json* sort = MemberOf(request, "Sort")) {
    query.sort_by = SortNamed((*sort)["SortBy"].get<std::string>());
    query.order =
        (*sort)["SortOrder"] == "ASCENDING" ? SortOrder::kAscending : SortOrder::kDescending;
  }
  query.modified_from = TimeAt(request, "LastModifiedDate", "AfterLastModifiedDate");
  if (query.modified_from && filter_granularity_ != Granularity::kMixed) {
    query.modified_from = CutTo(*query.modified_from, filter_granularity_);
  }
  query.modified_before = TimeAt(request, "LastModifiedDate", "BeforeLastModifiedDate");
  query.created_from = TimeAt(request, "CreatedDate", "AfterCreatedDate");
  query.created_before = TimeAt(request, "CreatedDate", "BeforeCreatedDate");
  query.close_from = TextAt(request, "TargetCloseDate", "AfterTargetCloseDate");
  query.close_before = TextAt(request, "TargetCloseDate", "BeforeTargetCloseDate");
  query.identifiers = TextsOf(request, "Identifier");
  query.stages = TextsOf(request, "LifeCycleStage");
  query.review_statuses = TextsOf(request, "LifeCycleReviewStatus");
  query.company_names = TextsOf(request, "CustomerCompanyName");
  if (const Json* max = MemberOf(request, "MaxResults"))
    query.max_results = max->get<std::size_t>();
  return query;
}

Answer Selling::List(const Json& request, Catalog catalog, const FaultDecision& faults,
                     WallTime now) {
  const ListQuery query = QueryOf(request);
  const std::uint64_t fingerprint = FingerprintOf(request);
  Collection& collection = catalogs_.Of(catalog);
  TokenContent start;
  const Json* token = MemberOf(request, "NextToken");
  if (token != nullptr) {
    auto read = mint_.Read(token->get_ref<const std::string&>(), fingerprint, now);
    if (!read) {
      return ValidationError(ServiceId::kPartnerCentralSelling,
                             {{"NextToken", read.error().message(), "INVALID_VALUE"}});
    }
    start = std::move(*read);
    ChangeBetweenPages(collection, faults, now);
  }

  Answer answer;
  JsonText json(answer.body);
  json.Open('{').Key("OpportunitySummaries").Open('[');
  if (faults.Find(FaultKind::kEmptyPageWithToken) != nullptr) {
    json.Close(']');
    json.Member("NextToken", mint_.Make(start.last, start.served, fingerprint, now)).Close('}');
    return answer;
  }
  std::optional<WallTime> as_of;
  if (const FaultRule* lag = faults.Find(FaultKind::kListLag)) {
    as_of = now - std::chrono::seconds(lag->Number("seconds"));
  }
  ListPage page = collection.List(query, start.position, as_of);
  const std::uint64_t served = start.served + page.records.size();
  if (faults.Find(FaultKind::kDuplicateInPage) != nullptr && !page.records.empty()) {
    page.records.push_back(page.records.front());
  }
  std::size_t item = 0;
  for (const RecordVersion& record : page.records) {
    std::string summary;
    collection.writer().AppendSummary(summary, record);
    SpoilRecord(summary, faults, ++item);
    json.Raw(summary);
  }
  json.Close(']');
  if (token != nullptr && faults.Find(FaultKind::kRepeatedToken) != nullptr) {
    json.Member("NextToken", token->get_ref<const std::string&>());
  } else if (page.has_more) {
    json.Key("NextToken").Raw(TokenJson(mint_.Make(page.last, served, fingerprint, now), faults));
  }
  json.Close('}');
  return answer;
}

Answer Selling::Get(const Json& request, Catalog catalog, const FaultDecision& faults) const {
  const Collection& collection = catalogs_.Of(catalog);
  const auto& id = request["Identifier"].get_ref<const std::string&>();
  const auto record =
      faults.Find(FaultKind::kNotFound) == nullptr ? collection.Get(id) : std::nullopt;
  if (!record) {
    return ServiceError(ServiceId::kPartnerCentralSelling, "ResourceNotFoundException",
                        fmt::format("Opportunity with identifier {} not found.", id));
  }
  Answer answer;
  answer.body = collection.writer().Body(*record);
  SpoilRecord(answer.body, faults);
  return answer;
}

}  // namespace pcw::sim
