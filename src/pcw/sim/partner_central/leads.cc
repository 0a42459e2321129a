#include "pcw/sim/partner_central/leads.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/time.h"
#include "pcw/sim/draw.h"
#include "pcw/sim/keys.h"
#include "pcw/sim/partner_central/dataset.h"
#include "pcw/sim/partner_central/list_page.h"
#include "pcw/sim/partner_central/resource_name.h"
#include "pcw/sim/spoil.h"

namespace pcw::sim {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;

constexpr std::uint64_t kSituations = 5;
constexpr std::uint64_t kWithoutEngagement = 5;       // the invitation that names none
constexpr std::uint64_t kFirstOther = 1'000'000'000;  // numbers of what is not a lead
constexpr std::uint64_t kProjects = 3;

const std::string& IdentifierOf(const CheckedCall& call) {
  return call.request["Identifier"].get_ref<const std::string&>();
}

std::string RejectionReasonOf(const Json& request) {
  const Json* reason = MemberOf(request, "RejectionReason");
  return reason == nullptr ? std::string() : reason->get<std::string>();
}

Answer NotFound(std::string_view what, std::string_view identifier) {
  return ServiceError(ServiceId::kPartnerCentralSelling, "ResourceNotFoundException",
                      fmt::format("{} with identifier {} not found.", what, identifier));
}

/// Whether a list of ids and ARNs lets this resource pass.
bool AdmitsResource(const std::set<std::string>& filter, const std::string& id,
                    const std::string& arn) {
  return filter.empty() || filter.contains(id) || filter.contains(arn);
}

bool HasAny(const Engagement& engagement, const std::set<std::string>& types) {
  const bool lead = engagement.subject == Subject::kLead;
  return (lead && types.contains("Lead")) ||
         ((!lead || HasProjectFirst(engagement)) && types.contains("CustomerProject"));
}

/// Newest first unless the request says otherwise.
bool IsAscending(const Json& request) {
  return MemberOf(request, "Sort") != nullptr && !IsDescending(request);
}

}  // namespace

Leads::Leads(std::uint64_t seed, Catalog catalog, std::uint64_t count, WallTime epoch,
             TokenMint& mint)
    : seed_(Mix(seed ^ 0x6c65, MixText(NameOf(catalog)))),
      catalog_(catalog),
      writer_(seed, catalog),
      mint_(mint) {
  for (std::uint64_t i = 0; i < count; ++i) AddLead(i, epoch);
  AddOthers(epoch);
}

void Leads::AddLead(std::uint64_t number, WallTime epoch) {
  Draw draw(Mix(seed_, number));
  const std::uint64_t situation = number % kSituations;
  const auto within = [&](std::uint64_t span) {
    return milliseconds(draw.Below(span * 86'400'000));
  };
  // What is pending is recent, what has run out is old.
  const WallTime invited = CutTo(situation == 0   ? epoch - within(10)
                                 : situation == 3 ? epoch - days(60) - within(100)
                                                  : epoch - days(20) - within(100),
                                 Granularity::kMillis);
  engagements_.push_back({.number = number,
                          .subject = Subject::kLead,
                          .is_visible = situation == 1 || situation == 4,
                          .created = invited - hours(1),
                          .modified = invited + milliseconds(draw.Below(10 * 86'400'000ULL))});
  if (situation == 4) return;
  invitations_.push_back({.number = number,
                          .subject = Subject::kLead,
                          .names_engagement = number != kWithoutEngagement,
                          .status = static_cast<InvitationStatus>(situation),
                          .invited = invited,
                          .expires = invited + days(situation == 0 ? 90 : 15),
                          .rejection_reason = situation == 2 ? "No capacity" : ""});
}

/// Projects: one that the account was asked to, one that it asks others to, one of its own.
void Leads::AddOthers(WallTime epoch) {
  for (std::uint64_t i = 0; i < kProjects; ++i) {
    const std::uint64_t number = kFirstOther + i;
    const WallTime created = epoch - days(30 + i);
    engagements_.push_back({.number = number,
                            .subject = Subject::kProject,
                            .is_visible = true,
                            .created = created,
                            .modified = created + hours(30)});
    invitations_.push_back({.number = number,
                            .subject = Subject::kProject,
                            .is_received = i != 1,
                            .status = static_cast<InvitationStatus>(i % 2),
                            .invited = created + hours(1),
                            .expires = created + days(90)});
  }
  // A lead that this account offers to somebody else.
  invitations_.push_back({.number = kFirstOther + kProjects,
                          .subject = Subject::kLead,
                          .is_received = false,
                          .invited = epoch - days(2),
                          .expires = epoch + days(28)});
}

Answer Leads::ListEngagements(const CheckedCall& call) const {
  const auto wanted = TextsOf(call.request, "ContextTypes");
  const auto unwanted = TextsOf(call.request, "ExcludeContextTypes");
  const auto creators = TextsOf(call.request, "CreatedBy");
  const auto other_creators = TextsOf(call.request, "ExcludeCreatedBy");
  const auto ids = TextsOf(call.request, "EngagementIdentifier");
  std::vector<Engagement> found;
  {
    const std::lock_guard lock(mutex_);
    std::copy_if(engagements_.begin(), engagements_.end(), std::back_inserter(found),
                 [&](const Engagement& engagement) {
                   const std::string creator(writer_.CreatorOf(engagement));
                   return engagement.is_visible && (wanted.empty() || HasAny(engagement, wanted)) &&
                          !HasAny(engagement, unwanted) && Admits(creators, creator) &&
                          !other_creators.contains(creator) &&
                          AdmitsResource(ids, writer_.EngagementId(engagement.number),
                                         writer_.EngagementArn(engagement.number));
                 });
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const Engagement& a, const Engagement& b) { return a.created < b.created; });
  if (!IsAscending(call.request)) std::reverse(found.begin(), found.end());
  return AnswerPage(call, mint_,
                    {.service = ServiceId::kPartnerCentralSelling,
                     .member = "EngagementSummaryList",
                     .page_size = kDefaultPageSize,
                     .count = found.size(),
                     .element = [&](std::size_t i) { return writer_.Summary(found[i]); }});
}

Answer Leads::ListInvitations(const CheckedCall& call) const {
  const bool received = call.request["ParticipantType"] == "RECEIVER";
  const auto payloads = TextsOf(call.request, "PayloadType");
  const auto statuses = TextsOf(call.request, "Status");
  const auto senders = TextsOf(call.request, "SenderAwsAccountId");
  const auto ids = TextsOf(call.request, "EngagementIdentifier");
  std::vector<Invitation> found;
  {
    const std::lock_guard lock(mutex_);
    std::copy_if(
        invitations_.begin(), invitations_.end(), std::back_inserter(found),
        [&](const Invitation& invitation) {
          const bool lead = invitation.subject == Subject::kLead;
          return invitation.is_received == received &&
                 Admits(payloads, lead ? "LeadInvitation" : "OpportunityInvitation") &&
                 Admits(statuses, std::string(NameOf(invitation.status))) &&
                 Admits(senders, std::string(writer_.SenderOf(invitation))) &&
                 (ids.empty() || (invitation.names_engagement &&
                                  AdmitsResource(ids, writer_.EngagementId(invitation.number),
                                                 writer_.EngagementArn(invitation.number))));
        });
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const Invitation& a, const Invitation& b) { return a.invited < b.invited; });
  if (!IsAscending(call.request)) std::reverse(found.begin(), found.end());
  return AnswerPage(call, mint_,
                    {.service = ServiceId::kPartnerCentralSelling,
                     .member = "EngagementInvitationSummaries",
                     .page_size = kDefaultPageSize,
                     .count = found.size(),
                     .element = [&](std::size_t i) { return writer_.Summary(found[i]); }});
}

Answer Leads::GetEngagement(const CheckedCall& call) const {
  const std::string& identifier = IdentifierOf(call);
  const std::lock_guard lock(mutex_);
  const auto found =
      std::find_if(engagements_.begin(), engagements_.end(), [&](const Engagement& engagement) {
        return engagement.is_visible && IsMeant(identifier, writer_.EngagementId(engagement.number),
                                                writer_.EngagementArn(engagement.number));
      });
  if (found == engagements_.end() || call.faults.Find(FaultKind::kNotFound) != nullptr) {
    return NotFound("Engagement", identifier);
  }
  Answer answer;
  answer.body = writer_.Body(*found);
  SpoilRecord(answer.body, call.faults);
  return answer;
}

const Invitation* Leads::InvitationMeant(std::string_view identifier) const {
  const auto found =
      std::find_if(invitations_.begin(), invitations_.end(), [&](const Invitation& invitation) {
        return IsMeant(identifier, writer_.InvitationId(invitation),
                       writer_.InvitationArn(invitation));
      });
  return found == invitations_.end() ? nullptr : &*found;
}

Answer Leads::GetInvitation(const CheckedCall& call) const {
  const std::string& identifier = IdentifierOf(call);
  const std::lock_guard lock(mutex_);
  const Invitation* found = InvitationMeant(identifier);
  if (found == nullptr || call.faults.Find(FaultKind::kNotFound) != nullptr) {
    return NotFound("Engagement invitation", identifier);
  }
  Answer answer;
  answer.body = writer_.Body(*found);
  SpoilRecord(answer.body, call.faults);
  return answer;
}

void Leads::SettleOne(const Invitation& settled, InvitationStatus status, WallTime now,
                      std::string reason) {
  Invitation& invitation = invitations_[static_cast<std::size_t>(&settled - invitations_.data())];
  invitation.status = status;
  invitation.rejection_reason = std::move(reason);
  if (status == InvitationStatus::kAccepted) {
    invitation.names_engagement = true;
    for (Engagement& engagement : engagements_) {
      if (engagement.number != invitation.number) continue;
      engagement.is_visible = true;
      engagement.modified = CutTo(now, Granularity::kMillis);
    }
  }
  AnnounceSettled(invitation, now);
}

// aws/samples/eventbridge/engagement-updated.json
void Leads::AnnounceUpdate(const Engagement& engagement) {
  if (!announce_) return;
  OrderedJson types = OrderedJson::array({"Lead"});
  if (HasProjectFirst(engagement)) types.push_back("CustomerProject");
  const std::string arn = writer_.EngagementArn(engagement.number);
  announce_({.version = "0",
             .detail_type = "Engagement Updated",
             .resource = arn,
             .detail = {{"catalog", NameOf(catalog_)},
                        {"engagement",
                         {{"engagementArn", arn},
                          {"engagementId", writer_.EngagementId(engagement.number)},
                          {"LastModifiedAt", FormatRfc3339(engagement.modified)},
                          {"LastModifiedBy", "aws"},
                          {"ContextTypes", std::move(types)}}}}},
            engagement.modified);
}

// aws/samples/eventbridge/engagement-invitation-accepted.json and its like
void Leads::AnnounceSettled(const Invitation& invitation, WallTime now) {
  if (!announce_) return;
  const std::string arn = writer_.InvitationArn(invitation);
  OrderedJson content{{"arn", arn}, {"id", writer_.InvitationId(invitation)}};
  if (invitation.names_engagement)
    content["engagementId"] = writer_.EngagementId(invitation.number);
  content["senderAccountId"] = writer_.SenderOf(invitation);
  content["receiverAccountId"] = invitation.is_received ? kAccount : "210987654321";
  content["participantType"] = invitation.is_received ? "Receiver" : "Sender";
  content["payloadType"] =
      invitation.subject == Subject::kLead ? "LeadInvitation" : "OpportunityInvitation";
  announce_(
      {.version = "0",
       .detail_type =
           invitation.status == InvitationStatus::kAccepted   ? "Engagement Invitation Accepted"
           : invitation.status == InvitationStatus::kRejected ? "Engagement Invitation Rejected"
                                                              : "Engagement Invitation Expired",
       .resource = arn,
       .detail = {{"catalog", NameOf(catalog_)}, {"engagementInvitation", std::move(content)}}},
      now);
}

Answer Leads::Respond(const CheckedCall& call, InvitationStatus status) {
  const std::string& identifier = IdentifierOf(call);
  const std::lock_guard lock(mutex_);
  const Invitation* found = InvitationMeant(identifier);
  if (found == nullptr || !found->is_received ||
      call.faults.Find(FaultKind::kNotFound) != nullptr) {
    return NotFound("Engagement invitation", identifier);
  }
  if (found->status != InvitationStatus::kPending) {
    return ServiceError(
        ServiceId::kPartnerCentralSelling, "ConflictException",
        fmt::format("The invitation is {} and no longer PENDING.", NameOf(found->status)));
  }
  SettleOne(*found, status, call.now, RejectionReasonOf(call.request));
  return {};
}

Answer Leads::Accept(const CheckedCall& call) { return Respond(call, InvitationStatus::kAccepted); }

Answer Leads::Reject(const CheckedCall& call) { return Respond(call, InvitationStatus::kRejected); }

std::vector<std::string> Leads::Modify(const ChangeOrder& order) {
  const std::lock_guard lock(mutex_);
  std::vector<std::uint64_t> places;
  for (std::size_t i = 0; i < engagements_.size(); ++i) {
    const Engagement& engagement = engagements_[i];
    if (!engagement.is_visible || engagement.subject != Subject::kLead) continue;
    const auto is_wanted = [&](const std::vector<std::string>& ids) {
      return std::find(ids.begin(), ids.end(), writer_.EngagementId(engagement.number)) !=
             ids.end();
    };
    if (!order.ids || is_wanted(*order.ids)) places.push_back(i);
  }
  if (!order.ids) places = DrawSome(std::move(places), order.count, Mix(seed_, drawn_++));
  std::vector<std::string> ids;
  for (const std::uint64_t place : places) {
    Engagement& engagement = engagements_[place];
    ++engagement.revision;
    // Two versions never share a date: whoever compares by it must be able to tell.
    engagement.modified =
        std::max(CutTo(order.now, Granularity::kMillis), engagement.modified + milliseconds(1));
    AnnounceUpdate(engagement);
    ids.push_back(writer_.EngagementId(engagement.number));
  }
  return ids;
}

std::vector<std::string> Leads::Settle(const std::vector<std::string>& ids, InvitationStatus status,
                                       WallTime now) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> settled;
  for (const std::string& id : ids) {
    const Invitation* found = InvitationMeant(id);
    if (found == nullptr || !found->is_received || found->status != InvitationStatus::kPending) {
      continue;
    }
    SettleOne(*found, status, now, {});
    settled.push_back(id);
  }
  return settled;
}

void Leads::ForEach(const std::function<void(const LeadTruth&)>& visit) const {
  const std::lock_guard lock(mutex_);
  std::set<std::uint64_t> visible;
  for (const Engagement& engagement : engagements_) {
    if (engagement.subject != Subject::kLead || !engagement.is_visible) continue;
    visible.insert(engagement.number);
    visit({writer_.EngagementId(engagement.number), "accepted", writer_.Body(engagement)});
  }
  for (const Invitation& invitation : invitations_) {
    if (invitation.subject != Subject::kLead || !invitation.is_received ||
        visible.contains(invitation.number)) {
      continue;
    }
    const bool is_pending = invitation.status == InvitationStatus::kPending;
    visit({invitation.names_engagement ? writer_.EngagementId(invitation.number)
                                       : writer_.InvitationId(invitation),
           is_pending                                         ? "invited"
           : invitation.status == InvitationStatus::kRejected ? "rejected"
                                                              : "expired",
           is_pending ? writer_.Body(invitation) : writer_.Summary(invitation)});
  }
}

}  // namespace pcw::sim
