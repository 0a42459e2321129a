#include "pcw/sim/partner_central/catalog_content.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "pcw/base/digest.h"
#include "pcw/base/time.h"

namespace pcw::sim {
namespace {

constexpr std::array<std::string_view, 5> kEntities{"opportunities", "leads", "solutions",
                                                    "profiles", "aws_summaries"};

std::string Line(std::string_view id, std::string_view body, std::string_view more = {}) {
  return fmt::format("{{\"id\":\"{}\",\"sha256\":\"{}\"{}}}\n", id, Sha256Hex(body), more);
}

std::vector<std::string> ChangeOpportunities(Collection& collection, const ChangeOrder& order) {
  switch (order.kind) {
    case ChangeOrder::Kind::kModify:
      return order.ids ? collection.Modify(*order.ids, order.now)
                       : collection.ModifySome(order.count, order.now);
    case ChangeOrder::Kind::kRemove:
      return order.ids ? collection.Remove(*order.ids, order.now)
                       : collection.RemoveSome(order.count, order.now);
    case ChangeOrder::Kind::kInsert:
      break;
  }
  return collection.Insert(order.count, order.now);
}

}  // namespace

std::optional<Entity> EntityNamed(std::string_view name) {
  const auto* found = std::find(kEntities.begin(), kEntities.end(), name);
  if (found == kEntities.end()) return std::nullopt;
  return static_cast<Entity>(found - kEntities.begin());
}

CatalogContent::CatalogContent(const ContentOptions& options, Catalog catalog, TokenMint& mint,
                               EventSource& events)
    : opportunities_(options.opportunities, catalog),
      solutions_(options.seed, catalog, options.solutions, mint),
      leads_(options.seed, catalog, options.leads, options.opportunities.epoch, mint),
      partners_(options.seed, catalog, options.profiles, mint),
      aws_summaries_(options.seed, catalog, opportunities_) {
  opportunities_.OnChange([&events, catalog](const std::string& id, bool is_new, WallTime now) {
    events.Emit(OpportunityEvent(is_new, catalog, id), now);
  });
  leads_.OnChange([&events](const EventContent& event, WallTime now) { events.Emit(event, now); });
}

std::optional<Answer> CatalogContent::Execute(Operation operation, const CheckedCall& call) {
  switch (operation) {
    case Operation::kListSolutions:
      return solutions_.List(call);
    case Operation::kListEngagements:
      return leads_.ListEngagements(call);
    case Operation::kGetEngagement:
      return leads_.GetEngagement(call);
    case Operation::kListEngagementInvitations:
      return leads_.ListInvitations(call);
    case Operation::kGetEngagementInvitation:
      return leads_.GetInvitation(call);
    case Operation::kAcceptEngagementInvitation:
      return leads_.Accept(call);
    case Operation::kRejectEngagementInvitation:
      return leads_.Reject(call);
    case Operation::kGetAwsOpportunitySummary:
      return aws_summaries_.Get(call);
    case Operation::kListPartners:
      return partners_.List(call);
    case Operation::kGetPartner:
      return partners_.Get(call);
    case Operation::kGetProfileVisibility:
      return partners_.GetVisibility(call);
    default:
      return std::nullopt;
  }
}

std::string CatalogContent::Truth(Entity entity) const {
  std::string out;
  switch (entity) {
    case Entity::kOpportunities:
      opportunities_.ForEach([&](const RecordVersion& record) {
        out += fmt::format("{{\"id\":\"{}\",\"LastModifiedDate\":\"{}\",\"sha256\":\"{}\"}}\n",
                           opportunities_.IdOf(record.index), FormatRfc3339(record.modified),
                           Sha256Hex(opportunities_.writer().Body(record)));
      });
      break;
    case Entity::kLeads:
      leads_.ForEach([&](const LeadTruth& lead) {
        out += Line(lead.id, lead.body, fmt::format(R"(,"state":"{}")", lead.state));
      });
      break;
    case Entity::kSolutions:
      solutions_.ForEach(
          [&](const std::string& id, std::string_view element) { out += Line(id, element); });
      break;
    case Entity::kProfiles:
      partners_.ForEach([&](const PartnerTruth& partner) {
        out += Line(partner.id, partner.body,
                    fmt::format(R"(,"visibility":"{}","visibility_sha256":"{}")",
                                partner.visibility, Sha256Hex(partner.visibility_body)));
      });
      break;
    case Entity::kAwsSummaries:
      aws_summaries_.ForEach(
          [&](const std::string& id, std::string_view body) { out += Line(id, body); });
      break;
  }
  return out;
}

Result<std::vector<std::string>> CatalogContent::Apply(Entity entity, const ChangeOrder& order) {
  const bool modifies = order.kind == ChangeOrder::Kind::kModify;
  switch (entity) {
    case Entity::kOpportunities:
      return ChangeOpportunities(opportunities_, order);
    case Entity::kSolutions:
      return solutions_.Apply(order);
    case Entity::kProfiles:
      return partners_.Apply(order);
    case Entity::kLeads:
      if (modifies) return leads_.Modify(order);
      return Error(ErrorCode::kInvalidRequest,
                   "leads can only be modified; POST /_sim/invitations settles invitations");
    case Entity::kAwsSummaries:
      break;
  }
  if (modifies) return aws_summaries_.Modify(order);
  return Error(ErrorCode::kInvalidRequest,
               "aws_summaries can only be modified; insert or remove opportunities instead");
}

}  // namespace pcw::sim
