// One catalog's engagements and invitations, and the operations over them.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/sim/answer.h"
#include "pcw/sim/events/event_source.h"
#include "pcw/sim/partner_central/lead_text.h"
#include "pcw/sim/partner_central/page_token.h"
#include "pcw/sim/partner_central/request_reader.h"
#include "pcw/sim/partner_central/roster.h"

namespace pcw::sim {

/// A lead as the oracle tells it: what a client can know best.
struct LeadTruth {
  std::string id;          ///< of the engagement; of the invitation if it names none
  std::string_view state;  ///< invited, accepted, rejected, expired
  /// GetEngagement if that is possible, GetEngagementInvitation while it is pending, else the
  /// element of the list.
  std::string body;
};

/// Lead number i is, by i % 5: invited, accepted, rejected, expired, or an engagement that no
/// invitation leads to; number 5 is invited without an EngagementId. Beside them stand engagements
/// and invitations that are not leads. Executes requests whose form was checked already.
/// Thread-safe.
class Leads {
 public:
  /// No date lies after `epoch` but those by which invitations expire.
  Leads(std::uint64_t seed, Catalog catalog, std::uint64_t count, WallTime epoch, TokenMint& mint);

  Answer ListEngagements(const CheckedCall& call) const;
  Answer GetEngagement(const CheckedCall& call) const;
  Answer ListInvitations(const CheckedCall& call) const;
  Answer GetInvitation(const CheckedCall& call) const;
  /// Both: ConflictException unless the invitation is pending. Accepting makes the engagement
  /// visible, modified now.
  Answer Accept(const CheckedCall& call);
  Answer Reject(const CheckedCall& call);

  /// Who is told of changes, with the lock held. To be set before anybody else uses this.
  using Announce = std::function<void(const EventContent& event, WallTime now)>;
  void OnChange(Announce listener) { announce_ = std::move(listener); }

  /// Changes visible engagements with a Lead context; returns their ids.
  std::vector<std::string> Modify(const ChangeOrder& order);
  /// Moves pending received invitations of these ids to another status; returns the ids of those
  /// that moved.
  std::vector<std::string> Settle(const std::vector<std::string>& ids, InvitationStatus status,
                                  WallTime now);
  /// Holds the lock: `visit` may not call back.
  void ForEach(const std::function<void(const LeadTruth&)>& visit) const;

 private:
  void AddLead(std::uint64_t number, WallTime epoch);
  void AddOthers(WallTime epoch);
  /// With the lock held; nullptr if there is none.
  const Invitation* InvitationMeant(std::string_view identifier) const;
  /// With the lock held; `settled` is one of ours.
  void SettleOne(const Invitation& settled, InvitationStatus status, WallTime now,
                 std::string reason);
  Answer Respond(const CheckedCall& call, InvitationStatus status);
  void AnnounceUpdate(const Engagement& engagement);
  void AnnounceSettled(const Invitation& invitation, WallTime now);

  const std::uint64_t seed_;
  const Catalog catalog_;
  const LeadWriter writer_;
  TokenMint& mint_;
  Announce announce_;
  mutable std::mutex mutex_;
  std::vector<Engagement> engagements_;
  std::vector<Invitation> invitations_;
  std::uint64_t drawn_ = 0;
};

}  // namespace pcw::sim
